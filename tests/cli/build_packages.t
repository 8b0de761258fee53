#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The list of packages, the page that explains them, and what our makefiles ask for.
. "$(dirname "$0")/build_lib.bash"

run "$top/tools/core/host-packages" all
is "all packages are listed" 0
cp "$work/out" "$work/listed"
[ "$(sort -u "$work/listed")" = "$(cat "$work/listed")" ] && [ "$(wc -l < "$work/listed")" -gt 30 ]
ok "sorted, each once" $?

# The first cells of the tables on this machine and on a server.
sed -n '/^## On the machine/,/^## In the build root/p' "$top/docs/dependencies.md" |
	sed -n 's/^| \(`[^|]*\) |.*/\1/p' | grep -o '`[^`]*`' | tr -d '`' | sort -u > "$work/explained"
run diff "$work/listed" "$work/explained"
is "docs/dependencies.md explains these and no others" 0

# A library that a module needs has its package in both lists, or a clean machine
# and the build root do not compile it.
dev_of()
{
	case $1 in
	libcrypto) echo libssl-dev ;;
	libcurl) echo libcurl4-openssl-dev ;;
	jansson) echo libjansson-dev ;;
	lxc) echo lxc-dev ;;
	zlib) echo zlib1g-dev ;;
	libcrypt) echo libcrypt-dev ;;
	duktape) echo duktape-dev ;;
	lib*) echo "$1-dev" ;;
	*) echo "lib$1-dev" ;;
	esac
}
: > "$work/out"
: > "$work/err"
bad=0
for lib in $(sed -n 's/.*$(call needs,[^,]*,\([^)]*\)).*/\1/p' "$top"/src/*/module.mk \
	"$top"/src/*/*/module.mk "$top"/tools/*/module.mk 2> /dev/null | tr ' ' '\n' | grep -v '^-l\|^$' | sort -u); do
	package=$(dev_of "$lib")
	grep -qx "$package" "$work/listed" || { echo "$package: not in host-packages"; bad=1; }
	grep -qx "$package" "$top/tools/strap/packages" || { echo "$package: not in tools/strap/packages"; bad=1; }
done > "$work/out"
ok "every library that a module needs is in both package lists" $bad

run "$top/tools/core/host-packages" nonsense
is "an unknown group is wrong use" 2
done_testing
