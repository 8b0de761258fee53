#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm import from real servers, and from one that does all that servers do wrong: chains,
# resumption after kill -9 at any byte, races, TLS, proxies.
# shellcheck source=tests/host/imgapi_lib.bash
. "$(dirname "$0")/imgapi_lib.bash"
make_pool 1G

uuid() { printf '%08x-1111-4222-8333-444444444444' "$1"; }
tree=$dir/tree
mkdir -p "$tree/etc"
echo welcome >"$tree/etc/motd"
head -c 3000000 /dev/urandom >"$tree/data"
tar -C "$tree" -cf - . | zstd -q >"$dir/a.zst"
size=$(stat -c %s "$dir/a.zst")
A=$(uuid 1)
publish "$dir/a.zst" "$A"

# A chain of three: each adds a file over what its origin has.
for n in 2 3 4; do
	mkdir -p "$dir/layer$n/etc"
	echo "$n" >"$dir/layer$n/etc/file$n"
	head -c 300000 /dev/urandom >"$dir/layer$n/data$n"
	tar -C "$dir/layer$n" -cf - . | gzip -1 >"$dir/layer$n.gz"
	if [ $n = 2 ]; then
		publish "$dir/layer$n.gz" "$(uuid $n)"
	else
		publish "$dir/layer$n.gz" "$(uuid $n)" "\"origin\":\"$(uuid $((n - 1)))\""
	fi
done
index
sources "$(source_at $faulty)"
whole() { cmp -s "$tree/data" "$zones/images/$A/rootfs/data"; }
gone() { imgadm delete "$A"; }
is_empty() { is_clean && [ -z "$(ls -A "$zones/images/.download" 2>/dev/null)" ]; }
# a fault that goes by: the import succeeds all the same
survives() { # survives NAME RULE...
	local name=$1
	shift
	faults "$@"
	forget_asked
	imgadm import -q "$A"
	[ "$status" -eq 0 ] && whole && is_empty
	ok "$name" $?
	[ "$status" -eq 0 ] || echo "# $err"
	gone
}
# one that stays: it fails, says why, and leaves no image
fails() { # fails NAME CODE PATTERN RULE...
	local name=$1 code=$2 pattern=$3
	shift 3
	faults "$@"
	imgadm import -q "$A"
	[ "$status" -eq 1 ] && [[ $err == "imgadm import: error ($code): "* ]] && [[ $err =~ $pattern ]] &&
		[ ! -e "$zones/images/$A" ] && is_clean
	ok "$name" $?
	[[ $err =~ $pattern && $err == *"($code)"* ]] || echo "# $status $err"
	faults ""
	imgadm check -r
}

# ---- the plain way
imgadm import "$A"
is "import says what it does" "$status $err
$out" "0 
Importing $A (test@1.0) from \"$faulty\"
Gather image $A ancestry
Must download and install 1 image ($(awk "BEGIN { printf \"%.1f\", int($size * 10 / 1048576) / 10 }") MiB)
Downloaded image $A ($(awk "BEGIN { printf \"%.1f\", int($size * 10 / 1048576) / 10 }") MiB)
Imported image $A (test@1.0)"
whole && is_empty
ok "the image is there, nothing else" $?
imgadm import "$A"
is "again" "$status $out" "0 Image $A (test 1.0) is already installed, skipping"
imgadm list -j
is "list knows the source" "$(jq -r '.[0].source' <<<"$out")" "$faulty"
gone

# ---- the bar
on_terminal() { # on_terminal ARGS...: what a terminal of 95 columns gets
	script -qec "stty cols 95 rows 24; exec $bin/imgadm $* --root $root" /dev/null </dev/null |
		sed 's/\x1b\[1G/\n/g; s/\x1b\[K//g' | tr -d '\r'
}
if command -v script >/dev/null; then
	on_terminal import "$A" >"$dir/seen"
	grep -qE '^Download 1 image        \[>? +\]   0%    0.00B$' "$dir/seen"
	ok "a terminal gets a bar over its width" $?
	is "... which ends full, with rate and time" "$(grep -cE '^Download 1 image        \[={35}>\] 100%   2.8[0-9]MB +[0-9.]+[KM]B/s    [ 0-9]{2}s$' "$dir/seen")" 1
	is "... below the words" "$(grep -E '^[A-Z]' "$dir/seen" | awk '{print $1}' | uniq | xargs)" \
		"Importing Gather Must Download Downloaded Download Imported Download"
	gone
	on_terminal import -q "$A" >"$dir/seen"
	is "-q: words alone" "$(awk '{print $1}' "$dir/seen" | xargs)" "Importing Gather Must Downloaded Imported"
	gone
else
	ok "the progress bar on a terminal # SKIP 'script' is not installed" 0
fi
imgadm import -q "$(uuid 77)"
is "one that no source has" "$status $err" "1 imgadm import: error (ActiveImageNotFound): an active \
image \"$(uuid 77)\" was not found in image sources"
imgadm import -q nonsense
is "what is no name" "$status $err" "1 imgadm import: error (Usage): \"nonsense\" is no image UUID, \
nor what a configured source takes"
jq '.state = "disabled"' "$site/manifests/$A.json" >"$dir/m" && cp "$dir/m" "$site/manifests/$A.json"
imgadm import -q "$A"
is "one that is not active" "$status ${err:0:43}" "1 imgadm import: error (ActiveImageNotFound):"
imgadm show "$A"
is "show has it" "$status $(jq -r .state <<<"$out")" "0 disabled"
jq '.state = "active"' "$dir/m" >"$site/manifests/$A.json"

# ---- faults that go by
survives "a transfer that ends early goes on" "2 truncate 700000 /file"
is "where it broke" "$(asked /file | awk '{print $3}' | xargs)" "- bytes=700000- bytes=1400000-"
survives "a reset" "2 reset 500000 /file"
survives "a stall" "1 stall 400000 /file"
survives "503" "2 status 503 /file" "1 status 502 /images/$A\$"
survives "429 with Retry-After" "1 retry 429:1 /file"
survives "a server without ranges, broken twice" "1 truncate 900000 /file" "1 noranges 0 /file"
survives "206 for another part" "1 truncate 900000 /file" "1 badrange 0 /file"
survives "what is no HTTP, once" "1 garbage 0 /file"
survives "another file under the same address" "1 truncate 900000 /file" "1 etag other /file"

# ---- faults that stay
fails "a wrong byte" DownloadError "has the SHA-1" "0 corrupt 1000 /file"
fails "always 503" DownloadError "answered 503 \(after 4 tries\)" "0 status 503 /file"
fails "no file" DownloadError "answered 404" "0 status 404 /file"
fails "a redirect in circles" DownloadError "redirect" "0 redirect loop /file"
fails "a redirect to a file of this host" DownloadError "rotocol" "0 redirect file:///etc/passwd /file"
fails "more bytes than the manifest has" DownloadError "more than the file's size" "0 long 100000 /file"
fails "a server that asks for an hour" DownloadError "asks to wait 3600 seconds" "0 retry 429:3600 /file"
fails "a manifest that is none" InvalidManifest "manifest:1:" "0 garbage 0 nothing" "0 body /etc/hostname /images/$A\$"
cp "$site/manifests/$(uuid 2).json" "$dir/other.json"
fails "the manifest of another image" InvalidManifest "sent image $(uuid 2)" "0 body $dir/other.json /images/$A\$"
jq ".files[0].size += 1" "$site/manifests/$A.json" >"$dir/m.json"
fails "another size than the manifest's" DownloadError "has $size bytes, not $((size + 1))" "0 body $dir/m.json /images/$A\$"
head -c 70000000 /dev/zero | tr '\0' ' ' >"$dir/huge"
fails "a manifest without end" ClientError "too large" "0 body $dir/huge /images/$A\$"
rm "$dir/huge"
fails "a server that refuses without a word" ClientError "^imgadm import: error \(ClientError\): image source \"$faulty\": the server answered 403" \
	"0 status 403 /images/$A\$"
jq ".files[0].size = 9000000000000" "$site/manifests/$A.json" >"$dir/m.json"
faults "0 body $dir/m.json /images/$A\$"
imgadm import -q "$A"
is "more than the pool has room for" "$status $(grep -c 'error (FileSystem): the pool has [0-9]* bytes free, the files have 9000000000000' <<<"$err")" "1 1"
imgadm check
is "... leaves nothing to go on with" "$status $out" "0 "
faults ""

# ---- killed, and gone on with
forget_asked
for at in 1 100000 1500000 $((size - 1)); do
	faults "1 stall $at /file"
	"$bin/imgadm" import -q "$A" --root "$root" >/dev/null 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		[ "$(stat -c %s "$zones/images/.download/$A" 2>/dev/null || echo 0)" -ge "$at" ] && break
		sleep 0.02
	done
	kill -9 $pid
	wait $pid 2>/dev/null
	got=$(stat -c %s "$zones/images/.download/$A")
	imgadm check
	[ "$status" -eq 1 ] && [[ $out == *"$A: an unfinished download"* ]]
	ok "killed at byte $at ($got are kept): check tells" $?
	forget_asked
	faults ""
	imgadm import -q "$A"
	[ "$status" -eq 0 ] && whole && is_empty
	ok "... and the next import succeeds" $?
	is "... asking for the rest alone" "$(asked /file | awk '{print $3}')" "bytes=$got-"
	gone
done
# What lies there may be anything.
head -c 800000 /dev/urandom >"$zones/images/.download/$A"
jq -n --arg s "$(jq -r '.files[0].sha1' "$site/manifests/$A.json")" \
	--arg h "$(jq -r '.files[0].sha256' "$site/manifests/$A.json")" --argjson n "$size" --arg u "$faulty/images/$A/file" \
	'{url: $u, size: $n, sha1: $s, sha256: $h, etag: ""}' >"$zones/images/.download/$A.json"
imgadm import "$A"
[ "$status" -eq 0 ] && whole && is_empty && [[ $err == *"is of no use; starting over"* ]]
ok "bytes that belong to nothing cost a second transfer" $?
gone
faults "0 stall 1000000 /file"
"$bin/imgadm" import -q "$A" --root "$root" >"$dir/out" 2>"$dir/err" &
pid=$!
for _ in $(seq 100); do
	[ "$(stat -c %s "$zones/images/.download/$A" 2>/dev/null || echo 0)" -ge 1000000 ] && break
	sleep 0.02
done
kill -TERM $pid
wait $pid
is "asked to end, it says what it keeps" "$? $(cat "$dir/err")" "1 imgadm import: error (InternalError): \
interrupted; what was downloaded is kept for the next import"
is_clean
ok "... and leaves no half image" $?
imgadm check -r
is "check -r takes the download away" "$status $out" "0 $A: an unfinished download: removed"
is_empty
ok "... all of it" $?
faults ""

# ---- races
forget_asked
for i in 1 2 3; do
	"$bin/imgadm" import -q -j "$A" --root "$root" >"$dir/race.$i" 2>"$dir/race.err.$i" &
	pids[i]=$!
done
for i in 1 2 3; do wait "${pids[i]}"; ok "racer $i of the same image succeeds" $?; done
is "one of three did the work" "$(cat "$dir"/race.[123] | jq -r .outcome | sort | xargs)" \
	"already installed already installed installed"
is "one download" "$(asked /file | wc -l)" 1
gone

# ---- chains
forget_asked
imgadm import "$(uuid 4)"
is "an image with two ancestors" "$status $(grep -c ^Imported <<<"$out") $(grep Must <<<"$out" | cut -d'(' -f1)" \
	"0 3 Must download and install 3 images "
is "has all that they have" "$(cat "$zones/images/$(uuid 4)"/rootfs/etc/file[234] | xargs)" "2 3 4"
imgadm ancestry -H -o uuid "$(uuid 4)"
is "ancestry" "$(xargs <<<"$out")" "$(uuid 4) $(uuid 3) $(uuid 2)"
imgadm delete "$(uuid 2)"
is "an origin cannot be deleted" "$status $err" "1 imgadm delete: error (ImageHasDependentClones): image \
\"$(uuid 2)\" has dependent clones: zones/$(uuid 3)"
imgadm list -H -o uuid,clones -s uuid
is "and counts what was made from it" "$(awk '{print $2}' <<<"$out" | xargs)" "1 1 0"
imgadm delete "$(uuid 4)"
imgadm import "$(uuid 4)"
is "what is there is not fetched again" "$status $(grep -c ^Imported <<<"$out") $(grep -c "Image $(uuid 3) already installed" <<<"$out")" "0 1 1"
vm=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
mkdir -p "$root/etc/zones"
echo "{\"uuid\":\"$vm\",\"image_uuid\":\"$(uuid 3)\"}" >"$root/etc/zones/$vm.json"
imgadm vacuum -n -v
is "vacuum would take the leaf alone" "$status $out" "0 [dry-run] Deleted image $(uuid 4) (test@1.0)"
is "and says why not the others" "$err" "keeping image $(uuid 2) (test@1.0): image $(uuid 3) has it as its origin
keeping image $(uuid 3) (test@1.0): the record of VM $vm names it"
echo '{' >"$root/etc/zones/$vm.json"
imgadm vacuum -f
is "a record that cannot be read stops it" "$status ${err:0:56}" "1 imgadm vacuum: error (FileSystem): which images it needs"
rm "$root/etc/zones/$vm.json"
out=$(echo n | "$bin/imgadm" vacuum --root "$root")
is "asked, and denied" "$? $(head -1 <<<"$out")" "1 This will delete the following images:"
imgadm vacuum -f
is "vacuum takes the chain from its leaf" "$status $(awk '{print $3}' <<<"$out" | xargs)" "0 $(uuid 4) $(uuid 3) $(uuid 2)"
is "and that was all" "$(ls -A "$zones/images" | xargs)" ".download .partial"

# Killed between two images of a chain: the next goes on.
faults "1 stall 1000 /images/$(uuid 4)/file"
"$bin/imgadm" import -q "$(uuid 4)" --root "$root" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do [ -e "$zones/images/$(uuid 3)" ] && break; sleep 0.02; done
kill -9 $pid
wait $pid 2>/dev/null
imgadm import "$(uuid 4)"
is "a chain is gone on with where it was killed" "$status $(grep -c ^Imported <<<"$out")" "0 1"
imgadm vacuum -f
# Chains that are none.
bad_chain() { # bad_chain NAME CODE PATTERN FILTER
	jq "$4" "$site/manifests/$(uuid 2).json" >"$dir/b.json"
	faults "0 body $dir/b.json /images/$(uuid 2)\$"
	imgadm import -q "$(uuid 4)"
	[ "$status" -eq 1 ] && [[ $err =~ \($2\):.*$3 ]] && [ ! -e "$zones/images/$(uuid 2)" ] && is_empty
	ok "$1" $?
	is_empty || echo "# left: $(ls -A "$zones/images" "$zones/images/.download" "$zones/images/.partial" | xargs)"
	[[ $err =~ \($2\):.*$3 ]] || echo "# $err"
}
bad_chain "a chain that bites its tail" InvalidManifest "among its own ancestors" ".origin = \"$(uuid 4)\""
bad_chain "an origin that the source has not" OriginNotFoundInSource "was not found in image source" ".origin = \"$(uuid 99)\""
bad_chain "an origin that is a disk" InvalidManifest "its origin .* is one" ".type = \"zvol\" | .nic_driver = \"virtio\" | .disk_driver = \"virtio\" | .cpu_type = \"host\" | .image_size = 1"
faults ""

# ---- content that is known, and not installed
printf 'btrfs-stream\0\3\0\0\0' >"$dir/known"
head -c 3000000 /dev/urandom >>"$dir/known"
gzip -1 <"$dir/known" >"$dir/known.gz"
publish "$dir/known.gz" "$(uuid 50)"
forget_asked
faults "0 slow 200000 /images/$(uuid 50)/file"
imgadm import -q "$(uuid 50)"
[ "$status" -eq 1 ] && [[ $err == "imgadm import: error (NotSupported): the btrfs stream: it is of version 3,"* ]]
ok "a btrfs stream of version 3 is named, before all of it is here" $?
faults ""
imgadm check -r

# ---- TLS, several sources, proxies
sources "$(source_at $tls)"
imgadm import -q "$A"
is "a certificate that nobody vouches for" "$status ${err:0:34}" "1 imgadm import: error (ClientError)"
grep -qi certificate <<<"$err"
ok "... and says so" $?
imgadm sources -a $tls?channel=x
is "adding it hints at what helps" "$status ${err:0:35} ${err##*; }" \
	"1 imgadm sources: error (SourcePing): --ca-file FILE names the authority to trust, -k checks no certificate"
imgadm sources -a $tls?channel=x --ca-file /etc/dais/ca.pem
is "... and does" "$status $err" "0 "
sources "{\"type\":\"imgapi\",\"url\":\"$tls\",\"ca_file\":\"/etc/dais/ca.pem\"}"
imgadm import -q "$A"
is "an authority of the source's own" "$status $err" "0 "
gone
sources "{\"type\":\"imgapi\",\"url\":\"$tls\",\"insecure\":true}"
imgadm import -q "$A"
is "a source that is not checked" "$status $err" "0 "
gone
sources "$(source_at http://127.0.0.1:1)" "$(source_at $api)"
imgadm avail -H -o uuid
is "avail prints what it got, then fails" "$status $(grep -c . <<<"$out") $(grep -c ClientError <<<"$err")" "1 4 1"
imgadm import -q "$A"
is "import goes on to the next source" "$status $err" "0 "
gone
sources "$(source_at http://127.0.0.1:1)" "$(source_at http://127.0.0.1:2)"
imgadm -E avail
imgadm avail
is "two that fail" "$status ${err%%$'\n'*}" "1 imgadm avail: error (MultiError): multiple (2) errors"
imgadm import -q -S $api "$A"
is "-S is asked instead" "$status $err" "0 "
gone

# ---- signatures
S=$(uuid 60)
publish "$dir/a.zst" "$S"
m=$site/manifests/$S.json
signed() { # signed NAME KEY-FILE
	local name=$1
	sources "{\"type\":\"imgapi\",\"url\":\"$api\",\"public_key\":\"/etc/dais/$2\"}"
	imgadm import -q "$S"
	is "$name" "$status $err" "0 "
	imgadm delete "$S"
}
unsigned() { # unsigned NAME KEY-FILE PATTERN
	local name=$1
	sources "{\"type\":\"imgapi\",\"url\":\"$api\",\"public_key\":\"/etc/dais/$2\"}"
	imgadm import -q "$S"
	[ "$status" -eq 1 ] && [[ $err == "imgadm import: error (InvalidSignature): "* ]] && [[ $err =~ $3 ]] && is_empty
	ok "$name" $?
	[[ $err =~ $3 ]] || echo "# $err"
}
openssl genpkey -algorithm ed25519 -out "$dir/ed.key" 2>/dev/null
openssl pkey -in "$dir/ed.key" -pubout -out "$root/etc/dais/ed.pub"
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out "$dir/rsa.key" 2>/dev/null
openssl pkey -in "$dir/rsa.key" -pubout -out "$root/etc/dais/rsa.pub"
unsigned "no signature" ed.pub "has no signature"
openssl pkeyutl -sign -rawin -inkey "$dir/ed.key" -in "$m" -out "$m.sig"
chmod a+r "$m.sig"
signed "signed by Ed25519" ed.pub
unsigned "by another key" rsa.pub "not of these bytes and this key"
openssl dgst -sha256 -sign "$dir/rsa.key" -out "$m.sig" "$m"
signed "signed by RSA" rsa.pub
cp "$m" "$dir/m.kept"
sed -i 's/"linux"/"other"/' "$m"
unsigned "a changed manifest" rsa.pub "not of these bytes and this key"
jq 'del(.files[0].sha256)' "$dir/m.kept" >"$m"
openssl dgst -sha256 -sign "$dir/rsa.key" -out "$m.sig" "$m"
unsigned "no SHA-256 in it" rsa.pub "files\[0\].sha256"
cp "$dir/m.kept" "$m"
if command -v minisign >/dev/null; then
	for k in one two; do
		minisign -G -W -p "$root/etc/dais/$k.pub" -s "$dir/$k.key" >/dev/null
	done
	minisign -S -s "$dir/one.key" -m "$m" -x "$m.minisig" -t "an image" >/dev/null
	chmod a+r "$m.minisig"
	signed "signed by minisign" one.pub
	unsigned "by another minisign key" two.pub "another key"
	sed -i 's/an image/another image/' "$m.minisig"
	unsigned "a changed trusted comment" one.pub "not of these bytes"
	minisign -S -l -s "$dir/one.key" -m "$m" -x "$m.minisig" >/dev/null
	signed "signed by minisign, not hashed before" one.pub
else
	ok "a minisign signature # SKIP 'minisign' is not installed" 0
fi
sources "{\"type\":\"imgapi\",\"url\":\"$api\",\"public_key\":\"/etc/dais/none.pub\"}"
imgadm import -q "$S"
is "a key that is not there" "$status ${err:0:36}" "1 imgadm import: error (ConfigError): "

forget_asked
sources "$(source_at http://images.test)"
http_proxy=$faulty imgadm avail -H
is "through a proxy" "$status $(asked | wc -l)" "0 1"
HTTP_PROXY=$faulty NO_PROXY=.test imgadm avail -H
is "unless told otherwise" "$status $(asked | wc -l)" "1 1"
finish
