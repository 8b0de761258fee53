#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The power goes as each of two images in one import gets its name, and when both have:
# what the disk has at that moment, mounted anew, has each image whole and read-only or not
# at all, and all of the one that was about to get its name.
# shellcheck source=tests/host/imgapi_lib.bash
. "$(dirname "$0")/imgapi_lib.bash"
command -v strace >/dev/null || skip "'strace' is not installed"
make_pool 1G
export ASAN_OPTIONS=detect_leaks=0 # which cannot be had under a tracer

base=11111111-1111-4222-8333-444444444444
top=22222222-1111-4222-8333-444444444444
mkdir -p "$dir/one/small" "$dir/two"
head -c 3000000 /dev/urandom >"$dir/one/a"
for i in $(seq 100); do echo "$i $RANDOM" >"$dir/one/small/$i"; done
head -c 400000 /dev/urandom >"$dir/two/b"
tar -C "$dir/one" -cf - . | gzip -1 >"$dir/one.gz"
tar -C "$dir/two" -cf - . | gzip -1 >"$dir/two.gz"
publish "$dir/one.gz" $base
publish "$dir/two.gz" $top "\"origin\":\"$base\""
index
sources "$(source_at $api)"

# The pool becomes what the file that it is in holds while all that writes to it stands still.
cut_power() { # cut_power PID...
	cp --sparse=always "$dir/pool.img" "$dir/copy.img"
	# bash tells of processes that were killed
	[ $# = 0 ] || { kill -KILL "$@"; wait "$@"; } 2>/dev/null
	for _ in $(seq 100); do umount "$zones" 2>/dev/null && break; sleep 0.1; done
	mv "$dir/copy.img" "$dir/pool.img"
	mount -o loop "$dir/pool.img" "$zones"
}
is_image() { # is_image FOLDER UUID
	local rootfs=$1/rootfs
	[ "$(jq -r .uuid "$1/manifest.json")" = "$2" ] && [ "$(jq -r .unpacked.entries "$1/meta.json")" -gt 0 ] &&
		[ "$(btrfs property get -ts "$rootfs" ro)" = ro=true ] && diff -r "$dir/one/small" "$rootfs/small" &&
		cmp "$dir/one/a" "$rootfs/a" && { [ "$2" = $base ] || cmp "$dir/two/b" "$rootfs/b"; }
}
# What is there: each image by name, and "(NAME)" of one that is whole without its name.
state() {
	for uuid in $base $top; do
		if [ -e "$zones/images/$uuid" ]; then
			is_image "$zones/images/$uuid" $uuid 2>&1 && echo "${uuid:0:1}" || echo "broken ${uuid:0:1}"
		elif is_image "$zones/images/.partial/$uuid" $uuid >/dev/null 2>&1; then
			echo "(${uuid:0:1})"
		fi
	done | xargs
}

# Stopped when the N-th image has got its name, in memory.
for n in 1 2; do
	strace -o /dev/null -e trace=renameat2 -e "inject=renameat2:signal=STOP:when=$n" \
		"$bin/imgadm" import -q $top --root "$root" >/dev/null 2>&1 &
	tracer=$!
	got=$base
	[ $n = 1 ] || got=$top
	for _ in $(seq 600); do
		[ -e "$zones/images/$got" ] && break
		sleep 0.1
	done
	pid=$(pgrep -P $tracer)
	cut_power "$pid" $tracer
	state[n]=$(state)
	imgadm check -r
	imgadm delete $base
done
is "the power goes when the first image gets its name: all of it is on disk" "${state[1]}" "(1)"
is "... when the second gets its own: the first has both, all of the second is on disk" "${state[2]}" "1 (2)"
imgadm import -q $top
is "the next import ends well" "$status $err" "0 "
cut_power
is "the power goes when it has ended: both are there" "$(state)" "1 2"
finish
