#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The frame of vmadm: help, wrong use, streams, statuses, JSON results and errors,
# what the environment asks for. No VM runs.
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ -x "$bin/vmadm" ] || { echo "1..0 # SKIP '$bin/vmadm' is not built"; exit 0; }
command -v jq >/dev/null || { echo "1..0 # SKIP 'jq' is not installed"; exit 0; }
dir=$(mktemp -d)
root=$dir/root
trap 'rm -rf "$dir"' EXIT
mkdir -p "$root/etc/zones"
count=0 bad=0

ok() {
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		bad=1
		echo "not ok $count - $1"
		sed 's/^/# out: /' "$dir/out"
		sed 's/^/# err: /' "$dir/err"
	fi
}
vm() {
	"$bin/vmadm" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
}
# t NAME STATUS OUT ERR: what vm() did; OUT and ERR are patterns of the whole.
t() {
	local out err
	out=$(cat "$dir/out") err=$(cat "$dir/err")
	# shellcheck disable=SC2053
	[[ $status -eq $2 && $out == $3 && $err == $4 ]]
	ok "$1" $?
}
none=00000000-0000-4000-8000-000000000000
a=aaaaaaaa-1111-4111-8111-000000000001
k=bbbbbbbb-2222-4222-8222-000000000002
echo '{ "v": 1, "uuid": "'$a'", "brand": "joyent", "alias": "pear", "max_physical_memory": 512,
	"autoboot": false, "nics": [] }' >"$root/etc/zones/$a.json"
echo '{ "v": 1, "uuid": "'$k'", "brand": "kvm", "ram": 1024, "nics": [] }' >"$root/etc/zones/$k.json"

vm
t "no arguments: the usage, wrong use" 2 '' 'usage: vmadm*'
for word in help -h '-?' --help; do
	vm "$word"
	t "$word is help" 0 'usage: vmadm*' ''
done
vm list '-?'
t "help of a command" 0 'usage: vmadm list*' ''
vm bogus
t "no command" 2 '' 'Invalid command: "bogus".
usage: vmadm*'
for word in 'delete destroy' 'get json' 'start boot' 'stop halt'; do
	vm help "${word% *}"
	grep -q "^also called: ${word#* }" "$dir/out"
	ok "$word" $?
done
for word in create list lookup get kill stop start console info sysrq delete; do
	vm "$word" -d -v --help
	t "$word takes -d and -v" 0 'usage: *' ''
done

vm list -Hpo uuid --root "$root" alias=pear -d
t "options after operands, letters joined" 0 "$a" ''
"$bin/vmadm" list --root "$root" -d -v >/dev/full 2>"$dir/err"
status=$?
: >"$dir/out"
t "a full disk is a failure" 1 '' '*cannot write output*'
"$bin/vmadm" help 2>"$dir/err" | :
status=${PIPESTATUS[0]}
t "a reader who left is none" 0 '' ''

if [ "$(id -u)" -eq 0 ]; then
	vm info -R "$root" "$a"
	t "info of a VM that is stopped" 1 '' "Unable to get VM info for VM $a: Unable to get info for vm from state \"stopped\", must be \"running\" or \"stopping\"."
	vm info -R "$root" $none
	t "info of no VM" 1 '' "Unable to get VM info for VM $none: zoneadm: $none: No such zone configured"
	vm sysrq -R "$root" "$a"
	t "sysrq without a word" 2 '' 'Wrong number of parameters to "sysrq"
usage: *'
	vm sysrq -R "$root" "$a" bogus
	t "sysrq with another" 2 '' 'Invalid sysrq type: bogus
usage: *'
	vm sysrq -R "$root" pear nmi
	t "sysrq of a zone" 1 '' 'The sysrq command is only supported for VMs  with brand "bhyve" or "kvm".'
	vm sysrq -R "$root" $k screenshot
	t "sysrq of a VM that is stopped" 1 '' 'Unable to send request to vm from state "stopped", must be "running" or "stopping".'
	vm console -R "$root" ${a^^}
	t "console of a VM that is stopped" 1 '' 'cannot connect to console when state is "stopped" must be "running".'
	vm stop -R "$root" $none
	t "a VM that is not there: stop" 1 '' "zoneadm: $none: No such zone configured"
	vm delete -F -R "$root" $none
	t "a VM that is not there: delete -F" 1 '' "Failed to delete VM $none: zoneadm: $none: No such zone configured"
	vm kill -R "$root" -BOGUS $a
	t "no signal" 1 '' 'Unknown signal "BOGUS"'
	vm kill -R "$root"
	t "kill without a VM" 2 '' 'Invalid or missing argument UUID
usage: *'
	vm kill -R "$root" nope
	t "kill of a word that names no VM" 2 '' 'Too many arguments.
usage: *'
	for signal in -HUP '-s HUP' '-s SIGHUP' -9 '-s 15'; do
		# shellcheck disable=SC2086
		vm kill $signal -R "$root" $a
		t "kill $signal of a VM that is stopped" 1 '' "Cannot find running init PID for VM $a"
	done

	vm --root "$root" kill -HUP $a
	t "kill after an option" 1 '' "Cannot find running init PID for VM $a"
	vm stop -R "$root" kill -F
	t "a VM may be called kill" 2 '' 'Invalid or missing UUID for stop
usage: *'

	vm stop --json -R "$root" pear
	[ "$status $(jq -c '[.result, .uuid, .changed, .warnings]' "$dir/out")" = "0 [\"ok\",\"$a\",false,[]]" ] &&
		[ "$(jq -r .message "$dir/out")" = "$(cat "$dir/err")" ]
	ok "--json: a result" $?
	echo '{ "brand": "lx", "quota": "much" }' >"$dir/payload"
	vm --json -R "$root" create -f "$dir/payload"
	[ "$status $(jq -c '[.result, .code]' "$dir/out")" = '1 ["error","EINVAL"]' ] &&
		[ "$(jq -r '.details[] | .kind + " " + .pointer' "$dir/out" | sort | tr '\n' ' ')" = 'missing /image_uuid value /quota ' ] &&
		[ "$(jq -r .message "$dir/out")" = "$(head -1 "$dir/err")" ]
	ok "--json: a payload that is wrong, each place and rule" $?
fi
echo '{ "brand": "joyent", "alias": 7, "nonsense": 1 }' >"$dir/payload"
vm validate create -R "$root" -f "$dir/payload"
[ "$status" -eq 1 ] && [ ! -s "$dir/out" ] && [ "$(jq -c . "$dir/err")" = \
	'{"bad_values":["alias"],"bad_properties":["nonsense"],"missing_properties":["image_uuid"]}' ]
ok "validate: one object on standard error" $?
vm validate create --json -R "$root" -f "$dir/payload"
[ "$(jq -r '.details[].pointer' "$dir/out" | sort | tr '\n' ' ')" = '/alias /image_uuid /nonsense ' ]
ok "validate --json: where and why" $?
vm validate bogus -R "$root" -f "$dir/payload"
[ "$status $(jq -c .bad_properties "$dir/err")" = '1 ["brand","alias","nonsense"]' ]
ok "validate of another action: nothing is allowed" $?
echo '{ "brand": "gorilla" }' >"$dir/payload"
vm validate create -R "$root" -f "$dir/payload"
[ "$status $(jq -c . "$dir/err")" = '1 {"bad_brand":"gorilla"}' ]
ok "validate: no brand" $?

for words in "get $none" "list bogus=1" "list -o bogus"; do
	# shellcheck disable=SC2086
	vm --json -R "$root" $words
	[ "$status $(jq -r '.result + " " + .message' "$dir/out")" = "1 error $(cat "$dir/err")" ]
	ok "--json: $words" $?
done
vm get --json -R "$root" $none
[ "$(jq -r .code "$dir/out")" = ENOENT ]
ok "--json: the code of what is not there" $?
for words in list lookup check properties; do
	vm --json -R "$root" $words
	[ "$(jq -r type "$dir/out")" = array ]
	ok "--json before $words is that of $words" $?
done
vm get --json -R "$root" nope
[ "$status $(jq -r .code "$dir/out")" = '2 EINVAL' ]
ok "--json: wrong use" $?

REQ_ID=r-17 VMADM_DEBUG_LEVEL=debug vm get -R "$root" $none
[ "$(tail -1 "$dir/err")" = "zoneadm: $none: No such zone configured" ] &&
	[ "$(head -1 "$dir/err" | jq -r '[.name, .req_id, .level, .v] | join(" ")')" = 'vmadm r-17 20 0' ]
ok "VMADM_DEBUG_LEVEL: JSON lines, the error last" $?
VMADM_DEBUG_LEVEL=error vm list -R "$root"
t "VMADM_DEBUG_LEVEL=error: no line without an error" 0 '*' ''
req_id=other VMADM_DEBUG_FILE=$dir/log vm get -R "$root" $none
[ "$(wc -l <"$dir/err")" -eq 1 ] && [ "$(head -1 "$dir/log" | jq -r .req_id)" = other ] &&
	grep -q 'No such zone' "$dir/log"
ok "VMADM_DEBUG_FILE has them instead" $?

for word in create validate; do
	operand=
	[ $word = validate ] && operand=create
	python3 - "$bin/vmadm" $word $operand --root "$root" >"$dir/out" 2>"$dir/err" <<'P'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
out = b""
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    out += data
print(out.decode().replace("\r", "").splitlines()[0])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
	status=$?
	[ "$(id -u)" -eq 0 ] || [ $word != create ] || continue
	t "$word does not wait for a person" 2 "Will not $word from stdin when stdin is a tty." ''
done

echo "1..$count"
exit $bad
