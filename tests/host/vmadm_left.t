#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What a zone can leave in the kernel when nobody tidies up behind it, or cannot: ports,
# their rules, control groups. "vmadm check" finds each by name, "--repair" removes it,
# and so does "vmadm delete". What runs loses nothing by that.
# shellcheck source-path=SCRIPTDIR source=vmadm_lib.bash
IMAGE=tiny
for tool in nft strace python3; do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP '$tool' is not installed"; exit 0; }
done
. "$(dirname "$0")/vmadm_lib.bash"
strace -qq -o /dev/null true 2>/dev/null || skip "strace cannot trace here"

state() { jq -r ".$1 // 0" "$root/run/dais/$uuid/state.json" 2>/dev/null; }
gone() { ! kill -0 "$1" 2>/dev/null; }
rules() { nft list table bridge dais 2>/dev/null | grep -o "${port%0}[0-9][-a-z0-9]*" | sort -u | tr '\n' ' '; }
groups() { find /sys/fs/cgroup -path '*/dais/*' -name "$uuid*" -prune -printf '%f\n' | sort -u | tr '\n' ' '; }
has() { grep -qF -- "$2" <<<"$1"; }
# The supervisor dies first, so that nobody sees the end.
kill_all() {
	local init
	init=$(state pid)
	kill -9 "$(state supervisor)"
	kill -9 "$init"
	eventually gone "$init"
	# The kernel takes its time with the pair of a namespace that ends.
	no_link() { ! ip link show "$port"; }
	eventually no_link
}

vm create <<<"$(payload '"alias": "left", "autoboot": false,
	"nics": [{ "nic_tag": "stub0", "ips": ["10.99.1.9/24"] }]')"
uuid=$("$bin/vmadm" --root "$root" lookup alias=left)
own=$uuid
vm start left
port=$(ip -o link show | grep -o ' dz[0-9a-f]*n0' | tr -d ' ')
[ -n "$port" ] && [ -n "$(rules)" ]
ok "a zone runs, its port has rules" $?
vm check
is "check finds nothing" "$status $out" "0 "

# ---- the supervisor alone is killed ---------------------------------------------------
alone() { kill -9 "$1" && eventually gone "$1"; }
init=$(state pid)
alone "$(state supervisor)"
vm check
is "check finds a zone without its supervisor" "$status $out" \
	"1 $uuid: runs without a supervisor: 'vmadm check --repair' starts one"
vm check --repair
is "--repair starts one" "$status $out" "0 $uuid: runs without a supervisor: it has one"
kill -0 "$(state supervisor)" && [ "$(state pid)" = "$init" ]
ok "for the same zone" $?
alone "$(state supervisor)"
vm start left
is "a start finds that it runs" "$status $err" "0 Unable to start VM $uuid: VM $uuid is already 'running'"
kill -0 "$(state supervisor)" && [ "$(state pid)" = "$init" ]
ok "and starts a supervisor as well" $?
vm check
is "then check finds nothing" "$status $out" "0 "

# ---- killed, all of it -------------------------------------------------------------
kill_all
vm check
has "$out" "$uuid: has ended, and nobody has tidied up behind it: 'vmadm check --repair' does"
ok "supervisor and init are killed: check says so" $?
is "and that there is something to do" "$status" 1
vm check --repair
has "$out" "tidied up"
ok "--repair tidies up" $?
# The zone has stopped, and its supervisor is killed before it has removed what is its own.
mkdir "$root/run/dais/$uuid/metadata"
: >"$root/run/dais/$uuid/metadata/metadata.sock"
vm check
is "what its supervisor removes last is found" "$status $out" \
	"1 $uuid: 'metadata' of its supervisor is left: 'vmadm check --repair' removes it"
: >"$root/run/dais/$uuid/network.json"
vm check
has "$out" "'network.json' of its supervisor is left"
ok "so is what could not be removed" $?
vm check --repair
is "--repair removes both" "$(ls -A "$root/run/dais/$uuid" | grep -vx ended)" state.json
is "rules and control groups are gone" "$(rules)$(groups)" ""
vm check
is "and nothing is found any more" "$status $out" "0 "

# ---- nobody knows any more that it ran -------------------------------------------------
vm start left
kill_all
eventually rm -r "$root/run/dais/$uuid"
[ -n "$(rules)" ] && [ -n "$(groups)" ]
ok "killed, and its run folder lost: rules and control groups are left" $?
# A supervisor that is about to go still has its lock, and removes them itself.
python3 - "$root/run/dais/lock/$uuid.zoneadmd" "$dir/held" <<'P' &
import fcntl, os, sys, time
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(lock, fcntl.LOCK_EX)
open(sys.argv[2], "w").close()
time.sleep(600)
P
holder=$!
eventually test -e "$dir/held"
ok "somebody has the supervisor's lock" $?
vm check
is "check leaves what is there to it" "$status $out" "0 "
kill "$holder"
wait "$holder" 2>/dev/null
vm check
has "$out" "$uuid: port '$port' is left of a VM that has ended"
ok "without it check finds the port" $?
has "$out" "$uuid: control group 'dais/$uuid.zoneadmd' is left"
ok "and the control groups" $?
vm check --repair
is "--repair removes them" "$status $(rules)$(groups)" "0 "
vm check
is "and nothing is found any more" "$status $out" "0 "

# ---- the VM is gone ----------------------------------------------------------------
vm start left
kill_all
mv "$root/run/dais/$uuid" "$root/etc/zones/$uuid.json" "$dir"
vm check
has "$out" "-: port '$port' is left of a VM that is gone"
ok "the record is gone as well: check finds the port" $?
vm check --repair
is "--repair removes the rules" "$(rules)" ""
mv "$dir/$uuid.json" "$root/etc/zones/"
mv "$dir/$uuid" "$root/run/dais/"
vm check --repair
vm check
is "with the record back all is well" "$status $out" "0 "

# ---- a NIC is gone ------------------------------------------------------------------
vm start left
before=$(nft list table bridge dais)
nft -f - <<N
table bridge dais {
	chain ${port%0}7 { }
}
add element bridge dais ports { "${port%0}7" : goto ${port%0}7 }
N
vm check
has "$out" "$uuid: port '${port%0}7' is left of a NIC that is gone"
ok "rules of a NIC that the record does not have are found" $?
vm check --repair
vm check
is "and removed" "$status $out" "0 "
is "and nothing of the NIC that it has" "$(nft list table bridge dais)" "$before"

# ---- another host on this kernel ------------------------------------------------------
# It has the same VM, stopped, as after a send: the ports are those of the one that runs.
far=$dir/far
mkdir -p "$far/etc/dais" "$far/etc/zones"
trap 'umount "$far/zones" 2>/dev/null || umount -l "$far/zones" 2>/dev/null; cleanup' EXIT
"$bin/mkpool" -q --file "$dir/far.img" --size 512M --root "$far" || skip "no second pool"
cp "$root/etc/zones/$uuid.json" "$far/etc/zones/"
out=$("$bin/vmadm" --root "$far" check 2>&1)
has "$out" "$uuid: its root is not in the pool" && ! has "$out" "port '"
ok "check over there tells of no port" $?
# Whose supervisor was killed has an empty group, which the next one goes into.
init=$(state pid)
alone "$(state supervisor)"
out=$("$bin/vmadm" --root "$far" check --repair 2>&1)
! has "$out" "control group"
ok "nor of the group of a supervisor that was killed" $?
is "and takes nothing away" "$(nft list table bridge dais)" "$before"
vm check --repair
"$bin/vmadm" --root "$far" delete "$uuid" 2>"$dir/err"
is "it is deleted there" "$(cat "$dir/err")" "Successfully deleted VM $uuid"
is "which takes nothing away" "$(nft list table bridge dais)" "$before"
ip link show "$port" >/dev/null && kill -0 "$init" && [ "$(state pid)" = "$init" ]
ok "and the one here runs on, with its link" $?

# ---- what a delete finds -------------------------------------------------------------
kill_all
eventually rm -r "$root/run/dais/$uuid"
[ -n "$(rules)" ]
ok "again killed and forgotten: rules are left" $?
vm delete left
is "delete removes them" "$status $(rules)" "0 "
vm check --repair

# ---- a system call that fails at the end ---------------------------------------------
vm create <<<"$(payload '"alias": "left", "autoboot": false,
	"nics": [{ "nic_tag": "stub0", "ips": ["10.99.1.9/24"] }]')"
uuid=$("$bin/vmadm" --root "$root" lookup alias=left)
own="$own $uuid"

# failing INJECTION: the supervisor's system calls fail like that while it ends
failing() {
	vm start left
	port=$(ip -o link show | grep -o ' dz[0-9a-f]*n0' | tr -d ' ')
	strace -qq -o "$dir/trace" -e "inject=$1" -p "$(state supervisor)" 2>/dev/null &
	local tracer=$! traced
	traced() { grep -q 'TracerPid:[[:space:]]*[1-9]' "/proc/$(state supervisor)/status"; }
	eventually traced
	vm stop -F left
	# It goes with the supervisor; wait says what it was.
	wait "$tracer" 2>/dev/null
}
failing unlinkat:error=EIO:when=1
is "the first removal fails: it is tried again" "$status $(rules)$(groups)" "0 "
vm check
is "and nothing is left" "$status $out" "0 "
failing unlinkat:error=EIO
[ "$status" -ne 0 ]
ok "none works: the stop says that it was not clean" $?
has "$err" "the machine's end was not clean"
ok "in words" $?
vm check
[ "$status" -eq 1 ]
ok "check finds what is left" $?
vm check --repair
is "--repair removes it" "$status $(rules)$(groups)" "0 "
failing renameat:error=ENOSPC
vm check --repair
vm check
is "a state that could not be written is mended" "$status $out" "0 "
failing sendto:error=ENOBUFS
vm check --repair
is "and so are rules that could not be removed" "$status $(rules)$(groups)" "0 "
vm start left
is "it starts as ever" "$status" 0
vm delete left
is "nothing is left at the end" "$(leftovers)" ""
finish
