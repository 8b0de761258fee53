#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Guests that do not want to end: an init that ignores everybody, processes that fork away
# from their killer, and floods of the console and of the metadata socket meanwhile. Each
# is stopped in the time that it was given, and nothing of it is left.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
command -v socat >/dev/null || skip "'socat' is not installed"
zone_namespaces "$0" "$@"
set -u
zone_host

vm() { vmadm --root "$host" "$@" >"$dir/said" 2>&1; }

# As many as there are stay as many: each makes its successor and goes. So this bomb does
# not grow, and the last limit is the system's on processes of one user.
cat >"$dir/pest.c" <<'C'
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static void flee(void)
{
	for (;;) {
		pid_t pid = fork();
		if (pid > 0)
			_exit(0);
		if (pid < 0)
			usleep(1000);
	}
}
static void chatter(void)
{
	static char block[4096];
	memset(block, 'x', sizeof(block));
	for (size_t i = 80; i < sizeof(block); i += 80)
		block[i] = '\n';
	for (;;)
		if (write(1, block, sizeof(block)) < 0)
			usleep(1000);
}
static void pester(void)
{
	static char junk[65536];
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fds[200], n = 0;
	memset(junk, 'G', sizeof(junk));
	snprintf(a.sun_path, sizeof(a.sun_path), "/native/.zonecontrol/metadata.sock");
	for (;;) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
			usleep(1000);
			if (fd >= 0) close(fd);
			continue;
		}
		send(fd, n % 2 ? "GET sdc:uuid\nKEYS\n" : junk, n % 2 ? 18 : sizeof(junk), MSG_NOSIGNAL);
		if (n >= 200) close(fds[n % 200]);
		fds[n++ % 200] = fd;
	}
}
int main(void)
{
	struct rlimit few = { 100, 100 };
	char mode[16] = "";
	int fd = open("/etc/pest", O_RDONLY);

	for (int s = 1; s < 65; s++)
		signal(s, SIG_IGN);
	if (fd < 0 || read(fd, mode, sizeof(mode) - 1) < 0)
		return 1;
	printf("pest: %s\n", mode);
	fflush(stdout);
	setrlimit(RLIMIT_NPROC, &few);
	nice(19);
	for (int i = 0; i < 8; i++)
		if (mode[0] == 'f' && fork() == 0)
			flee();
	if (mode[0] == 'c')
		chatter();
	if (mode[0] == 'm')
		pester();
	for (;;)
		pause();
}
C
cc -static -O1 -o "$dir/pest" "$dir/pest.c" 2>/dev/null || skip "no static C library"

zone_create pest '{ "zlog_max_size": 65536, "autoboot": false }'
ok "a zone is created" $?
cp "$dir/pest" "$host/zones/$uuid/root/sbin/init"
log=$host/zones/$uuid/logs/console.log
begin() { # begin MODE: it runs like that
	vm stop -F "$uuid"
	rm -f "$log"
	echo "$1" >"$host/zones/$uuid/root/etc/pest"
	vm start "$uuid" || sed 's/^/# /' "$dir/said"
	heard() { grep -qs 'pest: \|xxxx' "$log" "$log".*; }
	eventually 10 heard
}
# in_peace: it has one second; -t of vmadm is not for zones.
in_peace() {
	printf '{"request":"stop","timeout_s":1}\n' |
		socat -t 70 - "UNIX-CONNECT:$host/run/dais/$uuid/zoneadmd.sock" | jq -e .ok >/dev/null
}
by_force() { vm stop -F "$uuid"; }
# stopped WHAT HOW: in time, wholly
stopped() {
	local before=$SECONDS
	$2
	is "$1: the stop says that it is done" "$? $(zone_state "$uuid")" "0 stopped"
	[ $((SECONDS - before)) -le 20 ]
	ok "$1: in its time" $?
	is "$1: nothing is left" "$(nothing_left "$uuid")" ""
}

begin deaf
stopped "an init that ignores all signals" in_peace
begin flee
stopped "processes that flee" in_peace
begin flee
stopped "processes that flee, by force" by_force
begin flee
before=$(init_of "$uuid")
vm reboot -F "$uuid"
is "processes that flee: a reboot comes through" "$?" 0
[ "$(init_of "$uuid")" != "$before" ]
ok "with another init" $?
alive "$before"
is "and the old one is gone" $? 1
kill -9 "$(supervisor_of "$uuid")"
stopped "processes that flee from another supervisor" by_force

begin console
sleep 2
size=$(cat "$log"* | wc -c)
[ "$size" -gt 65536 ] && [ "$size" -le $((3 * 65536)) ]
ok "a console that is flooded: the log is bounded, $size bytes" $?
timeout 5 vmadm --root "$host" get "$uuid" | jq -e '.state == "running"' >/dev/null
ok "a console that is flooded: it can be looked at" $?
stopped "a console that is flooded" in_peace

begin metadata
sleep 2
supervisor=$(supervisor_of "$uuid")
agent=$(pgrep -P "$supervisor" -f mdata-agent)
open=$(find "/proc/$agent/fd" -mindepth 1 2>/dev/null | wc -l)
[ "$open" -gt 2 ] && [ "$open" -le 30 ]
ok "metadata that are flooded: who serves them has few connections, $open descriptors" $?
timeout 10 vmadm --root "$host" update "$uuid" <<<'{ "alias": "calm" }' >"$dir/said" 2>&1
is "metadata that are flooded: it can be changed" $? 0
stopped "metadata that are flooded" in_peace

begin flee
vm delete "$uuid"
is "deleted while they flee: nothing is left" "$? $(nothing_left "$uuid")" "0 "
finish
