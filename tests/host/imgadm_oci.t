#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm and container registries: Debian's docker-registry with images that skopeo pushed, alone, behind
# a password, and behind a proxy that does what servers do wrong.
# shellcheck source=tests/host/imgapi_lib.bash
. "$(dirname "$0")/imgapi_lib.bash"
# shellcheck source=tests/host/registry_lib.bash
. "$(dirname "$0")/registry_lib.bash"
make_pool 1G

# ---- an image of four layers, and one with a fifth
layer() { # NAME PACKER: a tar of $dir/l/NAME
	tar --format=posix --sort=name -C "$dir/l/$1" -cf - . | $2 >"$dir/l/$1.$3"
}
mkdir -p "$dir/l"/{1,2,3,4,5}/etc
mkdir -p "$dir/l/1/bin" "$dir/l/1/old/deep/er" "$dir/l/1/opaque/sub" "$dir/l/1/swap" "$dir/l/1/usr/lib"
for n in 1 2 3 4 5; do
	echo "$n" >"$dir/l/$n/etc/layer$n"
	head -c 200000 /dev/urandom >"$dir/l/$n/data$n"
done
echo gone >"$dir/l/1/etc/gone"
echo one >"$dir/l/1/etc/again"
echo low >"$dir/l/1/opaque/low"
echo low >"$dir/l/1/opaque/sub/low"
echo x >"$dir/l/1/old/deep/er/x"
echo x >"$dir/l/1/swap/x"
ln -s usr/lib "$dir/l/1/lib"
ln -s /usr/lib "$dir/l/1/abslib"
echo libc >"$dir/l/1/usr/lib/libc"
# Layer 2: removals, with what is new before and behind its markers.
mkdir -p "$dir/l/2/opaque/sub"
echo new >"$dir/l/2/opaque/new"
echo new >"$dir/l/2/opaque/sub/new"
echo two >"$dir/l/2/etc/again"
: >"$dir/l/2/opaque/.wh..wh..opq"
: >"$dir/l/2/etc/.wh.gone"
: >"$dir/l/2/etc/.wh.again"
: >"$dir/l/2/.wh.old"
: >"$dir/l/2/.wh.never"
echo file >"$dir/l/2/swap"
mkdir "$dir/l/2/.wh..wh.plnk"
echo aufs >"$dir/l/2/.wh..wh.plnk/1.2"
chown 1000:1001 "$dir/l/2/data2"
layer 1 "gzip -9n" tar.gz
# The markers last, and first: both are right.
(cd "$dir/l/2" && find . -not -name '.wh.*' | sort >"$dir/l/files"
	find . -name '.wh.*' | sort >"$dir/l/marks")
tar --format=posix --no-recursion -C "$dir/l/2" -T "$dir/l/files" -T "$dir/l/marks" -cf - | zstd -q >"$dir/l/2.tar.zst"
tar --format=posix --no-recursion -C "$dir/l/2" -T "$dir/l/marks" -T "$dir/l/files" -cf "$dir/l/first.tar"
mkdir "$dir/l/3/lib"
rmdir "$dir/l/3/lib"
layer 3 cat tar
layer 4 "gzip -1n" tar.gz
layer 5 "gzip -1n" tar.gz
export OCI_CONFIG='{"Entrypoint":["/bin/sh"],"Cmd":["-c","id"],"Env":["A=b c"],"WorkingDir":"/etc"}'
L=$dir/l
oci_layer "$dir/four" "$L/1.tar.gz" "$L/2.tar.zst" "$L/3.tar" "$L/4.tar.gz"
oci_layer "$dir/five" "$L/1.tar.gz" "$L/2.tar.zst" "$L/3.tar" "$L/4.tar.gz" "$L/5.tar.gz"
push "$dir/four" team/four:1.0
push "$dir/five" team/five:1.0
sources "$(registry_at $broken)"
top() { jq -r '.uuid' <<<"$out"; }
count_images() { find "$zones/images" -mindepth 1 -maxdepth 1 -not -name '.*' | wc -l; }
delete_all() {
	imgadm list -j
	for uuid in $(jq -r '.[].manifest | .uuid' <<<"$out") $(jq -r '.[].manifest | .uuid' <<<"$out") \
		$(jq -r '.[].manifest | .uuid' <<<"$out") $(jq -r '.[].manifest | .uuid' <<<"$out") \
		$(jq -r '.[].manifest | .uuid' <<<"$out"); do
		imgadm delete "$uuid"
	done
}

forget_requests
imgadm import -q --json team/four:1.0
is "an image of four layers" "$status" 0
four=$(top)
rootfs=$zones/images/$four/rootfs
is "is as many images" "$(count_images)" 4
[ "$(find "$rootfs" -name '.wh.*' | wc -l)" -eq 0 ] && [ ! -e "$rootfs/etc/gone" ] && [ ! -e "$rootfs/old" ]
ok "what is marked is gone, and no marker stays" $?
is "what the same layer brings stays" "$(cat "$rootfs/etc/again" "$rootfs/opaque/new" "$rootfs/opaque/sub/new" "$rootfs/swap" | xargs)" "two new new file"
[ ! -e "$rootfs/opaque/low" ] && [ ! -e "$rootfs/opaque/sub/low" ]
ok "an opaque folder hides what is below it" $?
is "files of all layers, with their owners" "$(cat "$rootfs"/etc/layer[1-4] | xargs) $(stat -c %u:%g "$rootfs/data2")" "1 2 3 4 1000:1001"
imgadm ancestry -H -o uuid "$four"
is "the layers are its ancestry" "$(wc -l <<<"$out")" 4
imgadm get "$four"
is "what it runs stands in its tags" "$(jq -c '[.manifest.type, .manifest.tags["docker:config"].Cmd, .manifest.tags["docker:repo"],
	.manifest.tags["docker:tag:1.0"]]' <<<"$out")" '["docker",["-c","id"],"'$broken'/team/four",true]'
imgadm import -q team/four:1.0
[ "$status" -eq 0 ] && [[ $out == "Image $four ("*") is already installed, skipping" ]]
ok "again" $?

# ---- a second image with the same four layers
forget_requests
imgadm import -q --json team/five:1.0
five=$(top)
is "of a second image with the same layers only the fifth comes" "$status $(requests /blobs/ | grep -c .) $(count_images)" "0 2 5"
is "it has all five" "$(cat "$zones/images/$five"/rootfs/etc/layer? | xargs)" "1 2 3 4 5"
oci_layer "$dir/two" "$L/1.tar.gz" "$L/2.tar.zst"
push "$dir/two" team/two:1.0
push "$dir/two" team/two:2.0
for tag in 1.0 2.0; do imgadm import -q --json team/two:$tag; done
imgadm get "$(top)"
is "what was a layer is an image as well, by all its names" "$(jq -c '.manifest.tags | [.["docker:repo"], .["docker:tag:1.0"],
	.["docker:tag:2.0"], .["docker:config"].WorkingDir]' <<<"$out") $(count_images)" '["'$broken'/team/two",true,true,"/etc"] 5'
two=$(jq -r .manifest.uuid <<<"$out")
imgadm show team/two:2.0
is "show takes the name" "$status $(jq -r '.type, .uuid' <<<"$out" | xargs)" "0 docker $two"
imgadm list --docker -H -s tag -o repository,tag,image_id repository=$broken/team/two
id=$(jq -r '.manifest.tags["docker:id"] | split(":")[-1][0:12]' < <("$bin/imgadm" list -j --docker docker_repo=$broken/team/two --root "$root" | jq '.[0]'))
is "list --docker: a row for each tag" "$status $(xargs <<<"$out")" "0 $broken/team/two 1.0 $id $broken/team/two 2.0 $id"
imgadm list --docker
is "... under these names, and no layers" "$(head -1 <<<"$out" | xargs) $(grep -c ' -$\| - ' <<<"$out")" "UUID REPOSITORY TAG IMAGE_ID CREATED 0"
delete_all
is "deleted from the top" "$(count_images)" 0

# ---- markers first, by digest, with the host said
oci_layer "$dir/first" "$L/1.tar.gz" "$L/first.tar"
push "$dir/first" team/first
digest=$(skopeo inspect --tls-verify=false "docker://$registry/team/first" | jq -r .Digest)
imgadm import -q --json "$broken/team/first@$digest"
first=$(top)
is "by its digest, markers before what they stand beside" "$status $(cat "$zones/images/$first/rootfs/etc/again" "$zones/images/$first/rootfs/opaque/sub/new" | xargs)" "0 two new"
[ ! -e "$zones/images/$first/rootfs/opaque/low" ] && [ ! -e "$zones/images/$first/rootfs/etc/gone" ]
ok "what was below is gone" $?
delete_all
imgadm import -q "other.example/team/first"
is "a name of another registry is not asked for here" "$status $err" "1 imgadm import: error (ActiveImageNotFound): image \
\"other.example/team/first\" was not found: its registry is not among the sources (imgadm sources -t docker -a URL adds it)"

# ---- who may
auth() { jq -n --arg h "$1" --arg a "$(printf %s "$2" | base64)" '{auths: {($h): {auth: $a}}}'; }
sources "$(registry_at $locked)"
HOME=/root imgadm import -q team/first
is "without a password" "$status $err" "1 imgadm import: error (Unauthorized): the registry '$locked' wants a name and a password, and no auth file has one for it"
auth $locked tester:wrong >"$dir/auth.json"
chmod 600 "$dir/auth.json"
REGISTRY_AUTH_FILE=$dir/auth.json imgadm import -q team/first
is "with a wrong one" "$status ${err:0:36}" "1 imgadm import: error (Unauthorized):"
auth $locked tester:secret >"$dir/auth.json"
REGISTRY_AUTH_FILE=$dir/auth.json imgadm import -q team/first
is "with the right one" "$status $err" "0 "
delete_all
mkdir -p "$root/root/.docker"
auth $locked tester:secret >"$root/root/.docker/config.json"
HOME=/root imgadm import -q team/first
is "from the file of docker" "$status $err" "0 "
delete_all
auth other.example tester:secret >"$root/root/.docker/config.json"
HOME=/root imgadm import -q team/first
is "another registry's is not sent" "$status ${err:0:37}" "1 imgadm import: error (Unauthorized): "
rm "$root/root/.docker/config.json"

# ---- tokens
token=127.0.0.1:5002
python3 "$(dirname "$0")/token_registry.py" 5002 5003 http://$registry tester:secret "$dir/authorized" &
token_pid=$!
for _ in $(seq 50); do curl -s -o "$dir/probe" http://$token/v2/ && break; sleep 0.1; done
sources "$(registry_at $token)"
auth $token tester:wrong >"$dir/auth.json"
REGISTRY_AUTH_FILE=$dir/auth.json imgadm import -q team/first
is "no token for a wrong password" "$status ${err:0:37}" "1 imgadm import: error (Unauthorized): "
: >"$dir/authorized"
auth $token tester:secret >"$dir/auth.json"
REGISTRY_AUTH_FILE=$dir/auth.json imgadm import -q team/first
is "a token for the right one" "$status $err" "0 "
is "the password went to the token server alone" "$(grep -c Basic "$dir/authorized") $(grep Basic "$dir/authorized")" \
	"1 5002 /token?service=test%20registry&scope=repository:team/first:pull Basic"
is "the token to no other server" "$(grep -c '^5002 /v2/.*Bearer' "$dir/authorized") $(grep -c ^5003 "$dir/authorized")" "4 0"
kill $token_pid
wait $token_pid 2>/dev/null
delete_all

# ---- mirrors
sources "$(registry_at 127.0.0.1:9 ",\"mirrors\":[\"http://127.0.0.1:7\",\"http://$broken\"]")"
forget_requests
imgadm import -q team/first
is "a mirror is asked before, for the registry's images" "$status $err $(requests 'manifests/latest\?ns=127.0.0.1:9' | wc -l)" "0  1"
delete_all

# ---- what servers do wrong
sources "$(registry_at $broken)"
blob=$(sha256sum <"$L/1.tar.gz")
survives() { # NAME RULE...
	local name=$1
	shift
	rules "$@"
	imgadm import -q team/four:1.0
	is "$name" "$status $err" "0 "
	rules ""
	delete_all
}
fails() { # NAME CODE PATTERN RULE...
	local name=$1 code=$2 pattern=$3
	shift 3
	rules "$@"
	imgadm import -q team/four:1.0
	[ "$status" -eq 1 ] && [[ $err == *"error ($code): "* ]] && [[ $err =~ $pattern ]] &&
		[ -z "$(find "$zones/images/.partial" -mindepth 1 2>/dev/null)" ]
	ok "$name" $?
	[[ $err == *"($code)"* && $err =~ $pattern ]] || echo "# $status $err"
	rules ""
	delete_all
	imgadm check -r
}
survives "a layer that ends early, one that stalls" "2 truncate 90000 blobs/sha256:${blob%% *}" "1 stall 50000 blobs/"
survives "429 with a pause" "1 retry 429:1 manifests/" "1 retry 429:1 blobs/"
survives "503 and a redirect" "1 status 503 manifests/" "1 redirect http://$registry/v2/team/four/blobs/sha256:${blob%% *} blobs/sha256:${blob%% *}"
fails "a wrong byte in a layer" DownloadError "SHA-256" "0 corrupt 1000 blobs/sha256:${blob%% *}"
fails "a wrong byte in the configuration" InvalidDockerInfo "digest" "0 corrupt 10 blobs/sha256:$(sha256sum <"$dir/four.config" | cut -c1-64)"
fails "always 429" ClientError "answered 429|too many" "0 status 429 manifests/"
fails "what is no manifest" InvalidDockerInfo "manifest:1:" "0 body /etc/hostname manifests/"

# ---- documents
edit() { # NAME FILTER: an image whose manifest is another
	jq -c "$2" "$dir/four.manifest" >"$dir/$1.manifest"
	curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @"$dir/$1.manifest" \
		"http://$registry/v2/team/four/manifests/$1" -o /dev/null
}
refuses() { # NAME IMAGE CODE PATTERN
	imgadm import -q "$2"
	[ "$status" -eq 1 ] && [[ $err == *"error ($3): "* ]] && [[ $err =~ $4 ]] && [ "$(count_images)" -eq 0 ]
	ok "$1" $?
	[[ $err =~ $4 && $err == *"($3)"* ]] || echo "# $status $err"
}
jq -c '.layers[0].mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" | .layers[0].urls = ["http://127.0.0.1:1/"]' \
	"$dir/four.manifest" >"$dir/foreign"
rules "0 body $dir/foreign manifests/foreign"
refuses "a layer that lies elsewhere" team/four:foreign NotSupported "not in the registry"
jq -c '.layers |= .[0:3]' "$dir/four.manifest" >"$dir/fewer"
rules "0 body $dir/fewer manifests/fewer"
refuses "fewer layers than the configuration has" team/four:fewer InvalidDockerInfo "3 layers, its configuration 4"
jq -c '.config.mediaType = "application/vnd.example+json"' "$dir/four.manifest" >"$dir/artifact"
rules "0 body $dir/artifact manifests/artifact"
refuses "what is no image of a system" team/four:artifact NotSupported "not an image"
echo '{"schemaVersion":1,"name":"x"}' >"$dir/schema1"
rules "0 body $dir/schema1 manifests/old"
refuses "schema 1" team/four:old NotSupported "schema 1"
refuses "a tag that is not there" team/four:never ActiveImageNotFound never
# DiffIDs: the second layer's content is not what the configuration says.
jq -c '.rootfs.diff_ids[1] = .rootfs.diff_ids[0]' "$dir/four.config" >"$dir/lie.config"
lie=$(sha256sum <"$dir/lie.config")
jq -c --arg d "sha256:${lie%% *}" --argjson n "$(stat -c %s "$dir/lie.config")" '.config.digest = $d | .config.size = $n' \
	"$dir/four.manifest" >"$dir/lie"
rules "0 body $dir/lie manifests/lie" "0 body $dir/lie.config blobs/sha256:${lie%% *}"
imgadm import -q team/four:lie
is "a layer that unpacks to something else" "$status ${err:0:38} $(count_images)" "1 imgadm import: error (DownloadError):  1"
[[ $err == *"unpacked SHA-256"* ]]
ok "says so" $?
delete_all
imgadm check -r
rules ""

# ---- many processors
OCI_ARCH=arm64 oci_layer "$dir/arm" "$L/5.tar.gz"
push "$dir/arm" team/many:arm
push "$dir/first" team/many:here
desc() { # TAG FILE ARCH
	jq -cn --arg d "sha256:$(sha256sum <"$2" | cut -c1-64)" --argjson n "$(stat -c %s "$2")" --arg a "$3" '{
		mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $n, platform: {architecture: $a, os: "linux"}}'
}
jq -cn --argjson a "$(desc arm "$dir/arm.manifest" arm64)" --argjson b "$(desc here "$dir/first.manifest" "$(machine)")" \
	--argjson u "$(desc here "$dir/first.manifest" unknown)" '{schemaVersion: 2,
	mediaType: "application/vnd.oci.image.index.v1+json", manifests: [$u, $a, $b]}' >"$dir/index"
curl -s -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @"$dir/index" \
	"http://$registry/v2/team/many/manifests/all" || skip "no index can be pushed"
imgadm import -q --json team/many:all
is "of many the one of this machine" "$status $(cat "$zones/images/$(top)"/rootfs/etc/layer? | xargs)" "0 1 2"
imgadm import -q --json --arch arm64 team/many:all
is "or the one that is wanted" "$status $(jq -r '.meta.unpacked.entries > 0' <<<"$out") $(cat "$zones/images/$(top)"/rootfs/etc/layer? | xargs)" "0 true 5"
delete_all
refuses "none for this machine" team/many:arm NotSupported "for linux/arm64"

# ---- killed, and at the same time
rules "0 slow 300000 blobs/"
for seconds in 0.3 0.7 1.2; do
	"$bin/imgadm" import -q --root "$root" team/five:1.0 >/dev/null 2>&1 &
	pid=$!
	sleep $seconds
	kill -9 $pid 2>/dev/null # it may have come to its end
	wait $pid 2>/dev/null
done
rules ""
imgadm import -q --json team/five:1.0
is "after three kills it goes on" "$status $(cat "$zones/images/$(top)"/rootfs/etc/layer? | xargs)" "0 1 2 3 4 5"
imgadm check
is "and leaves nothing" "$status $(ls -A "$zones/images/.download" "$zones/images/.partial" | grep -v : | xargs)" "0 "
delete_all
forget_requests
rules "0 slow 2000000 blobs/"
for n in 1 2 3; do
	"$bin/imgadm" import -q --root "$root" team/five:1.0 >"$dir/out$n" 2>&1 &
	pids[n]=$!
done
all=0
for n in 1 2 3; do wait "${pids[n]}" || all=1; done
is "three at the same time: three successes, one download" "$all $(requests "GET /v2/team/five/blobs/sha256:${blob%% *}" | wc -l)" "0 1"
delete_all
finish
