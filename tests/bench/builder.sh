#!/bin/bash
# SPDX-License-Identifier: MIT
#
# builder against tar on the same files, and what merging 27,000 entries costs.
# The files are copied from /usr/share; each figure is the best of several runs,
# the two programs taking turns.
#
# usage: builder.sh [BIN-FOLDER]     RUNS and FILES in the environment change how much
set -u
export LC_ALL=C
bin=${1:-${DAIS_BIN:-build/bin}}
runs=${RUNS:-7}
files=${FILES:-20000}
[ -x "$bin/builder" ] || { echo "builder.sh: '$bin/builder' is not built" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin=$(cd "$bin" && pwd)
cd "$work" || exit 1

# Microseconds that a command takes; the output of a run before is gone first.
took()
{
	local start=${EPOCHREALTIME/./}

	"$@" >/dev/null || { echo "builder.sh: '$*' failed" >&2; exit 1; }
	echo $((${EPOCHREALTIME/./} - start))
}

# best NAME MICROSECONDS: keeps the least of NAME.
declare -A least
best() { [ "${least[$1]:-999999999999}" -le "$2" ] || least[$1]=$2; }

mkdir proto
find /usr/share -xdev -type f ! -name '*[ =#]*' -readable -printf 'usr/share/%P\n' 2>/dev/null |
	grep -v '[ =#]' | head -n "$files" >names
tar -C / -cf - --verbatim-files-from -T names | tar -C proto -xf -
(cd proto && find . -mindepth 1 \( -type d -printf 'd %P 0755 root root\n' -o \
	-type f -printf 'f %P 0644 root root\n' \)) >proto.manifest
size=$(du -sm --apparent-size proto | cut -f1)

for ((i = 0; i < runs; i++)); do
	rm -f a.tar b.tar
	best builder "$(took "$bin/builder" archive -m proto.manifest -s proto -o a.tar)"
	rm -f a.tar b.tar
	best tar "$(took tar --sort=name --numeric-owner -C proto -cf b.tar .)"
done
awk -v ours="${least[builder]}" -v theirs="${least[tar]}" -v files="$(wc -l <names)" -v size="$size" '
BEGIN {
	printf "archive: %d files, %d MB: builder %.0f ms, tar %.0f ms; ", files, size, ours / 1000,
		theirs / 1000
	printf "rate %.0f %% of that of tar (80 %% wanted)\n", 100 * theirs / ours
}'

# 27,000 entries in eight manifests, half of them out of order.
awk 'BEGIN {
	for (i = 0; i < 27000; i++) {
		file = "m" i % 8 ".manifest"
		folder = "usr/lib/part" (i % 8 < 4 ? int(i / 40) : 700 - int(i / 40))
		if (!(file SUBSEP folder in seen))
			print "d " folder " 0755 root root" > file
		seen[file SUBSEP folder] = 1
		print "f " folder "/some-file-name-" i ".js 0444 root root" > file
	}
}'
for ((i = 0; i < runs; i++)); do
	best check "$(took "$bin/builder" check m?.manifest)"
	best sort "$(took sort -k2,2 m?.manifest)"
done
awk -v ours="${least[check]}" -v theirs="${least[sort]}" -v lines="$(cat m?.manifest | wc -l)" '
BEGIN {
	printf "merge: %d lines: builder check %.0f ms (50 ms wanted); ", lines, ours / 1000
	printf "%.2f times sort(1) of the same\n", ours / theirs
}'
