#!/bin/bash
# SPDX-License-Identifier: MIT
#
# json beside jq where both do the same: an array of 100 MB printed, one member of each
# item, and a check alone. Prints seconds of processor time, and how many times jq's
# speed is ours.
#
# environment: DAIS_BIN (release programs), MIB (100), ROUNDS (3)
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
mib=${MIB:-100}
rounds=${ROUNDS:-3}
[ -x "$bin/json" ] && command -v jq >/dev/null || { echo "skipped: needs '$bin/json' and jq"; exit 0; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

awk -v max=$((mib * 1048576)) 'BEGIN {
	printf "["
	for (i = 0; size < max; i++) {
		line = sprintf("%s{\"id\": %d, \"name\": \"user %d\", \"active\": %s, \"score\": %.3f, " \
			"\"tags\": [\"a\", \"b\\n\", \"c%d\"], \"address\": {\"street\": \"Main street %d\", " \
			"\"geo\": [%d.5, -%d.25]}, \"text\": \"the quick brown fox jumps over the lazy dog\"}",
			i ? "," : "", i, i, i % 2 ? "true" : "false", i * 0.617 + 0.001, i % 7, i, i, i)
		printf "%s", line
		size += length(line)
	}
	print "]"
}' >"$dir/data"

# seconds COMMAND...: the least processor time of some runs.
seconds() {
	local TIMEFORMAT='%U %S' n
	for ((n = 0; n < rounds; n++)); do
		{ time "$@" <"$dir/data" >"$dir/out" 2>/dev/null; } 2>&1
	done | awk '{ s = $1 + $2; if (NR == 1 || s < least) least = s } END { print least }'
}

beside() { # beside NAME OURS... -- THEIRS...
	local name=$1 ours=() mine theirs
	shift
	while [ "$1" != -- ]; do
		ours+=("$1")
		shift
	done
	shift
	mine=$(seconds "${ours[@]}")
	mv "$dir/out" "$dir/ours"
	theirs=$(seconds "$@")
	cmp -s "$dir/ours" "$dir/out" || { echo "json.sh: $name: the outputs differ" >&2; exit 1; }
	awk -v n="$name" -v a="$mine" -v b="$theirs" 'BEGIN {
		printf "%-20s json %.2f s, jq %.2f s: %.1f times as fast\n", n, a, b, b / a }'
}

beside 'pretty-print' "$bin/json" -- jq .
beside 'a member of each' "$bin/json" -a name -- jq -r '.[].name'
beside 'check' "$bin/json" --validate -- jq empty
