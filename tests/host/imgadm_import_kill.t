#!/bin/bash
# SPDX-License-Identifier: MIT
#
# SIGKILL at the steps of an import of an image and its origin, of a vacuum of both, and of an
# update: what is there afterwards is each image whole or not at all, the processes of the dead
# are gone, and the next command succeeds and leaves nothing of it.
#
# environment: KILL_EVERY, 1: at every call of a kind (`make soak`). Without it the first
# calls, and ever fewer of the later ones.
# shellcheck source=tests/host/imgapi_lib.bash
. "$(dirname "$0")/imgapi_lib.bash"
command -v strace >/dev/null || skip "'strace' is not installed"
make_pool 1G
export ASAN_OPTIONS=detect_leaks=0 # which cannot be had under a tracer

base=11111111-1111-4222-8333-444444444444
top=22222222-1111-4222-8333-444444444444
mkdir -p "$dir/one" "$dir/two"
head -c 400000 /dev/urandom >"$dir/one/a"
head -c 400000 /dev/urandom >"$dir/two/b"
tar -C "$dir/one" -cf - . | gzip -1 >"$dir/one.gz"
tar -C "$dir/two" -cf - . | gzip -1 >"$dir/two.gz"
publish "$dir/one.gz" $base
publish "$dir/two.gz" $top "\"origin\":\"$base\""
index
sources "$(source_at $api)"

# Each image that a list shows is whole.
state() {
	imgadm list -H -o uuid -s uuid
	[ "$status" -eq 0 ] || { echo "list failed: $err"; return; }
	case $(xargs <<<"$out") in
	"") echo none ;;
	"$base") cmp -s "$dir/one/a" "$zones/images/$base/rootfs/a" && echo base ;;
	"$base $top") cmp -s "$dir/one/a" "$zones/images/$top/rootfs/a" &&
		cmp -s "$dir/two/b" "$zones/images/$top/rootfs/b" && echo both ;;
	*) echo "neither: $out" ;;
	esac
}
killed() { # killed CALL N: the import's main process, at its N-th CALL
	{ run strace -o /dev/null -e "inject=$1:signal=KILL:when=$2" "$bin/imgadm" import -q $top --root "$root"; } 2>/dev/null
	[ "$status" -ge 128 ]
}
orphans() { # those that imgadm started may need a moment to see its end
	for _ in $(seq 50); do
		[ "$(pgrep -f -c "imgadm import -q $top --root $root")" = 0 ] && return 0
		sleep 0.1
	done
	return 1
}

further() { [ -n "${KILL_EVERY:-}" ] || step=$((n * 2)); }

kills=0 seen=
for call in renameat2 renameat unlinkat openat ioctl syncfs fsync pread64 write fork,clone,clone3,vfork wait4 ftruncate mkdirat; do
	n=0 step=1 good=0
	while n=$((n + step)); killed $call $n; do
		kills=$((kills + 1))
		now=$(state)
		seen+=" $now"
		case $now in
		none | base | both) ;;
		*) ok "killed at $call $n: '$now'" 1; good=1 ;;
		esac
		orphans || { ok "killed at $call $n: its processes live on" 1; good=1; }
		[ "$now" = both ] && imgadm delete $top
		further
	done
	imgadm import -q $top
	[ "$status" -eq 0 ] && [ "$(state)" = both ] && is_clean && [ $good = 0 ]
	ok "killed at each $call, the next import works" $?
	[ "$status" -eq 0 ] || echo "# $err"
	imgadm vacuum -f
	imgadm check
	is "... and nothing is left" "$status $out $(ls -A "$zones/images/.download")" "0  "
done
[ $kills -gt 20 ]
ok "that were kills enough ($kills)" $?
[[ $seen == *none* && $seen == *base* ]]
ok "before and between the two images" $?

# ---- vacuum, which deletes both, and update, which replaces a manifest
kill_at() { # kill_at CALL N COMMAND...
	local call=$1 n=$2
	shift 2
	{ run strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" "$bin/imgadm" "$@" --root "$root"; } 2>/dev/null
	[ "$status" -ge 128 ]
}
is_mended() { imgadm check -r; imgadm check; [ "$status" -eq 0 ] && is_clean; }
kills=0 seen=
for call in ioctl renameat2,renameat,rename unlinkat openat syncfs; do
	n=0 step=1 good=0
	while imgadm import -q $top && n=$((n + step)) && [ $n -lt 150 ] && kill_at $call $n vacuum -f; do
		kills=$((kills + 1))
		now=$(state)
		seen+=" $now"
		case $now in none | base | both) ;; *) good=1; echo "# $call $n: $now" ;; esac
		is_mended || { good=1; echo "# $call $n: check says $out, $(ls -A "$zones/images/.partial")"; }
		further
	done
	[ $good = 0 ]
	ok "vacuum killed at each $call: images are whole or gone, check takes the rest" $?
done
[ $kills -gt 8 ] && [[ $seen == *both* && $seen == *base* ]]
ok "... at each image ($kills kills)" $?

imgadm import -q $top
kills=0 number=0
said() { imgadm get $base; jq -r '.manifest.description // ""' <<<"$out"; }
for call in openat write fsync renameat2,renameat,rename unlinkat; do
	n=0 step=1 good=0
	while n=$((n + step)); [ $n -lt 200 ]; do
		was=$(said)
		number=$((number + 1))
		jq --arg d "text $number" '.description = $d' "$site/manifests/$base.json" >"$dir/new.json"
		cp "$dir/new.json" "$site/manifests/$base.json"
		kill_at $call $n update $base || break
		kills=$((kills + 1))
		now=$(said)
		[ "$now" = "$was" ] || [ "$now" = "text $number" ] || { good=1; echo "# $call $n: '$now', was '$was'"; }
		imgadm update $base
		[ "$(said)" = "text $number" ] && is_mended || { good=1; echo "# $call $n: then '$(said)', check: $out"; }
		[ -z "$(find "$zones/images/$base" -maxdepth 1 -name '.*.new')" ] || { good=1; echo "# $call $n: half a file"; }
		further
	done
	[ $good = 0 ]
	ok "update killed at each $call: the old manifest or the new, the next update works" $?
done
[ $kills -gt 5 ] && [ "$(state)" = both ]
ok "... and the images are whole ($kills kills)" $?
finish
