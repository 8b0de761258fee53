# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # what it sets is for those that source it
#
# store_lib.bash - for tests that need a pool of their own: sourced, it moves the
# test into its own mount namespace, makes a host folder with a pool in a file,
# and takes all of it away at the end. Sets: bin, dir, root, zones.
#
#	run ARGS...             runs, keeps $out, $err, $status
#	manifest FILE UUID      a manifest for FILE on standard output
#	make_pool [SIZE]        the pool
# shellcheck source=tests/lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/../lib.bash"

[ "$(id -u)" -eq 0 ] || skip "needs root"
for tool in mkfs.btrfs btrfs losetup python3; do
	command -v "$tool" >/dev/null || skip "'$tool' is not installed"
done
if [ -z "${DAIS_TEST_MOUNTS:-}" ]; then
	DAIS_TEST_MOUNTS=1 exec unshare -m --propagation private "$0" "$@"
fi
set -u
export LC_ALL=C.UTF-8

bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
for tool in mkpool imgadm; do
	[ -x "$bin/$tool" ] || skip "'$bin/$tool' is not built"
done
dir=$(mktemp -d /tmp/dais-pool.XXXXXX)
root=$dir/root
zones=$root/zones
mkdir "$root"

cleanup() {
	cd /
	umount "$zones" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT

run() {
	"$@" >"$dir/out" 2>"$dir/err"
	status=$?
	out=$(cat "$dir/out")
	err=$(cat "$dir/err")
}

imgadm() { run "$bin/imgadm" "$@" --root "$root"; }

manifest() {
	printf '{ "v": 2, "uuid": "%s", "name": "test", "version": "1.0", "type": "lx-dataset",\n' "$2"
	printf '  "os": "linux", "published_at": "2026-01-02T03:04:05.678Z", "files": [\n'
	printf '  { "size": %s, "sha1": "%s", "sha256": "%s", "compression": "none" } ] }\n' \
		"$(stat -c %s "$1")" "$(sha1sum <"$1" | cut -d' ' -f1)" "$(sha256sum <"$1" | cut -d' ' -f1)"
}

make_pool() {
	"$bin/mkpool" -q --file "$dir/pool.img" --size "${1:-1G}" --root "$root" || skip "no pool can be made"
}

# Nothing under way or left of it.
is_clean() {
	[ -z "$(ls -A "$zones/images/.partial" 2>/dev/null)" ]
}

