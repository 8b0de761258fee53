#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make install: a plain host gets programs, pages, completions and units that fit each other.
. "$(dirname "$0")/build_lib.bash"
bin=${DAIS_BIN:-$top/build/dev/bin}
[ -x "$bin/builder" ] || { echo "1..0 # SKIP no programs in DAIS_BIN"; exit 0; }
cd "$top" || exit 1

# The real rules, over the programs that are there.
printf '%s\n' 'programs:' 'include mk/install.mk' > "$work/Makefile"
commands=$(cd "$bin" && find . -maxdepth 1 -type f -perm /1 ! -name '*.*' -printf '%P\n' | sort | paste -sd' ')
install_make() # install_make GOAL...
{
	run make -f "$work/Makefile" B="${bin%/bin}" COMMANDS="$commands" DESTDIR="$work/root" \
		prefix=/opt/dais "$@"
}

install_make install
is "install puts it all below DESTDIR" 0
at=$work/root/opt/dais
[ -x "$at/sbin/vmadm" ] && [ -x "$at/lib/dais/vminfod" ] && [ ! -e "$at/sbin/builder" ]
ok "commands and helpers, no tool of the build" $?
for program in "$at"/sbin/*; do
	name=${program##*/}
	[ -s "$at/share/bash-completion/completions/$name" ] && [ -s "$at/share/zsh/site-functions/_$name" ] &&
		[ -n "$(find "$at/share/man" -name "$name.[18]")" ] || echo "$name"
done > "$work/out"
[ ! -s "$work/out" ]
ok "each command with completions and a page" $?

units=$at/lib/systemd/system
[ -s "$units/dais-vminfod.service" ] && [ -s "$units/dais-zoneadmd.service" ] && [ -s "$units/dais-zones.service" ] && [ -s "$units/dais-imgapi.service" ]
ok "the units of a host" $?
for path in $(sed -n 's/^Exec[A-Za-z]*=[-@:+!]*\([^ ]*\).*/\1/p' "$units"/*); do
	[ -x "$work/root$path" ] || echo "$path"
done > "$work/out"
[ ! -s "$work/out" ]
ok "which start what was installed" $?
for page in $(sed -n 's/^Documentation=man:\(.*\)(\([0-9]\))$/man\2\/\1.\2/p' "$units"/*); do
	[ -s "$at/share/man/$page" ] || echo "$page"
done > "$work/out"
[ ! -s "$work/out" ]
ok "and name pages that are there" $?
for unit in "$units"/*; do
	grep -q '^WantedBy=' "$unit" || echo "$unit"
done > "$work/out"
[ ! -s "$work/out" ]
ok "and can be enabled" $?

install_make uninstall
[ "$status" -eq 0 ] && [ -z "$(find "$work/root" ! -type d)" ]
ok "uninstall takes every file away again" $?
done_testing
