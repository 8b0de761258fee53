# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# oci_layout.bash - sourced: makes OCI layouts of tars.
#
#	oci_layer DIR TAR...   in DIR, with these layers, base first; what each is packed with
#	                       shows in its name (.tar .gz .zst). $OCI_CONFIG is the JSON of what it
#	                       runs, $OCI_ARCH its processor when it is not this machine's
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
