#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Guest metadata in a zone that runs: the tools' answers, what is stored, who answers
# and with which rights, and what a hostile guest can do about it.
IMAGE=base
. "$(dirname "$0")/vmadm_lib.bash"

top=$(cd "$(dirname "$0")/../.." && pwd)
command -v cc >/dev/null || skip "'cc' is not installed"
[ -x "$bin/mdata-agent" ] || skip "'$bin/mdata-agent' is not built"
make -s -C "$top/projects/mdata-client" BUILD="$dir/client" CC=cc ||
	skip "the metadata tools cannot be built"
for tool in put delete list; do
	ln -s mdata-get "$dir/client/mdata-$tool"
done

payload '"alias": "md", "hostname": "md", "autoboot": true, "nowait": true,
	"max_physical_memory": 256, "quota": 5, "tags": { "role": "web" },
	"nics": [ { "nic_tag": "admin", "ips": [ "10.99.0.5/24" ], "primary": true } ],
	"customer_metadata": { "hello": "world", "dots": ".\n.x", "user-data": "some data",
		"user-script": "#!/bin/sh\necho run by $(id -un)\necho x >>/root/boots\n",
		"root_authorized_keys": "ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n" },
	"internal_metadata": { "root_pw": "p", "hidden": "h", "ns:k": "v" },
	"internal_metadata_namespaces": [ "ns" ]' >"$dir/payload"
vm create -f "$dir/payload"
ok "a zone starts" "$status"
[ "$status" -eq 0 ] || { sed 's/^/# /' "$dir/err"; finish; }
uuid=$("$bin/vmadm" --root "$root" lookup -1 alias=md)
own=$uuid
record=$root/etc/zones/$uuid.json
run=$root/run/dais/$uuid
socket=$run/metadata/metadata.sock
log=$zones/$uuid/logs/zoneadmd.log

# md get KEY...: a tool, on the zone's socket.
md() {
	local tool=$1
	shift
	"$dir/client/mdata-$tool" -t 15 -s "$socket" "$@"
}
supervisor() { jq .supervisor "$run/state.json"; }
agent() {
	local task
	for task in /proc/[0-9]*; do
		[ "$(tr '\0' ' ' 2>/dev/null <"$task/cmdline" | cut -d ' ' -f 1-2)" = \
			"mdata-agent $uuid" ] && echo "${task#/proc/}"
	done
}
# raw: standard input to the socket, what comes back to standard output.
cat >"$dir/raw.c" <<'C'
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
/* raw PATH [COUNT]: COUNT connections, of which the last one talks. */
int main(int argc, char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	static char data[65536];
	int fd = -1, count = argc > 2 ? atoi(argv[2]) : 1;
	ssize_t n;

	strncpy(a.sun_path, argv[1], sizeof(a.sun_path) - 1);
	while (count--) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(fd, (void *)&a, sizeof(a)) < 0)
			return 1;
	}
	while ((n = read(0, data, sizeof(data))) > 0)
		for (ssize_t at = 0, w; at < n; at += w)
			if ((w = send(fd, data + at, n - at, MSG_NOSIGNAL)) < 0)
				return 2;
	shutdown(fd, SHUT_WR);
	while ((n = read(fd, data, sizeof(data))) > 0)
		fwrite(data, 1, n, stdout);
	return 0;
}
C
cc -w -O1 -include stdlib.h -o "$dir/raw" "$dir/raw.c" || skip "no compiler"
raw() { timeout 20 "$dir/raw" "$socket" "$@"; }

# ---- reading ---------------------------------------------------------------------

is "get" "$(md get hello)" world
is "a value with dots" "$(md get dots)" ".
.x"
is "a password" "$(md get root_pw)" p
is "a namespace of the host" "$(md get ns:k)" v
is "the UUID" "$(md get sdc:uuid)" "$uuid"
is "a tag" "$(md get sdc:tags.role)" web
is "a NIC's address" "$(md get sdc:nics.0.ip)" 10.99.0.5
is "all NICs" "$(md get sdc:nics | jq -r '.[0].ips[0]')" 10.99.0.5/24
is "the list" "$(md list | sort | tr '\n' ' ')" \
	"dots hello ns:k root_authorized_keys root_pw user-data user-script "
md get hidden >"$dir/out" 2>"$dir/err"
is "what is hidden is not found" "$? $(cat "$dir/out" "$dir/err")" "1 No metadata for 'hidden'"
md get sdc:internal_metadata.hidden >/dev/null 2>&1
is "by no other way either" $? 1
md get >/dev/null 2>&1
is "a get without a key is wrong use" $? 3
is "the first version is spoken too" "$(printf 'GET hello\n' | raw)" "SUCCESS
world
."

# ---- from inside -----------------------------------------------------------------

is "the socket is where guests look" \
	"$(in_zone "$uuid" stat -c '%A %u' /native/.zonecontrol/metadata.sock)" "srw------- 0"
in_zone "$uuid" touch /native/.zonecontrol/x 2>/dev/null
[ $? -ne 0 ] && [ ! -e "$run/metadata/x" ]
ok "root inside can put nothing beside it" $?
in_zone "$uuid" mount -o remount,bind,rw /native/.zonecontrol 2>/dev/null
in_zone "$uuid" touch /native/.zonecontrol/x 2>/dev/null
[ $? -ne 0 ] && [ ! -e "$run/metadata/x" ]
ok "nor after mounting it for writing" $?
cp "$dir/client/mdata-get" "$zones/$uuid/root/root/mdata-get"
is "a tool finds its way from inside" "$(in_zone "$uuid" /root/mdata-get sdc:alias)" md
in_zone "$uuid" setpriv --reuid 1000 --clear-groups /root/mdata-get -t 1 sdc:alias >/dev/null 2>&1
[ $? -ne 0 ]
ok "other users inside get no answer" $?

# What the base image makes of it.
if [ -x "$zones/$uuid/root/usr/lib/dais/metadata" ]; then
	inside=$zones/$uuid/root
	over() { [ "$(in_zone "$uuid" systemctl is-active dais-metadata.service)" = active ]; }
	eventually over
	is "the image took it over" "$(in_zone "$uuid" systemctl is-active dais-metadata.service)" \
		active
	is "root's keys" "$(cut -d ' ' -f 3 "$inside/root/.ssh/authorized_keys" | paste -sd ' ')" \
		"one two"
	is "which are root's alone" "$(stat -c '%a %u' "$inside/root/.ssh/authorized_keys")" "600 0"
	is "user-data" "$(cat "$inside/var/db/mdata-user-data")" "some data"
	is "the user-script ran" "$(cat "$inside/var/log/mdata-user-script.log")" "run by root"
	is "and it has the tools" "$(in_zone "$uuid" mdata-get hello)" world
	echo "ssh-ed25519 CCCC three" >>"$inside/root/.ssh/authorized_keys"
fi

# ---- writing ---------------------------------------------------------------------

md put new "two words"
is "put" "$? $(jq -r .customer_metadata.new "$record")" "0 two words"
is "it is read at once" "$(md get new)" "two words"
head -c 100000 /dev/zero | tr '\0' x | md put large
is "a large value from standard input" "$? $(jq -r '.customer_metadata.large | length' "$record")" \
	"0 100000"
is "comes back" "$(md get large | wc -c)" 100001
md put a_pw secret
is "a password is stored with the host's own" "$(jq -r .internal_metadata.a_pw "$record")" secret
md delete new
is "delete" "$? $(jq .customer_metadata.new "$record")" "0 null"
md delete new
ok "delete again" $?
for key in sdc:alias ns:k; do
	md put $key v 2>"$dir/err"
	is "$key is not the guest's" "$? $(cat "$dir/err")" \
		"2 mdata-put: Cannot update the \"${key%%:*}\" Namespace."
done
md put empty "" 2>/dev/null
is "an empty value is refused" $? 2
head -c 140000 /dev/zero | tr '\0' x | md put larger 2>/dev/null
is "one that is too large too" $? 2

echo '{ "set_customer_metadata": { "hello": "there" } }' | vm update "$uuid"
is "a vmadm update is seen by the next get" "$status $(md get hello)" "0 there"

# Another command is at work on the VM, for longer than a guest is kept waiting.
cat >"$dir/hold.c" <<'C'
#include <fcntl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct flock lock = { .l_type = F_WRLCK };
	fcntl(open(argv[1], O_RDWR | O_CREAT, 0600), F_OFD_SETLKW, &lock);
	write(1, "\n", 1);
	pause();
}
C
cc -w -D_GNU_SOURCE -o "$dir/hold" "$dir/hold.c"
mkfifo "$dir/held"
"$dir/hold" "$root/run/dais/lock/$uuid" >"$dir/held" &
holder=$!
read -r <"$dir/held"
md put busy v 2>"$dir/err"
is "a put while the VM is being changed" "$? $(cat "$dir/err")" \
	"2 mdata-put: The VM is being changed, try again"
md put busy v 2>/dev/null &
putter=$!
is "and the supervisor answers meanwhile" \
	"$(echo '{"request":"status"}' | timeout 20 "$dir/raw" "$run/zoneadmd.sock" | jq -r .state)" \
	running
kill $holder
wait $putter
is "which stores once it may" "$? $(jq -r .customer_metadata.busy "$record")" "0 v"

# ---- who answers -----------------------------------------------------------------

pid=$(agent)
is "there is one agent" "$(wc -w <<<"$pid")" 1
status_of() { awk -v what="$1:" '$1 == what { print $2 }' "/proc/$pid/status"; }
[ "$(status_of Uid)" -ge 4100000000 ]
ok "its user is nobody's" $?
is "it has no capability" "$(awk '/^Cap/ { print $2 }' "/proc/$pid/status" | sort -u)" \
	0000000000000000
is "it cannot gain any" "$(status_of NoNewPrivs)" 1
is "its system calls are filtered" "$(status_of Seccomp)" 2
is "its root is empty" "$(ls -A "/proc/$pid/root/")" ""
is "it has two sockets and nothing else" \
	"$(for fd in /proc/"$pid"/fd/*; do readlink "$fd"; done | sed 's/:.*//' | sort | uniq -c |
		awk '{ print $1, $2 }' | paste -sd,)" "3 /dev/null,2 socket"
is "it is in its supervisor's group" "$(grep -c "$uuid.zoneadmd" "/proc/$pid/cgroup" || :)" \
	"$(grep -c "$uuid.zoneadmd" "/proc/$(supervisor)/cgroup" || :)"
before=$(awk '/ctxt/ { n += $2 } END { print n }' "/proc/$pid/status")
sleep 1
is "it sleeps" "$(awk '/ctxt/ { n += $2 } END { print n }' "/proc/$pid/status")" "$before"

# ---- a hostile guest -------------------------------------------------------------

is "garbage gets refusals" "$(printf 'x\n\0\n\377\376 \nV2 \nV2 1 2 3\n' | raw | sort -u)" FAILURE
is "half a line gets nothing" "$(printf 'GET hel' | raw)" ""
head -c 400000 /dev/zero | tr '\0' a | raw >/dev/null
is "a line without an end is cut off, others are answered" "$(md get hello)" there
is "many connections do not keep others out" "$(printf 'GET hello\n' | raw 60 | sed -n 2p)" there
yes "GET hello" | head -n 900 | raw | grep -c there >"$dir/flood" &
flood=$!
is "others are answered during a flood" "$(md get hello)" there
wait $flood
is "and all of the flood in the end" "$(cat "$dir/flood")" 900
is "the agent is the same" "$(agent)" "$pid"

# ---- deaths ----------------------------------------------------------------------

kill -9 "$pid"
another() { [ -n "$(agent)" ] && [ "$(agent)" != "$pid" ]; }
eventually another
ok "a dead agent is followed by another" $?
is "which answers" "$(md get hello)" there
kill -9 "$(supervisor)"
gone() { [ -z "$(agent)" ]; }
eventually gone
ok "with its supervisor an agent ends" $?
"$bin/zoneadmd" --root "$root" --attach "$uuid" >/dev/null 2>&1 &
eventually test -S "$socket"
is "the next supervisor has one" "$(md get hello)" there
is "and inside the socket is the new one" "$(in_zone "$uuid" /root/mdata-get hello)" there
md put after death
is "it stores" "$(jq -r .customer_metadata.after "$record")" death
grep -c "the metadata agent has ended" "$log" | grep -qx 1
ok "the log tells of the death, once" $?

# ---- a guest that starts again, and an image that has a link there -----------------

jq '.hostname = "renamed" | .customer_metadata.root_authorized_keys =
	"ssh-ed25519 BBBB two\nssh-ed25519 DDDD new"' "$record" >"$record.new"
mv "$record.new" "$record"
vm reboot "$uuid"
ok "the zone reboots" "$status"
if [ -n "${inside:-}" ]; then
	over_again() { [ "$(wc -l <"$inside/root/boots")" -eq 2 ] && over; }
	eventually over_again
	is "the user-script ran again" "$(wc -l <"$inside/root/boots")" 2
	is "keys that are gone are gone, others stay" \
		"$(cut -d ' ' -f 3 "$inside/root/.ssh/authorized_keys" | sort | paste -sd ' ')" \
		"new three two"
	is "it has the new name" "$(in_zone "$uuid" uname -n) $(cat "$inside/etc/hostname") $(
		awk '$1 == "10.99.0.5" { print $NF }' "$inside/etc/hosts")" "renamed renamed renamed"
fi
is "it has its metadata" "$(in_zone "$uuid" /root/mdata-get hello)" there
vm stop -F "$uuid"
ok "the zone stops" "$status"
gone
ok "its agent is gone" $?
is "nothing of it is left" "$(find "$run" -mindepth 1 ! -name state.json)" ""
rm -rf "${zones:?}/$uuid/root/native"
mkdir "$dir/elsewhere"
ln -s "$dir/elsewhere" "$zones/$uuid/root/native"
vm start "$uuid"
is "with a link in the way it starts, and says so" \
	"$status $(grep -c "metadata: '/native' of the image cannot be used" "$dir/err")" "0 1"
is "and nothing was made behind the link" "$(ls -A "$dir/elsewhere")" ""
vm delete "$uuid"
is "nothing is left of the zone" "$(leftovers)" ""
finish
