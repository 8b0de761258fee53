#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The size of a FAT follows from what goes into it (tools/media/fat). That media boot
# is for tests/platform/media.t.
. "$(dirname "$0")/build_lib.bash"

# size NAME LEAST MOST: the MiB of a FAT with what is in $work/tree, and its cluster
size() {
	local name=$1 sectors
	run "$top/tools/media/fat" size "${@:4}" "$work/tree"
	read -r sectors cluster < "$work/out"
	[ "$status" -eq 0 ] && [ $((sectors / 2048)) -ge "$2" ] && [ $((sectors / 2048)) -le "$3" ]
	ok "$name: $((${sectors:-0} / 2048)) MiB" $?
}

mkdir "$work/tree"
size "the least that FAT32 can be" 32 34
[ "$cluster" -eq 1 ]
ok "of the smallest clusters" $?
size "room for 100 MiB more" 100 104 -r $((100 * 1048576))
truncate -s 400M "$work/tree/large"
size "a file of 400 MiB" 400 404
[ "$cluster" -eq 8 ]
ok "of clusters as other systems make them" $?
for ((i = 0; i < 300; i++)); do
	echo > "$work/tree/a file with a name that takes several entries of its folder, number $i"
done
size "each small file takes a cluster, each long name its entries" 401 405
size "one that is larger than its clusters can be counted" 200400 201400 -r $((200000 * 1048576))
[ "$cluster" -gt 8 ]
ok "has larger ones" $?
mkfifo "$work/tree/pipe"
run "$top/tools/media/fat" size "$work/tree"
[ "$status" -ne 0 ] && grep -qF 'fat: neither file nor folder: pipe' "$work/err"
ok "what no FAT can hold is named" $?
done_testing
