#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The guests' metadata tools against the agent's own answers, over a socket and over
# a serial port that is in the middle of something.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
bin=${DAIS_BIN:-$top/build/bin}
# shellcheck source=tests/lib.bash
. "$(dirname "$0")/../lib.bash"
[ -x "$bin/mdata-agent" ] || skip "'$bin/mdata-agent' is not built"
command -v cc >/dev/null || skip "'cc' is not installed"
dir=$(mktemp -d)
relay=
trap '[ -z "$relay" ] || kill "$relay" 2>/dev/null; rm -rf "$dir"' EXIT
make -s -C "$top/projects/mdata-client" BUILD="$dir/build" DESTDIR="$dir/tree" CC=cc install ||
	skip "the tools cannot be built; is there a static C library?"
is "what its manifest lists is what it installs" \
	"$(cd "$dir/tree" && find . ! -type d | sed 's|^\./||' | sort)" \
	"$(awk '$1 == "f" || $1 == "s" { sub(/=.*/, "", $2); print $2 }' \
		"$top/projects/mdata-client/manifest" | sort)"
is "it needs no library" "$(ldd "$dir/tree/usr/sbin/mdata-get" 2>&1 | grep -c '=>')" 0

# relay PATH AGENT FILE: serves one connection after the other (a socket at PATH), or a
# terminal whose name goes to PATH, with an agent of its own behind it.
cat >"$dir/relay.c" <<'C'
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
static void serve(int fd, char **argv, int lost)
{
	int to[2], from[2];
	char data[65536];
	pipe(to);
	pipe(from);
	if (fork() == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[1]);
		close(from[0]);
		execl(argv[2], "mdata-agent", "--try", argv[3], NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	for (;;) {
		struct pollfd p[2] = { { fd, POLLIN }, { from[0], POLLIN } };
		poll(p, 2, -1);
		if (p[0].revents) {
			ssize_t n = read(fd, data, sizeof(data));
			if (n <= 0)
				break;
			write(to[1], data, n);
		}
		if (p[1].revents) {
			ssize_t n = read(from[0], data, sizeof(data)), k = 0;
			if (n <= 0)
				break;
			for (ssize_t i = 0; i < n; i++)
				if (data[i])
					data[k++] = data[i];
			/* The first real answer is lost. */
			if (lost && memcmp(data, "V2 ", 3) == 0)
				lost--;
			else
				write(fd, data, k);
		}
	}
	close(to[1]);
	close(from[0]);
	close(fd);
	wait(NULL);
}
int main(int argc, char **argv)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct termios raw;
	FILE *name;
	if (argc > 4) {
		int fd = posix_openpt(O_RDWR | O_NOCTTY), slave;
		grantpt(fd);
		unlockpt(fd);
		slave = open(ptsname(fd), O_RDWR | O_NOCTTY);
		tcgetattr(slave, &raw);
		cfmakeraw(&raw);
		tcsetattr(slave, TCSANOW, &raw);
		write(fd, "SUCCESS\nof somebody el", 22);
		name = fopen(argv[1], "w");
		fputs(ptsname(fd), name);
		fclose(name);
		serve(fd, argv, 1);
		return 0;
	}
	strncpy(a.sun_path, argv[1], sizeof(a.sun_path) - 1);
	int l = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(l, (void *)&a, sizeof(a));
	listen(l, 5);
	for (;;)
		serve(accept(l, NULL, NULL), argv, 0);
}
C
cc -w -D_GNU_SOURCE -o "$dir/relay" "$dir/relay.c" || skip "no compiler"
cat >"$dir/vm.json" <<'J'
{ "alias": "a", "customer_metadata": { "text": "one\ntwo\n", "bare": "x", "empty": "" },
  "internal_metadata": {} }
J

PATH=$dir/tree/usr/sbin:$PATH
asks() { # asks NAME STATUS STDOUT STDERR COMMAND...
	local name=$1 status=$2 out=$3 err=$4
	shift 4
	"$@" >"$dir/out" 2>"$dir/err" </dev/null
	is "$name" "$? $(cat "$dir/out"; echo .) $(head -n 1 "$dir/err")" "$status $out. $err"
}
nl='
'
asks "get without a key" 3 "" "mdata-get: a key is needed" mdata-get
asks "get of two" 3 "" "mdata-get: too many words" mdata-get a b
asks "list takes none" 3 "" "mdata-list: too many words" mdata-list a
asks "an empty key" 3 "" "mdata-get: a key is not empty" mdata-get ""
asks "no seconds" 3 "" "mdata-get: -t takes seconds, from 1 to 86400" mdata-get -t x a
asks "nobody is there" 2 "" "mdata-get: the host does not answer" \
	mdata-get -t 1 -s "$dir/none" a

"$dir/relay" "$dir/socket" "$bin/mdata-agent" "$dir/vm.json" 2>/dev/null &
relay=$!
for _ in $(seq 100); do [ -S "$dir/socket" ] && break; sleep 0.1; done
s="-t 20 -s $dir/socket"
# shellcheck disable=SC2086 # two options
{
asks "get" 0 "one${nl}two$nl" "" mdata-get $s text
asks "a newline is added" 0 "x$nl" "" mdata-get $s bare
asks "an empty value is an empty line" 0 "$nl" "" mdata-get $s empty
asks "not found" 1 "" "No metadata for 'none'" mdata-get $s none
asks "list" 0 "text${nl}bare${nl}empty$nl" "" mdata-list $s
asks "put" 0 "" "" mdata-put $s k v
asks "put where the host refuses" 2 "" 'mdata-put: Cannot update the "sdc" Namespace.' \
	mdata-put $s sdc:k v
asks "delete" 0 "" "" mdata-delete $s none
asks "put of nothing on standard input" 2 "" "mdata-put: Invalid PUT Request" mdata-put $s k
}
kill "$relay"
wait "$relay" 2>/dev/null

"$dir/relay" "$dir/tty" "$bin/mdata-agent" "$dir/vm.json" serial 2>/dev/null &
relay=$!
for _ in $(seq 100); do [ -s "$dir/tty" ] && break; sleep 0.1; done
tty=$(cat "$dir/tty")
asks "over a serial port, out of step, with a lost answer" 0 "x$nl" "" mdata-get -t 30 -s "$tty" bare
mdata-put -t 20 -s "$tty" k "$(head -c 20000 /dev/zero | tr '\0' y)"
is "a long value goes through" "$? $(mdata-get -t 20 -s "$tty" k | wc -c)" "0 20001"
finish
