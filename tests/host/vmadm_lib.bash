# SPDX-License-Identifier: MIT
#
# vmadm_lib.bash - for tests of vmadm on real zones: sourced, it moves the test
# into namespaces of its own (network, mounts), makes a host folder with a pool,
# a NIC tag and the base image, and takes all of it away at the end.
# Sets: bin, dir, root, zones, image. IMAGE=tiny takes the tiny image instead.
#
#	vm ARGS...          runs vmadm, keeps $out, $err, $status
#	payload MEMBERS     a payload for a zone on standard output
#	leftovers           what of any VM is still there, one a line
#
# environment: DAIS_IMAGES, the folder of base.json and base.tar.zst and the others
# shellcheck source=tests/lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/../lib.bash"

bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
IMAGE=${IMAGE:-base}
images=${DAIS_IMAGES:-${bin%/dev/bin}/images}
[ -d "$images" ] || images=${bin%/bin}/images

if [ -z "${DAIS_TEST_NETNS:-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	for tool in mkfs.btrfs btrfs losetup jq ip ping; do
		command -v "$tool" >/dev/null || skip "'$tool' is not installed"
	done
	for tool in mkpool imgadm vmadm zoneadmd; do
		[ -x "$bin/$tool" ] || skip "'$bin/$tool' is not built"
	done
	[ -f "$images/$IMAGE.json" ] || skip "no image '$IMAGE' in '$images': make images"
	DAIS_TEST_NETNS=1 exec unshare -mn --propagation private "$0" "$@"
fi
set -u
export LC_ALL=C.UTF-8

dir=$(mktemp -d /tmp/dais-vm.XXXXXX)
chmod 711 "$dir" # the root of a zone is nobody here, and passes through
root=$dir/root
zones=$root/zones
mkdir -p "$root/etc/dais" "$dir/cgroup"

cleanup() {
	cd / || exit
	for uuid in $("$bin/vmadm" --root "$root" lookup 2>/dev/null); do
		"$bin/vmadm" --root "$root" delete "$uuid" >/dev/null 2>&1
	done
	umount "$zones" 2>/dev/null || umount -l "$zones" 2>/dev/null
	umount -l "$dir/cgroup" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

# The sysfs of this network namespace, with the host's cgroups where they were.
mount --rbind /sys/fs/cgroup "$dir/cgroup" && mount -t sysfs sysfs /sys &&
	mount --rbind "$dir/cgroup" /sys/fs/cgroup || skip "no sysfs of the test's own"
ip link set lo up

"$bin/mkpool" -q --file "$dir/pool.img" --size "${POOL_SIZE:-3G}" --root "$root" ||
	skip "no pool can be made"
image=$(jq -r .uuid "$images/$IMAGE.json")
"$bin/imgadm" install -q --root "$root" -m "$images/$IMAGE.json" -f "$images/$IMAGE.tar.zst" >/dev/null ||
	skip "the image '$IMAGE' cannot be installed"
echo '{ "admin": { "address": "10.99.0.1/24" }, "stub0": {} }' >"$root/etc/dais/nictags.json"

vm() {
	"$bin/vmadm" --root "$root" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
	out=$(cat "$dir/out")
	err=$(cat "$dir/err")
}

payload() {
	printf '{ "brand": "lx", "image_uuid": "%s"%s%s }\n' "$image" "${1:+, }" "${1:-}"
}

# Lock files stay by design, and so does the tag's bridge. $own: the zones that a test starts.
leftovers() {
	ls -A "$root/etc/zones" | grep -v '^\.claims$\|^\.journal$'
	ls -A "$root/etc/zones/.claims" "$root/etc/zones/.journal" | grep -v ':$\|^$'
	ls -A "$zones" | grep -v '^images$\|^system$'
	ls -A "$root/run/dais" 2>/dev/null | grep -v '^lock$'
	btrfs subvolume list "$zones" | awk '{ print $NF }' | grep -v '^images/\|^system'
	ip -o link show | grep -o ' dz[0-9a-f]*n[0-9]*'
	grep "$zones/" /proc/self/mountinfo
	# Other tests may run zones at the same time: only those of this one count.
	for uuid in ${own:-}; do
		find /sys/fs/cgroup -type d -path "*dais*" -name "$uuid*" 2>/dev/null
	done
}

# in_zone UUID COMMAND...: run it inside.
in_zone() {
	local pid
	pid=$(jq .pid "$root/run/dais/$1/state.json")
	shift
	nsenter -t "$pid" -a -- "$@"
}

