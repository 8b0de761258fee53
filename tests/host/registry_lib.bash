# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # what it sets is for those that source it
#
# registry_lib.bash - for tests of container registries: sourced after imgapi_lib.bash, it starts
# Debian's docker-registry on the test's loopback:
#
#	127.0.0.1:5000     open; skopeo pushes here
#	127.0.0.1:5001     the same images behind a name and a password (tester, secret)
#	127.0.0.1:8091     fault_proxy.py before the open one
#
#	oci_layer DIR TAR...            oci_layout.bash
#	push DIR NAME                   to the registry, as it is
#	rules LINE...                   the proxy's; requests [REGEX], forget_requests
for tool in docker-registry skopeo htpasswd zstd; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
registry=127.0.0.1:5000
locked=127.0.0.1:5001
broken=127.0.0.1:8091
mkdir -p "$dir/registry"
htpasswd -Bbn tester secret >"$dir/registry/htpasswd" 2>/dev/null
registry_config() { # PORT [AUTH]
	printf 'version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n'
	printf 'storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}\n' "$dir/registry/data"
	printf 'http: {addr: "127.0.0.1:%s"}\n' "$1"
	[ $# -lt 2 ] || printf 'auth: {htpasswd: {realm: test, path: %s}}\n' "$2"
}
registry_config 5000 >"$dir/registry/open.yml"
registry_config 5001 "$dir/registry/htpasswd" >"$dir/registry/locked.yml"
docker-registry serve "$dir/registry/open.yml" >"$dir/registry/log" 2>&1 &
open_pid=$!
docker-registry serve "$dir/registry/locked.yml" >"$dir/registry/log2" 2>&1 &
locked_pid=$!
python3 "$(dirname "$0")/fault_proxy.py" 8091 http://$registry &
broken_pid=$!
registries_cleanup() {
	kill $open_pid $locked_pid $broken_pid 2>/dev/null
	wait $open_pid $locked_pid $broken_pid 2>/dev/null
	servers_cleanup
}
trap registries_cleanup EXIT

# shellcheck source=tests/host/oci_layout.bash
. "$(dirname "${BASH_SOURCE[0]}")/oci_layout.bash"
push() {
	skopeo --insecure-policy copy -q --preserve-digests --dest-tls-verify=false "oci:$1:latest" "docker://$registry/$2" ||
		skip "skopeo cannot push"
}
rules() { printf '%s\n' "$@" | curl -sf --data-binary @- http://$broken/__faults; }
requests() { curl -sf http://$broken/__log | grep -E "${1:-.}"; }
forget_requests() { curl -sf -X POST http://$broken/__reset; }
registry_at() { printf '{"type":"docker","url":"http://%s"%s}' "$1" "${2:-}"; }
for port in $registry $broken; do wait_for_port http://$port/v2/; done
