#!/bin/bash
# SPDX-License-Identifier: MIT
#
# SIGKILL at every step of an install and of a delete: what is there afterwards is
# the image or no image, its reader processes are gone, and the next command
# works and leaves nothing of the dead one.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
command -v strace >/dev/null || skip "'strace' is not installed"
make_pool 1G
mkdir -p "$root/var/imgadm"
echo "{\"sources\":[]}" >"$root/var/imgadm/imgadm.conf" # nobody is asked for anything
export ASAN_OPTIONS=detect_leaks=0 # which cannot be had under a tracer

uuid=11111111-1111-4222-8333-444444444444
mkdir -p "$dir/tree/etc"
for i in $(seq 200); do echo "$i" >"$dir/tree/etc/file$i"; done
head -c 2000000 /dev/urandom >"$dir/tree/data"
tar -C "$dir/tree" -cf - . | gzip -1 >"$dir/image.gz"
manifest "$dir/image.gz" $uuid >"$dir/m.json"
want=$(cd "$dir/tree" && find . -type f | sort | xargs sha1sum | sha1sum)

is_whole() { [ "$(cd "$zones/images/$uuid/rootfs" && find . -type f | sort | xargs sha1sum | sha1sum)" = "$want" ]; }

# Old state or new state, to whoever looks.
state() {
	imgadm list -H
	if [ "$status" -ne 0 ]; then echo "list failed: $err"
	elif [ -z "$out" ] && [ ! -e "$zones/images/$uuid" ]; then echo absent
	elif [ -n "$out" ] && is_whole; then echo whole
	else echo "neither: $out"
	fi
}

# Calls of the main process alone (no -f), so that the N-th is always the same one.
killed() { # killed CALL N COMMAND...
	local call=$1 n=$2
	shift 2
	# bash tells of processes that were killed
	{ run strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" "$bin/imgadm" "$@" --root "$root"; } 2>/dev/null
	[ "$status" -ge 128 ] # it was
}

readers() { # the children of a dead imgadm may need a moment to see it
	for _ in $(seq 50); do
		[ "$(find /proc/[0-9]*/root -maxdepth 0 -lname "$zones/*" 2>/dev/null | wc -l)" = 0 ] && return 0
		sleep 0.1
	done
	return 1
}

kills=0
for call in ioctl syncfs renameat2 renameat mkdirat openat write fsync unlinkat fork,clone,clone3,vfork wait4 pipe2; do
	n=0
	while n=$((n + 1)); [ $n -le 400 ] && killed $call $n install -q -m "$dir/m.json" -f "$dir/image.gz"; do
		kills=$((kills + 1))
		now=$(state)
		case $now in
		absent | whole) ;;
		*) ok "install killed at $call $n: $now" 1 ;;
		esac
		readers || ok "install killed at $call $n: its readers live on" 1
		[ "$now" = whole ] && imgadm delete $uuid
		# of many alike, some
		[ $n -lt 8 ] || n=$((n + n / 3))
	done
	imgadm install -q -m "$dir/m.json" -f "$dir/image.gz"
	{ [ "$status" -eq 0 ] && is_whole && is_clean; } || echo "# $err" "$(ls -A "$zones/images/.partial")"
	[ "$status" -eq 0 ] && is_whole && is_clean
	ok "killed at each $call of an install, the next one works and cleans" $?
	imgadm delete $uuid
done
[ $kills -gt 40 ]
ok "that were kills enough ($kills)" $?

# Asked to end, it cleans up itself.
for signal in INT TERM HUP; do
	run strace -o /dev/null -e "inject=write:signal=$signal:when=6" "$bin/imgadm" install -q \
		-m "$dir/m.json" -f "$dir/image.gz" --root "$root"
	is "SIG$signal ends an install" "$status $err" \
		"1 imgadm install: error (InternalError): interrupted; nothing was installed"
	is_clean && [ "$(state)" = absent ]
	ok "... which leaves nothing" $?
done

kills=0
imgadm install -q -m "$dir/m.json" -f "$dir/image.gz"
for call in ioctl renameat2 unlinkat syncfs mkdirat openat; do
	n=0
	while n=$((n + 1)); [ $n -le 200 ] && killed $call $n delete $uuid; do
		kills=$((kills + 1))
		now=$(state)
		case $now in
		absent) imgadm install -q -m "$dir/m.json" -f "$dir/image.gz" ;;
		whole) ;;
		*) ok "delete killed at $call $n: $now" 1 ;;
		esac
		[ $n -lt 8 ] || n=$((n + n / 3))
	done
	imgadm install -q -m "$dir/m.json" -f "$dir/image.gz"
	[ "$status" -eq 0 ] && is_whole && is_clean
	ok "killed at each $call of a delete, the next install works and cleans" $?
done
[ $kills -gt 15 ]
ok "that were kills enough ($kills)" $?
imgadm delete $uuid
is "at the end nothing is left" "$(ls -A "$zones/images") $(btrfs subvolume list "$zones" | wc -l)" ".partial 0"
# The kernel takes the groups of subvolumes away once it has cleaned them.
btrfs subvolume sync "$zones" >/dev/null
is "nor a quota group" "$(btrfs qgroup show "$zones" 2>/dev/null | grep -c '^[01]/[0-9]' )" 1
finish
