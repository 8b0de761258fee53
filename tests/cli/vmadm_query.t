#!/bin/bash
# SPDX-License-Identifier: MIT
#
# list, lookup and get over records in a folder: columns, filters, order, texts,
# statuses. No VM runs, nothing is changed.
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ -x "$bin/vmadm" ] || { echo "1..0 # SKIP '$bin/vmadm' is not built"; exit 0; }

dir=$(mktemp -d)
root=$dir/root
trap 'rm -rf "$dir"' EXIT
mkdir -p "$root/etc/zones"
count=0 bad=0

# t STATUS STDOUT STDERR ARGS...: runs it, compares all three.
t() {
	local want=$1 out=$2 err=$3 got
	shift 3
	"$bin/vmadm" --root "$root" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	count=$((count + 1))
	if [ "$got" -eq "$want" ] && [ "$(cat "$dir/out")" = "$out" ] && [ "$(cat "$dir/err")" = "$err" ]; then
		echo "ok $count - vmadm $*"
	else
		bad=1
		echo "not ok $count - vmadm $*"
		echo "# status $got, want $want"
		diff <(echo "$out") "$dir/out" | sed 's/^/# out: /'
		diff <(echo "$err") "$dir/err" | sed 's/^/# err: /'
	fi
}

# The first line of standard error, and the status, where a usage follows.
usage() {
	local want=$1
	shift
	"$bin/vmadm" --root "$root" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	count=$((count + 1))
	if [ "$got $(head -1 "$dir/err")" = "2 $want" ] && [ ! -s "$dir/out" ] &&
		grep -q '^usage: vmadm' "$dir/err"; then
		echo "ok $count - vmadm $*: $want"
	else
		bad=1
		echo "not ok $count - vmadm $*"
		sed 's/^/# /' "$dir/err"
	fi
}

empty='UUID                                  TYPE  RAM      STATE             ALIAS'
t 0 "$empty" '' list
t 0 '' '' list -p
t 0 '' '' lookup
t 0 '[]' '' lookup -j
rm -rf "$root/etc"
t 0 "$empty" '' list
mkdir -p "$root/etc/zones"

a=aaaaaaaa-1111-4111-8111-000000000001
b=bbbbbbbb-2222-4222-8222-000000000002
c=cccccccc-3333-4333-8333-000000000003
echo '{ "v": 1, "uuid": "'$a'", "brand": "joyent", "alias": "pear", "max_physical_memory": 512,
	"autoboot": true, "quota": 0, "tags": { "role": "web", "n": 5 }, "image_uuid": "'$c'",
	"nics": [{ "mac": "02:08:20:00:00:01", "ip": "10.0.0.1", "nic_tag": "admin", "vlan_id": 4 }],
	"idmap_base": 1073741824, "customer_metadata": { "role": "db" } }' >"$root/etc/zones/$a.json"
echo '{ "v": 1, "uuid": "'$b'", "brand": "lx", "alias": "with:colon", "max_physical_memory": 128,
	"autoboot": false, "nics": [{ "ip": "dhcp" }], "failed": "start" }' >"$root/etc/zones/$b.json"
echo '{ "v": 1, "uuid": "'$c'", "brand": "kvm", "ram": 1024, "vcpus": 2, "max_physical_memory": 2048 }' \
	>"$root/etc/zones/$c.json"
echo 'left by an editor' >"$root/etc/zones/notes"

t 0 "$empty
$b  LX    128      failed            with:colon
$a  OS    512      stopped           pear
$c  KVM   1024     stopped           -" '' list
t 0 "$a:OS:512:stopped:pear" '' list -p alias=pear
t 0 'UUID:ALIAS
'"$a:pear" '' list -p -h -o uuid,alias alias=pear
t 0 "$c  KVM   1024     stopped           -
$a  OS    512      stopped           pear
$b  LX    128      failed            with:colon" '' list -H -s -ram
t 0 ":1024
pear:512
with:colon:128" '' list -Hpo alias,ram -s -ram
t 0 "true:0:10.0.0.1:web:5:
:::::" '' list -Hpo autoboot,quota,nics.0.ip,tags.role,tags.n,nics.1.ip 'brand=~^(joyent|k)' -s alias
t 0 "AUTOBOOT  NICS.0.IP             TAGS.ROLE             MAX_LWP
true      10.0.0.1              web                   -" '' list -o autoboot,nics.0.ip,tags.role,max_lwps alias=pear
t 0 "$a" '' list -Ho uuid uuid=$a
t 0 "$a" '' list -Ho uuid aaaaaaaa-1111
t 0 "$a" '' list -Ho uuid AAAAAAAA-1111
t 0 "$a" '' lookup "uuid=${a^^}"
t 0 "$empty" '' list uuid
# A terminal takes orders from what is printed, and a line must stay one.
d=dddddddd-4444-4444-8444-000000000004
printf '%s' '{ "v": 1, "uuid": "'$d'", "brand": "lx", "alias": "a\n\u001b[31mb" }' >"$root/etc/zones/$d.json"
t 0 'a??[31mb' '' list -Hpo alias uuid=$d
rm "$root/etc/zones/$d.json"
t 0 "$b" '' list -Ho uuid state=failed zone_state=installed
t 0 "$a" '' list -Ho uuid nics.\*.mac=2:8:20:0:0:1
t 0 "$a" '' list -Ho uuid tags.n=5 customer_metadata.role=db
t 0 '[
  {
    "uuid": "'$a'",
    "ram": 512,
    "alias": "pear",
    "tags.n": 5,
    "cpu_cap": null
  }
]' '' list -j -o uuid,ram,alias,tags.n,cpu_cap alias=pear
t 1 '' 'invalid order field: bogus' list -o bogus
t 1 '' 'invalid sort field: -bogus' list -s -bogus
t 1 '' 'Invalid order key: "nics.*.ip"' list -o 'nics.*.ip'
t 1 '' 'Invalid filter key: "nics.*.ips"' list 'nics.*.ips=1'
t 1 '' 'Invalid filter key: "nope"' list nope
t 1 '' "regular expression '(a', at character 3: missing closing parenthesis" list 'alias=~(a'

t 0 "$a
$b
$c" '' lookup
t 0 "$b" '' lookup alias=with:colon
t 0 '' '' lookup alias=nope
t 1 '' 'Invalid lookup key: "bogus"' lookup bogus=1
t 1 '' 'Requested unique lookup but found 2 results.' lookup -1 'alias=~[a-z]'
t 1 '' 'Requested unique lookup but found 0 results.' lookup -1 alias=nope
t 0 "$a" '' lookup -1 alias=pear
t 1 '' 'Cannot specify -o without -j' lookup -o uuid
t 0 '[
  {
    "uuid": "'$a'",
    "alias": "pear"
  }
]' '' lookup -j -o uuid,alias,nosuch ram=512
t 0 '[]' '' lookup -j -o nosuch ram=512
t 0 '[
  {
    "type": "KVM"
  }
]' '' lookup -jo type brand=kvm

t 1 '' 'zoneadm: dddddddd-1111-4111-8111-000000000001: No such zone configured' \
	get dddddddd-1111-4111-8111-000000000001
t 1 '' 'zoneadm: dddddddd-1111-4111-8111-000000000001: No such zone configured' \
	get DDDDDDDD-1111-4111-8111-000000000001
usage 'Invalid or missing UUID for get' get
usage 'Invalid or missing UUID for json' json nope
usage 'Invalid or missing UUID for stop' stop
usage 'Invalid or missing UUID for destroy' destroy nope
usage 'Bad arguments: unable to split 1' list 1
usage 'Bad arguments: unable to split 0' lookup 0
usage 'Too many arguments.' kill $a extra
# Others are told that before their words are looked at.
if [ "$(id -u)" -eq 0 ]; then
	usage "Invalid argument to start: bogus" start $a bogus=1
	usage 'Parameter to cdrom must be: path,model' start $a cdrom=/x.iso
	usage "You can only specify 'order' once when starting a VM" start $a order=c order=d
	usage "'x' is not a number of seconds up to 86400" stop $a -t x
else
	t 2 '' 'FATAL: cannot run because: only root may change VMs' start $a bogus=1
fi
usage 'Will not validate without a valid action.' validate

count=$((count + 1))
"$bin/vmadm" --root "$root" get pear >"$dir/out"
if grep -q '"state": "stopped"' "$dir/out" && grep -q '"zonepath": "'"$root/zones/$a"'"' "$dir/out" &&
	! grep -q idmap_base "$dir/out" && [ "$(head -1 "$dir/out")" = "{" ]; then
	echo "ok $count - get by alias prints the whole VM"
else
	bad=1
	echo "not ok $count - get by alias prints the whole VM"
fi

echo "1..$count"
exit $bad
