#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Guest metadata: mdata/transcript.jsonl, whose first line is the VM and each other
# one a request and what the original's agent answered. Order matters: some change
# the metadata. And the vectors of vmadm-payloads/other, each for itself.
agree() { printf 'agree %s\n' "$1"; }
differ() { printf 'differ %s: %s\n' "$1" "$2"; }

transcript=$1/mdata/transcript.jsonl
vectors=$1/vmadm-payloads/other/mdata-protocol-vectors.json
[ -f "$transcript" ] || [ -f "$vectors" ] || exit 77

# compare NAME GOT WANT
compare() {
	if [ "$2" = "$3" ]; then
		agree "$1"
	else
		differ "$1" "answered ${2@Q}, the original ${3@Q}"
	fi
}

# Answers end with a zero byte. A final newline is kept by the letter behind it.
if [ -f "$transcript" ]; then
	head -n 1 "$transcript" | jq -c .vm >"$WORK/vm.json"
	tail -n +2 "$transcript" | jq -c 'select(.send)' >"$WORK/cases"
	jq -j .send "$WORK/cases" | "$BIN/mdata-agent" --try "$WORK/vm.json" >"$WORK/answers"
	line=1
	while IFS= read -r -u 3 case; do
		line=$((line + 1))
		IFS= read -r -d '' -u 4 got || got="(no answer at all)"
		want=$(jq -j .recv <<<"$case" && echo x)
		compare "transcript:$line" "${got}" "${want%x}"
	done 3<"$WORK/cases" 4<"$WORK/answers"
fi
if [ -f "$vectors" ]; then
	count=$(jq '.cases | length' "$vectors")
	for ((i = 0; i < count; i++)); do
		jq -c ".states[.cases[$i].state]" "$vectors" >"$WORK/vm.json"
		got=$(jq -j ".cases[$i].in" "$vectors" | "$BIN/mdata-agent" --try "$WORK/vm.json" |
			tr -d '\0' && echo x)
		want=$(jq -j ".cases[$i].out" "$vectors" && echo x)
		compare "vector:$(jq -r ".cases[$i].name" "$vectors")" "$got" "$want"
	done
fi
exit 0
