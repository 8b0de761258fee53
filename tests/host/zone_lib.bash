# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# zone_lib.bash - a host of its own for tests that run zones: a folder as root, a
# pool on a loop device, a NIC tag, an image whose init is one static program. All
# of it in mount, network and process namespaces that end with the test.
#
#	. "$(dirname "$0")/zone_lib.bash"
#	zone_namespaces "$0" "$@"	skips, or runs the test again inside
#	zone_host			makes $host, $image
#	zone_create ALIAS [JSON]	creates and starts one; its UUID in $uuid
#	nothing_left UUID		what is, if anything: one a line
#
# The image's init powers off and reboots on what a busybox init does. It ignores
# all of that once /etc/deaf is there. It says on its console what it may do.
#
# environment: DAIS_BIN, the programs

# shellcheck source=tests/lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/../lib.bash"

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${DAIS_BIN:-$top/build/bin}

zone_namespaces() {
	[ -z "${DAIS_ZONE_TEST:-}" ] || return 0
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	for tool in ip jq mkfs.btrfs nsenter cc; do
		command -v $tool >/dev/null || skip "'$tool' is not installed"
	done
	for tool in mkpool nictagadm imgadm vmadm zoneadmd; do
		[ -x "$bin/$tool" ] || skip "'$bin/$tool' is not built"
	done
	DAIS_ZONE_TEST=1 exec unshare -mnpf --mount-proc --propagation private "$@"
}

has() { # has NAME TEXT PART
	[[ $2 == *"$3"* ]]
	ok "$1" $?
	[[ $2 == *"$3"* ]] || printf '%s\n' "got:  $2" "want: $3" | sed 's/^/# /'
}

zone_cleanup() {
	local record
	for record in "$host"/etc/zones/*.json; do
		[ -e "$record" ] || continue
		vmadm --root "$host" delete "$(basename "$record" .json)" >/dev/null 2>&1
	done
	mkpool -q --root "$host" --unmount 2>/dev/null || umount -l "$host/zones" 2>/dev/null
	umount -l "$host/run" 2>/dev/null
	rm -rf "$dir"
}

# liblxc looks for bridges in sysfs: it must show this network namespace.
own_sysfs() {
	mkdir "$dir/cgroup"
	mount --rbind /sys/fs/cgroup "$dir/cgroup"
	mount -t sysfs sysfs /sys
	mount --rbind "$dir/cgroup" /sys/fs/cgroup
	umount -l "$dir/cgroup"
}

make_root() {
	local root=$1
	mkdir -p "$root"/{sbin,dev,proc,sys,tmp,etc,run,var}
	cat >"$dir/init.c" <<'C'
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>
static void go(int signo)
{
	if (access("/etc/deaf", F_OK) == 0)
		return;
	reboot(signo == SIGUSR2 ? RB_POWER_OFF : RB_AUTOBOOT);
	_exit(1);
}
static void report(const char *what, long result)
{
	printf("report %s: %s\n", what, result < 0 ? strerror(errno) : "allowed");
	fflush(stdout);
}
int main(void)
{
	struct timeval now = { 0 };
	char host[65] = "";

	signal(SIGUSR2, go);
	signal(SIGTERM, go);
	gethostname(host, sizeof(host));
	printf("init %d of %s is up\n", (int)getpid(), host);
	report("init_module", syscall(SYS_init_module, "", 0, ""));
	report("bpf", syscall(SYS_bpf, 0, NULL, 0));
	report("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
	report("keyctl", syscall(SYS_keyctl, 0, -3, 1));
	report("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
	report("open_by_handle_at", syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0));
	report("settimeofday", settimeofday(&now, NULL));
	report("mknod", mknod("/etc/made", S_IFBLK | 0600, makedev(7, 0)));
	report("node", open("/etc/node", O_RDONLY));
	report("null", open("/dev/null", O_RDWR));
	report("sysfs", open("/sys/kernel/mm/ksm/run", O_WRONLY));
	report("sysrq", open("/proc/sysrq-trigger", O_WRONLY));
	report("sysctl", open("/proc/sys/kernel/core_pattern", O_WRONLY));
	static const unsigned long makes[] = { 0x50009401, 0x5000940e, 0x50009417, 0x50009418 };
	char args[4096] = { 0 };
	int root = open("/etc", O_RDONLY | O_DIRECTORY);

	memcpy(args + 8, "made", 5); /* the name, in the first version of the call */
	for (int i = 0; i < 4; i++)
		report("subvolume", syscall(SYS_ioctl, root, makes[i], args));
	report("subvolume, upper half", syscall(SYS_ioctl, root, 0x15000940eUL, args));
	report("other ioctl", syscall(SYS_ioctl, root, 0x80086601UL, args)); /* its flags */
	report("write", open("/etc/written", O_CREAT | O_WRONLY, 0600));
	for (;;)
		pause();
}
C
	cc -static -O1 -o "$root/sbin/init" "$dir/init.c"
}

# A static program that does one thing inside and prints what came of it: inside PID VERB...
#	fill PATH BYTES | read PATH | write PATH | run PATH | rw PATH | umount PATH
#	device PATH | lock BYTES | set PATH TEXT | fsmount TYPE | console BYTES
zone_tool() { # zone_tool ROOT: puts it there as /sbin/tool
	cat >"$dir/tool.c" <<'C'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
static int fill(const char *path, long bytes)
{
	static char block[65536];
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

	for (; fd >= 0 && bytes > 0; bytes -= (long)sizeof(block))
		if (write(fd, block, sizeof(block)) < 0)
			return -1;
	return fd < 0 ? -1 : 0;
}
static int run(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl(path, path, "true", (char *)NULL);
		_exit(126);
	}
	waitpid(pid, &status, 0);
	errno = EACCES;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}
static int lock(long bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : mlock(p, bytes);
}
int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "", *a = argc > 2 ? argv[2] : "/";
	int r = -1;

	errno = EINVAL;
	if (!strcmp(verb, "true"))
		return 0;
	if (!strcmp(verb, "fill"))
		r = fill(a, atol(argv[3]));
	else if (!strcmp(verb, "read"))
		r = open(a, O_RDONLY);
	else if (!strcmp(verb, "write"))
		r = open(a, O_CREAT | O_WRONLY, 0644);
	else if (!strcmp(verb, "device"))
		r = open(a, O_RDWR);
	else if (!strcmp(verb, "run"))
		r = run(a);
	else if (!strcmp(verb, "rw"))
		r = mount(NULL, a, NULL, MS_REMOUNT | MS_BIND, NULL);
	else if (!strcmp(verb, "umount"))
		r = umount(a);
	else if (!strcmp(verb, "console"))
		for (long n = atol(a); n > 0; n -= 16)
			r = put("/dev/console", "a line of text.\n");
	else if (!strcmp(verb, "lock"))
		r = lock(atol(a));
	else if (!strcmp(verb, "set"))
		r = put(a, argv[3]);
	else if (!strcmp(verb, "fsmount"))
		r = mount("none", "/tmp", a, 0, NULL);
	puts(r < 0 ? strerror(errno) : "done");
	return 0;
}
C
	cc -static -O1 -o "$1/sbin/tool" "$dir/tool.c"
}

inside() { # inside PID VERB...
	local pid=$1
	shift
	nsenter -t "$pid" -U -m -u -i -n -p -r -w -S 0 -G 0 /sbin/tool "$@" 2>&1
}

make_image() {
	local sha1 size
	make_root "$dir/root" || return 1
	tar -C "$dir/root" -cf "$dir/image.tar" --owner=0 --group=0 --numeric-owner .
	sha1=$(sha1sum <"$dir/image.tar" | cut -d' ' -f1)
	size=$(stat -c %s "$dir/image.tar")
	image=7f0b03d4-fdcb-4a07-853b-9f0058956469
	cat >"$dir/image.json" <<J
{ "v": 2, "uuid": "$image", "name": "test", "version": "1", "type": "lx-dataset",
  "owner": "00000000-0000-0000-0000-000000000000", "os": "linux", "state": "active",
  "disabled": false, "public": true, "published_at": "2026-01-01T00:00:00Z",
  "files": [{ "sha1": "$sha1", "size": $size, "compression": "none" }] }
J
	imgadm install --root "$host" -q -m "$dir/image.json" -f "$dir/image.tar" >/dev/null
}

zone_host() {
	dir=$(mktemp -d /tmp/dais-zone.XXXXXX)
	chmod 711 "$dir" # the roots of zones, who are nobody here, pass through
	host=$dir/host
	mkdir -m 755 "$host" "$host/run"
	trap zone_cleanup EXIT
	PATH=$bin:$PATH
	mount -t tmpfs -o mode=755 tmpfs "$host/run"
	own_sysfs
	ip link set lo up
	mkpool -q --file "$dir/pool.img" --size 2G --root "$host" 2>/dev/null ||
		skip "no pool on a loop device here"
	nictagadm --root "$host" add -l test0 >/dev/null || exit 1
	make_image || exit 1
}

zone_payload() { # zone_payload ALIAS [JSON]
	jq -n --arg alias "$1" --arg image "$image" --argjson more "${2:-{\}}" \
		'{ brand: "lx", image_uuid: $image, alias: $alias, autoboot: true, nowait: true,
		   kernel_version: "6.1", max_physical_memory: 128,
		   nics: [{ nic_tag: "test0", ips: ["10.91.0.9/24"], primary: true }] } + $more'
}

zone_create() {
	zone_payload "$@" >"$dir/payload"
	vmadm --root "$host" create -f "$dir/payload" >"$dir/said" 2>&1 || {
		sed 's/^/# /' "$dir/said"
		return 1
	}
	uuid=$(vmadm --root "$host" lookup -1 "alias=$1")
}

zone_state() { vmadm --root "$host" list -H -o state "uuid=$1"; }
state_of() { jq -r ".$2 // 0" "$host/run/dais/$1/state.json" 2>/dev/null; }
init_of() { state_of "$1" pid; }
supervisor_of() { state_of "$1" supervisor; }
monitor_of() { awk '/^PPid/ { print $2 }' "/proc/$(init_of "$1")/status" 2>/dev/null; }
alive() { [ "$1" -gt 1 ] && kill -0 "$1" 2>/dev/null; }

# eventually SECONDS COMMAND...
eventually() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# The zone's own helpers on the host: "PID WHAT" each.
processes_of() {
	local file line
	for file in /proc/[0-9]*/cmdline; do
		{ IFS= read -r -d '' line <"$file"; line=$(tr '\0' ' ' <"$file"); } 2>/dev/null
		case $line in
		*"lxc monitor"*"$1"* | *zoneadmd\ "$1"* | *zoneadmd\ --ended*"$1"*)
			file=${file#/proc/}
			echo "${file%/cmdline} $line"
			;;
		esac
	done
}

# The host's end of the pair of NIC number INDEX: link_of UUID INDEX. The hash is that
# of libnet/hash.h, in the shell's 64 bits.
link_of() {
	local uuid=$1 hash=$((0xcbf29ce484222325)) code i
	for ((i = 0; i < ${#uuid}; i++)); do
		printf -v code %d "'${uuid:i:1}"
		hash=$(((hash ^ code) * 0x100000001b3))
	done
	hash=$((hash ^ (hash >> 32 & 0xffffffff)))
	hash=$((hash * 0xd6e8feb86659fd93))
	hash=$((hash ^ (hash >> 32 & 0xffffffff)))
	printf 'dz%010xn%d' $((hash & 0xffffffffff)) "$2"
}

# What is in the way of nothing may be about to go: it has two seconds.
nothing_left() {
	local end=$((SECONDS + 20)) left
	while left=$(what_is_left "$1") && [ -n "$left" ] && [ $SECONDS -lt $end ]; do
		sleep 0.1
	done
	printf '%s' "$left"
}

what_is_left() {
	local link
	link=$(link_of "$1" 0)
	find /sys/fs/cgroup -maxdepth 4 -type d -name "$1*" 2>/dev/null
	ip -o link | grep -o "${link%0}[0-9]*"
	nft list table bridge dais 2>/dev/null | grep -o "${link%0}[0-9][-a-z0-9]*" | sort -u
	grep -o "/[^ ]*$1/root [^ ]*" /proc/self/mountinfo
	grep -o "@.*$1.*" /proc/net/unix
	processes_of "$1"
	find "$host/run/dais/$1" -mindepth 1 ! -name state.json 2>/dev/null
	find /run/lxc/lock -name ".$1" 2>/dev/null
}
