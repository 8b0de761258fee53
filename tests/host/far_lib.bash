# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # what it sets is for those that source it
#
# far_lib.bash - for tests of imgapi: sourced, it moves the test into a network of its own and
# makes a pool (store_lib.bash). far_host makes a second host, 192.0.2.1, beside this one,
# 192.0.2.2: a network namespace that the process $far holds, which the test has to end. $api is
# an address of it.
if [ -z "${DAIS_TEST_NET:-}" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
	DAIS_TEST_NET=1 DAIS_TEST_MOUNTS=1 exec unshare -mn --propagation private "$0" "$@"
fi
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in curl jq ip nsenter; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
api=http://192.0.2.1:8080
far=''

far_is_apart() { [ "$(readlink "/proc/$far/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

far_host() {
	unshare -n sleep 600 &
	far=$!
	eventually far_is_apart
	ip link set lo up
	ip link add near type veth peer name far netns $far || skip "no veth can be made"
	ip addr add 192.0.2.2/24 dev near && ip link set near up
	nsenter -t $far -n sh -c 'ip link set lo up; ip addr add 192.0.2.1/24 dev far; ip link set far up'
}
