#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A zone has nothing from who starts it: two starts, one from a shell in which all is
# set otherwise, and what the zone's init has is the same.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
zone_namespaces "$0" "$@"
for tool in prlimit choom setarch taskset ionice; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
set -u
zone_host

traits() { # traits PID: what a process has from its parent, one a line
	local bits
	sed 1d "/proc/$1/limits"
	echo "oom $(cat "/proc/$1/oom_score_adj") filter $(cat "/proc/$1/coredump_filter")"
	echo "nice $(awk '{ print $19, $40, $41 }' "/proc/$1/stat")"
	echo "cpus $(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$1/status")"
	echo "io $(ionice -p "$1")"
	echo "personality $(cat "/proc/$1/personality")"
	echo "umask $(awk '/^Umask/ { print $2 }' "/proc/$1/status")"
	echo "folder $(readlink "/proc/$1/cwd")"
	tr '\0' '\n' <"/proc/$1/environ" | sort | sed 's/^/env /'
	for mask in SigBlk SigIgn; do
		bits=$((16#$(awk -v m="$mask:" '$1 == m { print $2 }' "/proc/$1/status")))
		echo "$mask $((bits & 0x7fffffff))"
	done
	ls "/proc/$1/fd" | sed 's/^/fd /'
	grep -E '^(NoNewPrivs|CapInh|CapAmb|Speculation_Store_Bypass|THP_enabled)' "/proc/$1/status"
}

zone_create one
ok "a zone is started plainly" $?
traits "$(init_of "$uuid")" >"$dir/plain"
traits "$(monitor_of "$uuid")" | grep -v '^fd\|^env\|^Cap' >"$dir/plain.monitor"
vmadm --root "$host" stop -F "$uuid" >"$dir/said" 2>&1 || sed 's/^/# /' "$dir/said"

(
	cd "$dir" || exit
	exec 7<"$dir/plain" 8>"$dir/leak"
	umask 0077
	trap '' HUP INT USR1 TERM CHLD
	export SECRET=word LD_BIND_NOW=1 IFS=x PATH
	prlimit --nofile=200: --core=7: --fsize=100000000: --cpu=1000: --stack=4000000: -p $BASHPID 2>/dev/null
	choom -p $BASHPID -n 400 >/dev/null
	renice -n 7 -p $BASHPID >/dev/null
	echo 0x7f >/proc/$BASHPID/coredump_filter
	exec taskset 1 ionice -c 3 setarch "$(uname -m)" -R vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
)
ok "and once more from a strange place" $?
traits "$(init_of "$uuid")" >"$dir/strange"
traits "$(monitor_of "$uuid")" | grep -v '^fd\|^env\|^Cap' >"$dir/strange.monitor"
is "its init has the same" "$(diff "$dir/plain" "$dir/strange")" ""
is "and so has its monitor" "$(diff "$dir/plain.monitor" "$dir/strange.monitor")" ""
is "it has 1024 files open at once, and more when it asks" \
	"$(awk '/^Max open files/ { print $4 }' "$dir/strange")" 1024
has "its umask is the usual" "$(<"$dir/strange")" "umask 0022"
has "it ignores nothing" "$(<"$dir/strange")" "SigIgn 0"
vmadm --root "$host" delete "$uuid" >"$dir/said" 2>&1 || sed 's/^/# /' "$dir/said"
is "deleted: nothing is left" "$(nothing_left "$uuid")" ""
finish
