#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Many zones on one machine: 100 creates at once, each with its start; then 200
# that run and 1,000 that are defined, and what it costs to ask about them.
#
# environment: DAIS_BIN (release programs), DAIS_IMAGES, IMAGE (tiny), ROUNDS (20)
IMAGE=${IMAGE:-tiny} POOL_SIZE=${POOL_SIZE:-8G}
export IMAGE POOL_SIZE
. "$(dirname "$0")/../host/vmadm_lib.bash"
rounds=${ROUNDS:-20}
fail() { echo "many.sh: $*" >&2; exit 1; }
now() { printf -v "$1" %s "${EPOCHREALTIME/./}"; }
pick() { sort -n "$dir/$1" | awk -v p="$2" '{ v[NR] = $1 } END { printf "%.1f", v[int((NR - 1) * p / 100) + 1] / 1000 }'; }

measure() { # measure FILE COMMAND...
	local file=$1 a b
	shift
	now a
	"$@" >/dev/null 2>&1 || fail "failed: $*"
	now b
	echo $((b - a)) >>"$dir/time.$file"
}

zone() { # zone N AUTOBOOT
	payload '"alias": "z'"$1"'", "autoboot": '"$2"', "max_physical_memory": 64, "tags": { "n": '"$1"' },
		"nics": [{ "nic_tag": "stub0", "ips": ["10.97.'$(($1 / 200))'.'$(($1 % 200 + 1))'/16"] }]'
}

at_once() { # at_once FIRST LAST AUTOBOOT: a vmadm each; fails when one does
	local n pids=() bad=0
	for n in $(seq "$1" "$2"); do
		zone "$n" "$3" >"$dir/$n.json"
	done
	now began
	for n in $(seq "$1" "$2"); do
		"$bin/vmadm" --root "$root" create -f "$dir/$n.json" >/dev/null 2>"$dir/$n.err" &
		pids+=($!)
	done
	for n in "${pids[@]}"; do
		wait "$n" || bad=$((bad + 1))
	done
	now ended
	[ $bad = 0 ] || fail "$bad creates failed: $(cat "$dir"/*.err | grep -v '^Success\|^warning' | head -3)"
}

zone 0 true >"$dir/0.json" # the bridge comes up with it
measure first "$bin/vmadm" --root "$root" create -f "$dir/0.json"
at_once 1 100 true
[ "$("$bin/vmadm" --root "$root" lookup state=running | wc -l)" = 101 ] || fail "a zone is lost"
awk -v us=$((ended - began)) 'BEGIN { printf "100 creates at once, started: %.1f a second (goal: at least 10)\n", 100e6 / us }'

for n in $(seq 101 199); do
	zone "$n" true >"$dir/z.json"
	measure create "$bin/vmadm" --root "$root" create -f "$dir/z.json"
done
printf 'create until init runs, among %d zones that run: p50 %s ms, p99 %s ms (goal: 80 and 250)\n' 200 "$(pick time.create 50)" \
	"$(pick time.create 99)"
for first in $(seq 200 100 900); do
	at_once "$first" $((first + 99)) false
done
[ "$("$bin/vmadm" --root "$root" lookup | wc -l)" = 1000 ] || fail "a record is lost"

ask() { # ask HOW
	for _ in $(seq "$rounds"); do
		measure "list.$1" "$bin/vmadm" --root "$root" list
		measure "lookup.$1" "$bin/vmadm" --root "$root" lookup tags.n=777
		measure "get.$1" "$bin/vmadm" --root "$root" get z777
	done
	printf '%s: list of 1000 p50 %s ms, lookup by tag %s ms, get %s ms\n' "$1" "$(pick "time.list.$1" 50)" \
		"$(pick "time.lookup.$1" 50)" "$(pick "time.get.$1" 50)"
}
ask records
if [ -x "$bin/vminfod" ]; then
	"$bin/vminfod" --root "$root" &
	daemon=$!
	sleep 2
	ask vminfod
	awk '/^Private/ { p += $2 } END { printf "vminfod: %.1f MB private\n", p / 1024 }' "/proc/$daemon/smaps_rollup"
	kill $daemon
fi
for state in "$root"/run/dais/*/state.json; do
	pid=$(jq -r 'select(.state == "running") | .supervisor' "$state")
	[ -z "$pid" ] || awk '/^Private/ { p += $2 } END { print p }' "/proc/$pid/smaps_rollup"
done | sort -n | awk '{ n++; s += $1; m = $1 } END { printf "zoneadmd: %d of them, %d KiB private each, at most %d\n", n, s / n, m }'
now a
ls "$root/etc/zones" | sed -n 's/\.json$//p' | xargs -P 8 -n 1 "$bin/vmadm" --root "$root" delete 2>/dev/null
now b
awk -v us=$((b - a)) 'BEGIN { printf "1000 deleted, eight at a time: %.1f a second\n", 1000e6 / us }'
is_left=$(leftovers | head -3)
[ -z "$is_left" ] || fail "left: $is_left"
