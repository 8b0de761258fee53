#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Random operations on real zones against a model, without kills and with them, sending to
# another host among them, and two models at once beside a vminfod that is killed; see
# tests/model/vm_model.c. `make soak` runs it longer.
#
# environment: MODEL_OPS how many (default 120); MODEL_SEED (default 1);
#              MODEL_CRASH, how many of 100 are cut short in each run (default "0 25")
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"

top=$(cd "$(dirname "$0")/../.." && pwd)
seed=${MODEL_SEED:-1}
"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -Wall -o "$dir/vm_model" "$top"/tests/model/*.c || exit 1
make -s -C "$top/projects/mdata-client" BUILD="$dir/client" CC="${CC:-cc}" ||
	skip "the metadata tools cannot be built"
for tool in put delete; do
	ln -s mdata-get "$dir/client/mdata-$tool"
done
# The other host, to which they are sent: another pool, where nothing runs.
far=$dir/far
mkdir -p "$far/etc/dais"
cp "$root/etc/dais/nictags.json" "$far/etc/dais/"
trap 'umount "$far/zones" 2>/dev/null || umount -l "$far/zones" 2>/dev/null; cleanup' EXIT
"$bin/mkpool" -q --file "$dir/far.img" --size 1G --root "$far" || skip "no second pool"
for crash in ${MODEL_CRASH:-0 25}; do
	"$dir/vm_model" -v "$bin/vmadm" -r "$root" -i "$image" -s "$seed" -n "${MODEL_OPS:-120}" -c $crash \
		-f "$far" -t "$dir/client" -d "$bin/vminfod" >"$dir/model"
	status=$?
	grep '^#\|^Bail' "$dir/model" | sed 's/^Bail out!/# /'
	ok "${MODEL_OPS:-120} operations, $crash of 100 cut short (seed $seed)" $status
	[ $status -eq 0 ] || break
	rm -f "$root/run/dais/vminfod.sock"
done
is "nothing is left on the other host" "$(zones=$far/zones root=$far leftovers)" ""
# Two at once, on VMs of their own, beside a vminfod that is killed again and again: what a
# list shows is what the files hold, whoever answers.
while [ -d "$dir" ]; do
	"$bin/vminfod" --root "$root" 2>/dev/null &
	daemon=$!
	trap 'kill -9 $daemon 2>/dev/null; exit' TERM
	sleep "$((RANDOM % 3)).$((RANDOM % 9))"
	kill -9 $daemon
	wait $daemon
done 2>/dev/null &
killer=$!
runners=()
for runner in 1 2; do
	"$dir/vm_model" -v "$bin/vmadm" -r "$root" -i "$image" -s $((seed + runner)) \
		-n $((${MODEL_OPS:-120} / 3)) -c 25 -p $runner >"$dir/model.$runner" &
	runners+=($!)
done
for runner in 1 2; do
	wait "${runners[runner - 1]}"
	status=$?
	grep '^#\|^Bail' "$dir/model.$runner" | sed 's/^Bail out!/# /'
	ok "runner $runner of two, beside a vminfod that is killed (seed $((seed + runner)))" $status
done
kill $killer
wait $killer 2>/dev/null
rm -f "$root/run/dais/vminfod.sock" # a kill leaves it, and the next start takes it
vm check
is "check finds nothing after both" "$status $out" "0 "
is "nothing is left" "$(leftovers)" ""
finish
