#!/bin/bash
# SPDX-License-Identifier: MIT
#
# One system call of vmadm fails, each in turn: no space, no descriptor, an I/O error.
# The command fails with a text or succeeds; "vmadm check --repair" then finds the old
# state or the new one, and nothing besides. A sample of the calls; `make soak` takes all.
#
# Then vmadm is killed before a call that changes something.
#
# environment: SYSCALL_EVERY, every how many-th call fails (default 25)
#              SYSCALL_OPS, the operations (default all)
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"
command -v strace >/dev/null || skip "'strace' is not installed"
# What the sanitizers do at the end of a process is not possible in one that is traced.
export ASAN_OPTIONS=detect_leaks=0
every=${SYSCALL_EVERY:-25}
calls="openat:EMFILE read:EIO write:ENOSPC fsync:EIO syncfs:EIO flock:ENOLCK renameat:EIO
	renameat2:EIO unlinkat:EIO mkdirat:ENOSPC symlinkat:ENOSPC linkat:ENOSPC fchownat:EIO
	fchmodat:EIO fchown:EIO fchmod:EIO ioctl:EIO getdents64:EIO socket:EMFILE
	newfstatat:EIO readlinkat:EIO pipe2:EMFILE clone:EAGAIN clone3:EAGAIN vfork:EAGAIN fsetxattr:ENOSPC"
kills="renameat:KILL renameat2:KILL unlinkat:KILL mkdirat:KILL symlinkat:KILL fsync:KILL
	syncfs:KILL ioctl:KILL write:KILL fchownat:KILL"
strace -qq -o "$dir/trace" -e trace=openat true 2>/dev/null || skip "strace cannot trace here"

u=$(printf 5ca11000-0000-4000-8000-%012x $$)
own=$u
payload '"uuid": "'$u'", "alias": "s", "autoboot": false, "resolvers": ["10.99.0.1"], "quota": 1,
	"delegate_dataset": true,
	"nics": [{ "nic_tag": "stub0", "ips": ["10.99.0.9/24"], "mac": "02:00:00:00:00:09" }]' \
	>"$dir/payload.json"
echo '{ "alias": "t", "quota": 2, "update_nics": [{ "mac": "02:00:00:00:00:09",
	"ips": ["10.99.0.8/24"] }], "set_customer_metadata": { "k": "v" } }' >"$dir/update.json"
echo '{ "image_uuid": "'"$image"'" }' >"$dir/reprovision.json"

# What there is of the VM, but for times and what differs in each run by design.
shape() {
	jq -S 'walk(if type == "object" then del(.last_modified, .create_timestamp, .reprovisioned_at) else . end)' \
		"$root/etc/zones/$u.json" 2>&1 | sed 's/^jq: .*No such file.*/no record/'
	find "$root/etc/zones" -mindepth 1 ! -type d ! -name "$u.json" ! -path '*/.archive*' -printf '%P\n' | sort
	find "$root/run/dais" -mindepth 1 ! -path '*/lock*' -printf '%P\n' 2>/dev/null
	btrfs subvolume list "$zones" | awk '{ print $NF }' | grep -v '/origin$' | sort
	find "$zones" -maxdepth 2 ! -path "$zones/images/*" ! -path "$zones/system/*" \
		! \( -path '*/snap*' -empty \) ! -name origin -printf '%P\n' | sort
	cat "$zones/$u/root/mark" "$zones/$u/root/etc/hostname" 2>/dev/null
	grep -c "$zones/" /proc/self/mountinfo
	ip -o link show | grep -o ' dz[0-9a-f]*n[0-9]*'
	# one group for each VM, whatever its number is
	btrfs qgroup show --raw "$zones" 2>/dev/null | awk '$1 ~ /^[1-9][0-9]*\// { n++ } END { print n+0, "groups" }'
	ls "$root/var/spool" "$dir/scratch" 2>/dev/null
}

mkdir "$dir/scratch"
drop() { vm check --repair; "$bin/vmadm" --root "$root" delete "$u" >/dev/null 2>&1; }
made() { drop; vm create -f "$dir/payload.json"; echo one >"$zones/$u/root/mark"; }
snapped() { made; vm create-snapshot "$u" s1; echo two >"$zones/$u/root/mark"; }
sent() { made; "$bin/vmadm" --root "$root" send -q "$u" >"$dir/stream" 2>/dev/null; drop; }

# before OPERATION: the state that it starts from. do OPERATION: its arguments and input.
before() {
	case $1 in
	create) drop ;;
	update | delete | reprovision | snapshot | send) made ;;
	rollback | unsnapshot) snapped ;;
	receive) [ -s "$dir/stream" ] || sent; drop ;;
	esac
}
input() {
	case $1 in
	create) echo "$dir/payload.json" ;;
	update) echo "$dir/update.json" ;;
	reprovision) echo "$dir/reprovision.json" ;;
	receive) echo "$dir/stream" ;;
	*) echo /dev/null ;;
	esac
}
arguments() {
	case $1 in
	create | receive) echo "$1" ;;
	snapshot) echo "create-snapshot $u s2" ;;
	unsnapshot) echo "delete-snapshot $u s1" ;;
	rollback) echo "rollback-snapshot $u s1" ;;
	*) echo "$1 $u" ;;
	esac
}

# traced OPERATION OPTION...: runs it under strace; $status, $err
traced() {
	local op=$1
	shift
	# shellcheck disable=SC2046  # words
	# The outer redirection is for what the shell says of one that was killed.
	{ timeout 100 strace -qq -o "$dir/trace" "$@" "$bin/vmadm" --root "$root" $(arguments "$op") \
		<"$(input "$op")" >"$dir/out" 2>"$dir/err"; } 2>/dev/null
	status=$?
	# One that waits for ever outlives its tracer.
	[ "$status" -ne 124 ] || pkill -KILL -f "^$bin/vmadm --root $root "
	err=$(cat "$dir/err")
}

# The calls of the program itself: those of its loading came before it read its folder.
count_calls() {
	before "$1"
	traced "$1" -e trace="$(sed 's/:[A-Z]*//g' <<<"$calls" | tr -s '\n\t ' ',' | sed 's/,$//')"
	[ "$status" -eq 0 ] || { sed 's/^/# /' "$dir/err"; return 1; }
	awk -v root="$root" '
		{ sub(/\(.*/, "", $1); name = $1; n[name]++ }
		!seen && index($0, "\"" root) { seen = 1 }
		!seen { first[name] = n[name] }
		END { for (name in n) print name, first[name] + 1, n[name] }' "$dir/trace"
}

# A kill: the next command mends, or "check --repair" does.
killed() {
	local got
	if [ "$1" = create ] && [ $((n % 2)) -eq 0 ]; then
		"$bin/vmadm" --root "$root" delete "$u" >"$dir/out" 2>&1
	else
		vm check --repair
	fi
	vm check
	[ "$status" -eq 0 ] || echo "check afterwards: $out$err"
	if [ "$(jq -r .receiving "$root/etc/zones/$u.json" 2>/dev/null || echo null)" != null ]; then
		vm receive --abandon "$u"
		[ "$status" -eq 0 ] || echo "abandon: $err"
	fi
	# What it kept for sending again goes with the next send or start.
	[ "$1" != send ] || "$bin/vmadm" --root "$root" send "$u" >"$dir/out" 2>&1
	got=$(shape)
	if [ "$got" = "$new" ] || [ "$got" = "$old" ]; then return; fi
	echo "neither old nor new after the kill:"
	diff <(echo "$old") <(echo "$got")
}

# What is wrong after OPERATION, or nothing
wrong() {
	local got
	case $err in
	*Sanitizer* | *Assertion* | *"runtime error"*) echo "the program broke: $err" ;;
	esac
	if [ "$status" -eq 137 ]; then
		killed "$1"
		return
	fi
	if [ "$status" -gt 2 ]; then echo "status $status"; fi
	if [ "$status" -ne 0 ] && [ -z "$err" ]; then echo "no text"; fi
	local was=$status said=$err
	vm check
	# What was made, and may not last or keeps its journal, says so.
	if [ "$status" -ne 0 ]; then
		case $was:$1:$out$said in
		1:create:*" was made"*) ;;
		0:* | 1:create:*) echo "after status $was check says: $out$err" ;;
		esac
		vm check --repair
		vm check
		[ "$status" -eq 0 ] || echo "check after --repair: $out$err"
	else
		# The file beside the record for other programs is no part of a success.
		vm check --repair
	fi
	# A receive that was cut short waits for the rest, as it says.
	if [ "$(jq -r .receiving "$root/etc/zones/$u.json" 2>/dev/null || echo null)" != null ]; then
		[[ $said == *"left receiving"* || $said == *"vmadm install"* ]] || echo "left receiving, and not told: $said"
		vm receive --abandon "$u"
		[ "$status" -eq 0 ] || echo "abandon: $err"
	fi
	got=$(shape)
	if [ "$got" = "$new" ]; then return; fi
	if [ "$got" != "$old" ]; then
		echo "neither old nor new, status $was, '$said':"
		if [ "$was" -eq 0 ]; then diff <(echo "$new") <(echo "$got")
		else diff <(echo "$old") <(echo "$got"); fi
	elif [ "$was" -eq 0 ]; then
		echo "success was told, and nothing was done"
	fi
}

sweep() {
	local op=$1 how call error first last n bad=0 tried=0 what
	before "$op"; old=$(shape)
	count_calls "$op" >"$dir/calls" || { ok "$op works under strace" 1; return; }
	new=$(shape)
	for call in $calls $kills; do
		error=${call#*:} call=${call%:*}
		read -r first last < <(awk -v c="$call" '$1 == c { print $2, $3 }' "$dir/calls")
		[ -n "${first:-}" ] || continue
		for ((n = first; n <= last; n++)); do
			turn=$((turn + 1))
			[ $((turn % every)) -eq 0 ] || continue
			[ "$(shape)" = "$old" ] || before "$op"
			how=error=$error
			[ "$error" = KILL ] && how=signal=KILL
			traced "$op" -e trace="$call" -e inject="$call:$how:when=$n"
			tried=$((tried + 1))
			what=$(wrong "$op")
			[ -z "$what" ] && continue
			bad=$((bad + 1))
			echo "# $op, $call $n of $last gets $error:"
			grep INJECTED "$dir/trace" | sed 's/^/#   /'
			head -12 <<<"$what" | sed 's/^/#   /'
			before "$op"
		done
		first=
	done
	[ "$bad" -eq 0 ]
	ok "$op: one system call fails, or is the last ($tried calls)" $?
}

turn=0
for op in ${SYSCALL_OPS:-create update snapshot unsnapshot rollback reprovision send receive delete}; do
	sweep "$op"
done
drop
is "nothing is left" "$(leftovers)" ""
finish
