#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Random operations on real zones against a model, without kills and with them; see
# tests/model/vm_model.c. `make soak` runs it longer.
#
# environment: MODEL_OPS how many (default 120); MODEL_SEED (default 1)
IMAGE=tiny
. "$(dirname "$0")/vmadm_lib.bash"

top=$(cd "$(dirname "$0")/../.." && pwd)
seed=${MODEL_SEED:-1}
"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O1 -Wall -o "$dir/vm_model" "$top"/tests/model/*.c || exit 1
for crash in 0 25; do
	"$dir/vm_model" -v "$bin/vmadm" -r "$root" -i "$image" -s "$seed" -n "${MODEL_OPS:-120}" -c $crash >"$dir/model"
	status=$?
	grep '^#\|^Bail' "$dir/model" | sed 's/^Bail out!/# /'
	ok "${MODEL_OPS:-120} operations, $crash of 100 cut short (seed $seed)" $status
	[ $status -eq 0 ] || break
done
is "nothing is left" "$(leftovers)" ""
finish
