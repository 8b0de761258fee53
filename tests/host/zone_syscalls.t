#!/bin/bash
# SPDX-License-Identifier: MIT
#
# One system call of zoneadmd fails, or is its last, each in turn: in a start, a change of
# the VM that runs, a stop. The commands work or say why not; what they say is so; a stop
# works afterwards and leaves nothing, and so does the next start. Then the same of
# vminfod: whatever fails in it, what a list shows is what the files hold.
#
# environment: SYSCALL_EVERY, every how many-th call fails (default 100; `make soak`: 1)
#              SYSCALL_FROM, SYSCALL_TO, only those of the calls (default: all); two parts
#              of a whole walk run beside each other
#              SYSCALL_OPS, "zoneadmd", "vminfod" or both (default)
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"
command -v strace >/dev/null || skip "'strace' is not installed"
[ -x "$bin/vminfod" ] || skip "'$bin/vminfod' is not built"
strace -qq -o "$dir/trace" -e trace=openat true 2>/dev/null || skip "strace cannot trace here"
# What the sanitizers do at the end of a process is not possible in one that is traced.
export ASAN_OPTIONS=detect_leaks=0
every=${SYSCALL_EVERY:-100} from=${SYSCALL_FROM:-1} to=${SYSCALL_TO:-1000000}
errors="openat:EMFILE openat:EIO read:EIO write:ENOSPC mkdirat:ENOSPC mkdir:ENOSPC unlinkat:EIO
	unlink:EIO rmdir:EBUSY renameat:EIO rename:EIO fsync:EIO flock:ENOLCK socket:EMFILE bind:EADDRINUSE
	listen:EIO sendmsg:ENOBUFS recvmsg:EIO sendto:ENOBUFS recvfrom:EIO mount:EPERM umount2:EBUSY
	open_tree:EMFILE move_mount:EPERM mount_setattr:EINVAL fsopen:ENODEV fsconfig:EINVAL fsmount:ENOMEM
	mknodat:EPERM fchownat:EIO fchmodat:EIO fchown:EIO chown:EIO newfstatat:EIO readlinkat:EIO
	ioctl:EIO getdents64:EIO pipe2:EMFILE clone:EAGAIN clone3:EAGAIN fork:EAGAIN vfork:EAGAIN
	pidfd_open:EMFILE pidfd_send_signal:EPERM epoll_create1:EMFILE epoll_ctl:ENOMEM timerfd_create:EMFILE
	signalfd4:EMFILE inotify_init1:EMFILE inotify_add_watch:ENOSPC setns:EPERM unshare:EPERM
	mmap:ENOMEM socketpair:EMFILE accept4:EMFILE"
kills="openat:KILL write:KILL sendmsg:KILL mkdirat:KILL unlinkat:KILL renameat:KILL clone:KILL
	clone3:KILL mount:KILL"
names=$(sed 's/:[A-Z]*//g' <<<"$errors $kills" | tr -s '\n\t ' '\n' | sort -u | paste -sd, | sed 's/^,*//;s/,*$//')

# The program under strace, in the place where vmadm looks for it. $dir/inject: what fails.
mkdir "$dir/libexec"
ln -s "$bin/mdata-agent" "$dir/libexec/"
cat >"$dir/libexec/zoneadmd" <<S
#!/bin/bash
case " \$* " in *" --ended "*) exec "$bin/zoneadmd" "\$@" ;; esac
mapfile -t inject <"$dir/inject"
exec strace -D -qq -o "$dir/trace" "\${inject[@]}" "$bin/zoneadmd" "\$@"
S
chmod 755 "$dir/libexec/zoneadmd"

u=$(printf 5ca22000-0000-4000-8000-%012x $$)
own=$u
payload '"uuid": "'$u'", "alias": "s", "autoboot": false, "quota": 1, "tmpfs": 8, "resolvers": ["10.99.0.1"],
	"delegate_dataset": true, "filesystems": [{ "type": "tmpfs", "target": "/mem" }],
	"nics": [{ "nic_tag": "admin", "ips": ["10.99.0.9/24"] }]' >"$dir/payload.json"

traced() {
	DAIS_LIBEXEC=$dir/libexec vm "$@"
	said+="$err"
	if [ "$status" -gt 2 ]; then wrong+="status $status of $1; "; fi
	if [ "$status" -ne 0 ] && [ -z "$err" ]; then wrong+="no text of $1; "; fi
}
state() { "$bin/vmadm" --root "$root" list -Ho state | xargs; }
running() { [ "$(state)" = running ]; }
still_there() { [ -n "$(what_stays)" ]; }
what_stays() {
	# "ended": what liblxc runs at the end may be late; the next start takes it away.
	find "$root/run/dais/$u" -mindepth 1 ! -name state.json ! -name ended 2>/dev/null
	ip -o link show | grep -o ' dz[0-9a-f]*n[0-9]*'
	grep "$zones/$u" /proc/self/mountinfo
	find /sys/fs/cgroup -type d -path "*dais/$u*" 2>/dev/null
}
gone() { ! still_there; }

# What a sanitizer found, on standard input. No memory ends a program of ours by design, and
# a sanitizer that gets none for itself: which mapping is whose is another matter each time.
is_broken() {
	grep -E 'Sanitizer|Assertion|runtime error' |
		grep -qv 'out of memory\|out-of-memory\|failed to allocate\|unable to mmap'
}

# A life with the fault of $dir/inject in it. What is wrong: $wrong.
life() {
	wrong='' said=''
	traced start "$u"
	if [ "$status" -eq 0 ]; then
		# A kill comes when it likes: then the zone runs on, without its supervisor.
		running || wrong+="started, and $(state); "
		traced update "$u" cpu_shares=$((RANDOM % 1000 + 1)) max_physical_memory=96
		traced stop "$u" -F
		[ "$status" -ne 0 ] || [ "$(state)" = stopped ] || wrong+="stopped, and $(state); "
	fi
	vm stop -F "$u"
	[ "$status" -eq 0 ] || [[ $err == *already* ]] || wrong+="stop: $err; "
	[ "$(state)" = stopped ] || vm clear "$u"
	[ "$(state)" = stopped ] || wrong+="is $(state) in the end; "
	# What was killed at its end leaves something; the next check finds it.
	gone || vm check --repair
	eventually gone || wrong+="left: $(what_stays | xargs); "
	if is_broken <"$zones/$u/logs/zoneadmd.log"; then
		wrong+="it broke; "
		said=$(grep -m1 -A2 -E 'Sanitizer|Assertion|runtime error' "$zones/$u/logs/zoneadmd.log")
	fi
	: >"$zones/$u/logs/zoneadmd.log"
	[ -z "$wrong" ] || return
	vm check
	[ "$status" -eq 0 ] || { wrong+="check: $out$err; "; vm check --repair; }
}

# The calls that come after it has begun with its own work: NAME FIRST LAST
count_calls() {
	awk -v mark="$1" '
		{ sub(/\(.*/, "", $1); name = $1; n[name]++ }
		!seen && index($0, mark) { seen = 1 }
		!seen { first[name] = n[name] }
		END { for (name in n) print name, first[name] + 1, n[name] }' "$dir/trace" >"$dir/calls"
}

# Each fault in turn: sweep WHAT COMMAND
sweep() {
	local call error first last n tried=0 failed=0
	for call in $errors $kills; do
		error=${call#*:} call=${call%:*}
		read -r first last < <(awk -v c="$call" '$1 == c { print $2, $3 }' "$dir/calls")
		[ -n "${first:-}" ] || continue
		for ((n = first; n <= last; n++)); do
			turn=$((turn + 1))
			[ $((turn % every)) -eq 0 ] && [ "$turn" -ge "$from" ] && [ "$turn" -le "$to" ] || continue
			if [ "$error" = KILL ]; then how=signal=KILL; else how=error=$error; fi
			printf '%s\n' -e "trace=$call" -e "inject=$call:$how:when=$n" >"$dir/inject"
			$2
			tried=$((tried + 1))
			[ -n "$wrong" ] || continue
			failed=$((failed + 1))
			echo "# $1, turn $turn: $call $n of $last gets $error: $wrong"
			grep INJECTED "$dir/trace" | sed 's/^/#   /'
			head -3 <<<"$said" | sed 's/^/#   /'
		done
		first=
	done
	[ "$failed" -eq 0 ]
	ok "$1: one system call fails, or is the last ($tried calls)" $?
}

turn=0
if [[ " ${SYSCALL_OPS:-zoneadmd vminfod} " == *" zoneadmd "* ]]; then
	vm create -f "$dir/payload.json"
	is "a VM is made" "$status" 0
	printf '%s\n' -e "trace=$names" >"$dir/inject"
	life
	is "under strace it lives" "$wrong" ""
	count_calls "\"$root"
	sweep zoneadmd life
	vm start "$u"
	is "and without a fault it starts" "$status $(state)" "0 running"
	vm delete "$u"
fi

# ---- vminfod ---------------------------------------------------------------------------

sock=$root/run/dais/vminfod.sock
mkdir -p "$root/etc/zones"
record() { # N ALIAS
	local uuid
	uuid=$(printf 'bbbbbbbb-0000-4000-8000-%012d' "$1")
	printf '{ "v": 1, "uuid": "%s", "zonename": "%s", "brand": "lx", "alias": "%s", "autoboot": false,
		"max_physical_memory": 256, "nics": [], "tags": {} }' "$uuid" "$uuid" "$2" >"$root/etc/zones/.n$1"
	mv "$root/etc/zones/.n$1" "$root/etc/zones/$uuid.json"
}
aliases() { "$bin/vmadm" --root "$root" list -Ho alias -s alias 2>/dev/null | xargs; }
daemon_life() {
	local inject tracer n
	wrong='' said=''
	rm -f "$root"/etc/zones/bbbbbbbb-*.json
	record 1 one
	mapfile -t inject <"$dir/inject"
	strace -qq -o "$dir/trace" "${inject[@]}" "$bin/vminfod" --root "$root" 2>"$dir/said" &
	tracer=$!
	for n in $(seq 40); do
		[ ! -S "$sock" ] && kill -0 "$tracer" 2>/dev/null || break
		sleep 0.05
	done
	[ "$(aliases)" = one ] || wrong+="at first: $(aliases); "
	record 2 two
	[ "$(aliases)" = "one two" ] || wrong+="one more: $(aliases); "
	record 1 other
	[ "$(aliases)" = "other two" ] || wrong+="changed: $(aliases); "
	rm -f "$root"/etc/zones/bbbbbbbb-*2.json
	[ "$(aliases)" = other ] || wrong+="one less: $(aliases); "
	pkill -KILL -P "$tracer" 2>/dev/null
	wait "$tracer"
	said=$(cat "$dir/said")
	is_broken <<<"$said" && wrong+="it broke; "
	rm -f "$sock"
} 2>/dev/null
if [[ " ${SYSCALL_OPS:-zoneadmd vminfod} " == *" vminfod "* ]]; then
	printf '%s\n' -e "trace=$names" >"$dir/inject"
	daemon_life
	is "vminfod tells what there is" "$wrong" ""
	count_calls "\"$root"
	sweep vminfod daemon_life
	rm -f "$root"/etc/zones/bbbbbbbb-*
fi
vm check --repair
is "nothing is left" "$(leftovers)" ""
finish
