#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The inner loop: bldenv, build_core, and what rsync-to refuses before it calls
# anybody. What it does on a host is in tests/platform/uplink.t.
. "$(dirname "$0")/build_lib.bash"

tree=$work/tree
mkdir -p "$tree/tools/strap" "$tree/src/vmadm" "$tree/projects/local/tool/.git" "$tree/build/strap/root/usr"
cp "$top/tools/bldenv" "$top/tools/build_core" "$top/tools/rsync-to" "$top/tools/rsync-there" \
	"$top/tools/optimize-jobs" "$tree/tools/"
cp -r "$top/tools/projects" "$tree/tools/"
: > "$tree/src/vmadm/module.mk"
# In place of the build root: where things are mounted, then the command in /src's place.
cat > "$tree/tools/strap/run" <<-'END'
	#!/bin/bash
	while [ "${1:0:1}" = - ]; do echo "mount $1 $2"; case $2 in *=/src) src=${2%%=*} ;; esac; shift 2; done
	[ "$2 $3 $4" = "env -C /src" ] || exit 99
	root=$1; shift 4
	exec env -C "$src" "$@"
END
chmod +x "$tree/tools/strap/run"
cd "$tree" || exit 1

run tools/bldenv --help
is "bldenv has help" 0
says "which tells of components" out local.NAME
run tools/bldenv -x
is "an unknown option is wrong use" 2
run tools/bldenv core
is "a component without sources is refused" 1
says "by name" err "'core' is neither dais nor local.NAME"
run tools/bldenv local.none
is "so is a project that is not there" 1
says "with its folder" err "projects/local/none"
run tools/bldenv '../x'
is "and what is no name" 1
BUILD=$work/none run tools/bldenv
is "without a build root there is no environment" 1
says "and it says what makes one" err "make strap"

printf 'all:\n\t@echo "$(MODE) $(BUILD) $(DESTDIR) $(CC)"\n\t@printf "%%s\\n" "$(MODULE_FILES)"\n' > Makefile
run tools/bldenv dais make
is "a command runs in the environment of our programs" 0
says "sources are read-only" out "mount -r $tree=/src"
says "objects are the build's" out "mount -w $tree/build/target=/obj"
says "make has the settings of the unattended build" out "release /obj /obj/proto"
says "and the modules of the target" out "src/vmadm/module.mk"
PRIMARY_COMPILER='gcc-14 -m64' TARGET_MODE=debug run tools/bldenv dais make
says "words with blanks get there whole" out "debug /obj /obj/proto gcc-14 -m64"
run tools/bldenv dais sh -c 'exit 7'
is "the status is the command's" 7

printf 'world:\n\t@echo "to $(DESTDIR) by $(MAX_JOBS)"\n' > projects/local/tool/Makefile
JOBS=3 run tools/bldenv local.tool make world
is "the same for a project of the site" 0
says "with what it is told in a build" out "to /obj by 3"
[ -e build/local/tool/src/Makefile ] && [ ! -e build/local/tool/src/.git ]
ok "in a copy" $?
echo "# more" >> projects/local/tool/Makefile
run tools/bldenv local.tool grep more Makefile
is "that takes over what was changed" 0

printf 'core select:\n\t@echo $@ $(X)\n' > Makefile
mkdir -p build/stamp
touch build/stamp/core build/stamp/root
run tools/build_core X=1
is "build_core makes Debian's part again" 0 $'core 1\nselect 1'
[ ! -e build/stamp/core ] && [ -e build/stamp/root ]
ok "and nothing that follows" $?

# In ssh's place: it notes that it was called.
mkdir "$work/bin"
printf '#!/bin/sh\necho "$@" >> "%s"\nexit 255\n' "$work/called" > "$work/bin/ssh"
chmod +x "$work/bin/ssh"
PATH=$work/bin:$PATH XDG_RUNTIME_DIR=$work
export XDG_RUNTIME_DIR
run tools/rsync-to
is "rsync-to without a host is wrong use" 2
run tools/rsync-to -h
is "it has help" 0
run tools/rsync-to -n -- -oProxyCommand=x
is "an option is no host" 1
run tools/rsync-to -n host none
is "an unknown component is refused" 1
mkdir -p projects/dais
echo 'f usr/sbin/vmadm 0755 root root' > projects/dais/manifest
run tools/rsync-to -n host
is "and one that is not built" 1
says "with what builds it" err "make live"
[ ! -e "$work/called" ]
ok "nobody was called" $?
mkdir -p build/proto/dais/usr/sbin
echo vmadm > build/proto/dais/usr/sbin/vmadm
run tools/rsync-to -n -p 2222 host
is "a host that does not answer is a failure" 255
grep -q -e '-p 2222 .*root@host sh -c' "$work/called"
ok "and was called as root, at the port" $?
done_testing
