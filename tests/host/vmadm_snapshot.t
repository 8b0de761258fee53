#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Snapshots of zones: made, seen, gone back to, deleted; bounded with the rest of the
# VM; and each step cut short.
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf 5a5a5a5a-0000-4000-8000-%012x $$)
own=$u
payload '"uuid": "'$u'", "alias": "s", "autoboot": false, "delegate_dataset": true,
	"quota": 1' >"$dir/vm.json"
vm create -f "$dir/vm.json"
[ "$status" -eq 0 ] || skip "no VM can be made: $err"

names() { "$bin/vmadm" --root "$root" get "$u" | jq -r '[.snapshots[].name] | join(" ")'; }

# ---- words and refusals

vm create-snapshot $u
is "a snapshot needs a name" "$status ${err%%$'\n'*}" '2 Wrong number of parameters to "create-snapshot"'
vm rollback-snapshot $u a b
is "and one alone" "$status ${err%%$'\n'*}" '2 Wrong number of parameters to "rollback-snapshot"'
for name in 'a b' '..' '.' '' 'a/b' '@sending' "$(printf %065d 0)" 'é'; do
	vm create-snapshot $u "$name"
	is "'$name' is no name" "$status $err" "1 Invalid snapshot name"
done
vm delete-snapshot $u none
is "one that is not there cannot be deleted" "$status $err" "1 No snapshot named \"none\" for $u"
vm rollback-snapshot $u none
is "nor gone back to" "$status $err" "1 No snapshot named \"none\" for $u"
vm create-snapshot ${u/5a5a/6b6b} x
is "nor made of no VM" "$status $err" "1 zoneadm: ${u/5a5a/6b6b}: No such zone configured"

# ---- a stopped zone

echo one >"$zones/$u/root/etc/mark"
echo one >"$zones/$u/data/mark"
vm create-snapshot $u first
is "create-snapshot says what it did" "$status $out$err" "0 Created snapshot first for VM $u"
vm create-snapshot $u first
is "a name is taken once" "$status $err" "1 Snapshot \"first\" already exists for $u"
echo two >"$zones/$u/root/etc/mark"
echo two >"$zones/$u/data/mark"
vm create-snapshot --json $u 'b:2%_.-'
is "every character of the contract is allowed" "$status $(jq -r .result <<<"$out")" "0 ok"
echo three >"$zones/$u/root/etc/mark"
is "newest first" "$(names)" "b:2%_.- first"
vm get $u
now=$(date +%s)
jq -e --argjson now "$now" '.snapshots | all(.created_at <= $now and .created_at > $now - 600)' \
	>/dev/null <<<"$out"
ok "they say when they were made" $?
is "what a snapshot holds does not change" "$(cat "$zones/$u/snap/first/etc/mark")" one
touch "$zones/$u/snap/first/etc/mark" 2>/dev/null
[ $? -ne 0 ]
ok "and cannot be changed" $?
vm rollback-snapshot $u first
is "rollback-snapshot says what it did" "$status $err" "0 Rolled back snapshot first for VM $u"
is "root and data are as they were" "$(cat "$zones/$u/root/etc/mark" "$zones/$u/data/mark" | xargs)" "one one"
is "newer snapshots are gone" "$(names)" first
is "a stopped zone stays stopped" "$("$bin/vmadm" --root "$root" list -Ho state)" stopped
is "nothing is left beside it" "$(ls "$zones/$u" | xargs)" \
	"data origin root snap snapinfo"
"$bin/imgadm" delete --root "$root" "$image" >/dev/null 2>"$dir/err"
is "its image is still one that is used" "$?" 1
vm update $u zfs_snapshot_limit=1 2>/dev/null
if [ "$status" -eq 0 ]; then
	vm create-snapshot $u more
	grep -q '^/zfs_snapshot_limit: ' <<<"$err"
	ok "zfs_snapshot_limit holds" $?
	vm update $u zfs_snapshot_limit=100
fi

# ---- a running one

vm start $u
is "it starts from what was rolled back to" "$status" 0
in_zone $u sh -c 'echo run > /etc/mark; echo gone > /root/later'
vm create-snapshot $u live
is "a snapshot of a running zone" "$status" 0
is "has what was written before it" "$(cat "$zones/$u/snap/live/etc/mark")" run
is "the zone sees it" "$(in_zone $u cat /checkpoints/live/etc/mark)" run
in_zone $u sh -c 'echo x > /checkpoints/live/etc/mark' 2>/dev/null
[ $? -ne 0 ]
ok "but cannot change it" $?
is "its data is where the original has it" "$(in_zone $u cat "/zones/$u/data/mark")" one
in_zone $u sh -c 'echo later > /etc/mark'
pid=$(jq .pid "$root/run/dais/$u/state.json")
vm rollback-snapshot $u live
is "a running zone can be rolled back" "$status" 0
is "it runs again" "$("$bin/vmadm" --root "$root" list -Ho state)" running
[ "$(jq .pid "$root/run/dais/$u/state.json")" != "$pid" ]
ok "as another one" $?
is "with what it had" "$(in_zone $u cat /etc/mark)" run
vm delete-snapshot $u live
is "delete-snapshot says what it did" "$status $err" "0 Deleted snapshot live for VM $u"
is "and the rest stays" "$(names)" first
vm stop -F $u
vm rollback-snapshot --start $u first
is "--start starts one that was stopped" "$status $("$bin/vmadm" --root "$root" list -Ho state)" "0 running"
vm stop -F $u

# ---- one bound for all of it

if btrfs qgroup show "$zones" >/dev/null 2>&1; then
	# Reserved is counted as written is.
	fill() { fallocate -l "$2M" "$1" 2>&1 | grep -o 'Disk quota exceeded'; }
	is "600 MiB fit" "$(fill "$zones/$u/root/a" 600)" ""
	vm create-snapshot $u full
	rm "$zones/$u/root/a"
	sync -f "$zones"
	is "what a snapshot holds counts: root" "$(fill "$zones/$u/root/b" 600)" "Disk quota exceeded"
	rm -f "$zones/$u/root/b"
	sync -f "$zones"
	is "and data" "$(fill "$zones/$u/data/b" 600)" "Disk quota exceeded"
	rm -f "$zones/$u/data/b"
	vm delete-snapshot $u full
	btrfs filesystem sync "$zones" >/dev/null
	btrfs subvolume sync "$zones" >/dev/null 2>&1
	sync -f "$zones"
	is "until it is deleted" "$(fill "$zones/$u/data/b" 600)" ""
	vm rollback-snapshot $u first
	btrfs filesystem sync "$zones" >/dev/null
	btrfs subvolume sync "$zones" >/dev/null 2>&1
fi

# ---- cut short

crash() { # crash NAME SETUP COMMAND...: at each step, then what check finds
	local name=$1 setup=$2 n=0
	shift 2
	while :; do
		n=$((n + 1))
		[ "$n" -lt 40 ] || break
		$setup
		DAIS_CRASH_AT=$n vm "$@" 2>/dev/null
		[ "$status" -ne 0 ] || break
		vm check --repair
		vm check
		is "$name killed at step $n" "$status $(state) $(rest)" "0 ok "
		$setup
		DAIS_FAIL_AT=$n vm "$@"
		vm check --repair
		is "$name failed at step $n" "$(state) $(rest)" "ok "
	done
	[ "$n" -gt 2 ]
	ok "$name has steps: $((n - 1))" $?
}

rest() { ls -d "$root/etc/zones/.journal"/* "$zones/$u/next" 2>/dev/null; }
has() { [ -d "$zones/$u/snap/$1" ]; }
info() { [ -d "$zones/$u/snapinfo/$1/data" ]; }

state() {
	if has c; then
		info c && echo ok || echo half
	else
		[ -e "$zones/$u/snapinfo/c" ] && echo half || echo ok
	fi
}
without_c() { ! has c || vm delete-snapshot $u c; }
with_c() { has c || vm create-snapshot $u c; }
crash create without_c create-snapshot $u c
crash delete with_c delete-snapshot $u c

state() {
	local is
	is="$(cat "$zones/$u/root/etc/mark" "$zones/$u/data/mark" | xargs)"
	case $is in
	"one one") ok=0 ;;
	"new new") ok=0 ;;
	*) ok=1 ;;
	esac
	[ $ok -eq 0 ] && has first && echo ok || echo "$is"
}
changed() {
	echo new >"$zones/$u/root/etc/mark"
	echo new >"$zones/$u/data/mark"
	with_c
}
crash rollback changed rollback-snapshot $u first

vm delete $u
is "nothing is left in the end" "$(leftovers)" ""
finish
