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
#	oci_layer DIR TAR...            an OCI layout in DIR with these layers, base first; what
#	                                each is packed with shows in its name (.tar .gz .zst)
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

put_blob() { # DIR FILE: the digest
	local sum
	sum=$(sha256sum <"$2")
	mkdir -p "$1/blobs/sha256"
	cp "$2" "$1/blobs/sha256/${sum%% *}"
	echo "sha256:${sum%% *}"
}
plain() {
	case $1 in
	*.gz) gzip -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*) cat "$1" ;;
	esac
}
oci_layer() {
	local to=$1 layers="" ids="" one type sum config manifest
	shift
	for one; do
		type=application/vnd.oci.image.layer.v1.tar
		case $one in
		*.gz) type=$type+gzip ;;
		*.zst) type=$type+zstd ;;
		esac
		sum=$(plain "$one" | sha256sum)
		ids="$ids${ids:+,}\"sha256:${sum%% *}\""
		layers="$layers${layers:+,}{\"mediaType\":\"$type\",\"digest\":\"$(put_blob "$to" "$one")\",\"size\":$(stat -c %s "$one")}"
	done
	jq -cn --argjson ids "[$ids]" --argjson config "${OCI_CONFIG:-{\}}" --arg arch "${OCI_ARCH:-$(machine)}" '{
		created: "2024-01-02T03:04:05.123456789Z", architecture: $arch, os: "linux",
		config: $config, rootfs: {type: "layers", diff_ids: $ids}}' >"$to.config"
	config=$(put_blob "$to" "$to.config")
	jq -cn --argjson layers "[$layers]" --arg config "$config" --argjson size "$(stat -c %s "$to.config")" '{
		schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
		config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $config, size: $size},
		layers: $layers}' >"$to.manifest"
	manifest=$(put_blob "$to" "$to.manifest")
	jq -cn --arg digest "$manifest" --argjson size "$(stat -c %s "$to.manifest")" '{schemaVersion: 2, manifests: [{
		mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest, size: $size,
		annotations: {"org.opencontainers.image.ref.name": "latest"}}]}' >"$to/index.json"
	echo '{"imageLayoutVersion":"1.0.0"}' >"$to/oci-layout"
}
machine() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}
push() {
	skopeo --insecure-policy copy -q --preserve-digests --dest-tls-verify=false "oci:$1:latest" "docker://$registry/$2" ||
		skip "skopeo cannot push"
}
rules() { printf '%s\n' "$@" | curl -sf --data-binary @- http://$broken/__faults; }
requests() { curl -sf http://$broken/__log | grep -E "${1:-.}"; }
forget_requests() { curl -sf -X POST http://$broken/__reset; }
registry_at() { printf '{"type":"docker","url":"http://%s"%s}' "$1" "${2:-}"; }
for port in $registry $broken; do wait_for_port http://$port/v2/; done
