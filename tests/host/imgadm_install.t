#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm on a real pool: every compression, what an image keeps, what is refused,
# and that whatever is refused leaves nothing.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in zstd xz bzip2 gzip setcap jq; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
make_pool 2G
mkdir -p "$root/var/imgadm"
echo '{"sources":[]}' >"$root/var/imgadm/imgadm.conf" # nobody is asked for anything

uuid() { printf '%08x-1111-4222-8333-444444444444' "$1"; }

tree=$dir/tree
mkdir -p "$tree/etc" "$tree/bin" "$tree/empty" "$tree/ünï"
echo welcome >"$tree/etc/motd"
cp /bin/true "$tree/bin/su"
chmod 4755 "$tree/bin/su"
cp /bin/true "$tree/bin/ping"
setcap cap_net_raw+ep "$tree/bin/ping"
chown 1000:1001 "$tree/etc/motd"
chown 65534:65534 "$tree/empty"
chmod 1770 "$tree/empty"
ln "$tree/bin/su" "$tree/bin/hard"
ln -s /usr/bin "$tree/absolute"
ln -s ../../../../etc/passwd "$tree/dangling"
mkfifo "$tree/pipe"
mknod "$tree/null" c 1 3
truncate -s 8M "$tree/sparse"
echo end >>"$tree/sparse"
printf x >"$tree/$(printf 'n%.0s' $(seq 200))"
touch -d '2001-02-03 04:05:06.123456789' "$tree/etc/motd" "$tree/etc" "$tree/ünï"
chown -h 5:6 "$tree/dangling"

# Everything there is to a tree, but devices.
facts() {
	(cd "$1" && find . -not -type c -printf '%p %y %m %U:%G %n %l %T@ %s\n' |
		sed -E 's/^([^ ]+ d [^ ]+ [^ ]+) .*(  [0-9.]+) [0-9]+$/\1\2/' | sort
	find . -type f | sort | xargs -d '\n' sha1sum
	getcap -r . | sort)
}
facts "$tree" >"$dir/want"

n=0
for how in cat gzip bzip2 xz zstd; do
	n=$((n + 1))
	tar --format=posix --xattrs --xattrs-include='*' -S -C "$tree" -cf - . | $how >"$dir/$how"
	manifest "$dir/$how" "$(uuid $n)" >"$dir/$how.json"
	imgadm install -m "$dir/$how.json" -f "$dir/$how"
	is "installs a tar through $how" "$status $out" \
		"0 Installing image $(uuid $n) (test@1.0)
Installed image $(uuid $n) (test@1.0)"
	facts "$zones/images/$(uuid $n)/rootfs" >"$dir/got"
	diff "$dir/want" "$dir/got" >"$dir/diff"
	ok "and all of it is there" $?
	sed 's/^/# /' "$dir/diff"
done
is "the device that was left out is told" "$err" \
	"imgadm install: left out 1 device nodes and sockets (zones have their own /dev)"
[ "$(stat -c %b "$zones/images/$(uuid 5)/rootfs/sparse")" -lt 100 ]
ok "a sparse file stays sparse" $?
[ ! -e "$zones/images/$(uuid 5)/rootfs/null" ]
ok "no device node in the image" $?
touch "$zones/images/$(uuid 5)/rootfs/x" 2>/dev/null
ok "an image is read-only" $((! $?))

(cd "$tree" && tar --format=gnu -cf "$dir/gnu.tar" . && tar --format=ustar -cf "$dir/ustar.tar" ./etc)
for f in gnu ustar; do
	n=$((n + 1))
	manifest "$dir/$f.tar" "$(uuid $n)" >"$dir/$f.json"
	imgadm install -q -m "$dir/$f.json" -f "$dir/$f.tar"
	is "installs the $f format" "$status $err" "0 "
done

# Several members, frames or streams in a row, as parallel compressors write them.
head -c 100000 "$dir/cat" >"$dir/part1"
tail -c +100001 "$dir/cat" >"$dir/part2"
for how in gzip bzip2 xz zstd; do
	n=$((n + 1))
	{ $how -c <"$dir/part1"; $how -c <"$dir/part2"; } >"$dir/two.$how"
	manifest "$dir/two.$how" "$(uuid $n)" >"$dir/two.json"
	imgadm install -q -m "$dir/two.json" -f "$dir/two.$how"
	facts "$zones/images/$(uuid $n)/rootfs" >"$dir/got"
	[ "$status" -eq 0 ] && diff "$dir/want" "$dir/got" >/dev/null
	ok "a file of two $how parts is one image" $?
	imgadm delete "$(uuid $n)"
done

# ---- again, and three at once
imgadm install -m "$dir/xz.json" -f "$dir/xz"
is "an image that is there is skipped" "$status $out" \
	"0 Image $(uuid 4) (test@1.0) is already installed, skipping"

manifest "$dir/zstd" "$(uuid 90)" >"$dir/race.json"
for i in 1 2 3; do
	"$bin/imgadm" install -q --json -m "$dir/race.json" -f "$dir/zstd" --root "$root" \
		>"$dir/race.$i" 2>"$dir/race.err.$i" &
	pids[i]=$!
done
for i in 1 2 3; do wait "${pids[i]}"; ok "racer $i of the same image succeeds" $?; done
is "one of three did the work" "$(cat "$dir"/race.[123] | jq -r .outcome | sort | xargs)" \
	"already installed already installed installed"

# ---- list, get, show
imgadm list
is "list has a header and a row an image" "$(printf '%s\n' "$out" | sed -n '1,2p')" \
	"UUID                                  NAME  VERSION  OS     TYPE        PUB
$(uuid 1)  test  1.0      linux  lx-dataset  2026-01-02"
imgadm list -H -o uuid,files,published uuid="$(uuid 3)"
is "filters choose, published has no milliseconds" "${out##* }" "2026-01-02T03:04:05Z"
imgadm list name=nothing
is "no row, no header" "$status $out" "0 "
imgadm list -H -o uuid -s -uuid 'uuid=~00000'
is "a minus reverses the order" "${out%%-*}" 0000005a
imgadm list nonsense
is "a filter without '=' is wrong use" "$status" 1
imgadm list -j
is "list -j has all of them" "$(printf '%s' "$out" | jq -r 'length, .[0].zpool, .[0].source, .[0].clones' | xargs)" \
	"8 zones null 0"
imgadm get "$(uuid 2)"
is "get" "$status $(printf '%s' "$out" | jq -r '.manifest.uuid + " " + .zpool')" "0 $(uuid 2) zones"
imgadm get "$(uuid 77)"
is "get of an image that is not there is status 3" "$status $out $err" "3  imgadm get: error \
(ImageNotInstalled): image \"$(uuid 77)\" was not found on zpool \"zones\""
imgadm show "$(uuid 2)"
is "show prints the manifest" "$(printf '%s' "$out" | jq -r .uuid)" "$(uuid 2)"
run "$bin/imgadm" -E show "$(uuid 77)" --root "$root"
is "-E ends with a JSON record" "$status $(printf '%s\n' "$err" | tail -1 | jq -r .err.code)" "1 NoSources"

# ---- what does not match its manifest
fails() { # fails NAME CODE TEXT ARGS...
	local name=$1 code=$2 text=$3
	shift 3
	imgadm install -q "$@"
	is "$name" "$status $err" "1 imgadm install: error ($code): $text"
	is_clean && [ ! -e "$zones/images/$(uuid 100)" ]
	ok "... and leaves nothing" $?
}
manifest "$dir/gzip" "$(uuid 100)" >"$dir/good.json"
edit() { python3 - "$dir/good.json" "$1" >"$dir/bad.json" <<'PY'
import json, sys
m = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(m, sys.stdout)
PY
}
zeros=0000000000000000000000000000000000000000
edit "m['files'][0]['sha1'] = '$zeros'"
fails "a wrong SHA-1" DownloadError "'$dir/gzip' has the SHA-1 $(sha1sum <"$dir/gzip" | cut -c1-40), \
the manifest says $zeros" -m "$dir/bad.json" -f "$dir/gzip"
edit "m['files'][0]['sha256'] = 64 * '0'"
fails "a wrong SHA-256" DownloadError "'$dir/gzip' has the SHA-256 $(sha256sum <"$dir/gzip" | cut -c1-64), \
the manifest says ${zeros}000000000000000000000000" -m "$dir/bad.json" -f "$dir/gzip"
edit "m['files'][0]['size'] += 1"
size=$(stat -c %s "$dir/gzip")
fails "a wrong size" DownloadError "'$dir/gzip' has $size bytes, the manifest says $((size + 1)) \
(files[0].size)" -m "$dir/bad.json" -f "$dir/gzip"
edit "m['files'][0]['size'] = -1"
fails "a size that is none" ManifestValidation "invalid manifest: files[0].size (must be a number of \
bytes)" -m "$dir/bad.json" -f "$dir/gzip"
edit "del m['files']"
fails "no file in the manifest" ManifestValidation "invalid manifest: files (MissingParameter)" \
	-m "$dir/bad.json" -f "$dir/gzip"
fails "a file that is missing" FileSystem "cannot open '$dir/none': No such file or directory" \
	-m "$dir/good.json" -f "$dir/none"

# ---- files that are no good archives, with a manifest that fits
bad_file() { # bad_file NAME FILE TEXT [OPTION...]
	local name=$1 file=$2 text=$3
	shift 3
	manifest "$file" "$(uuid 100)" >"$dir/m.json"
	fails "$name" UncompressionError "$text" -m "$dir/m.json" -f "$file" "$@"
}
head -c $((size / 2)) "$dir/gzip" >"$dir/half.gz"
manifest "$dir/half.gz" "$(uuid 100)" >"$dir/m.json"
imgadm install -q -m "$dir/m.json" -f "$dir/half.gz"
is "half a gzip" "$status $err" "1 imgadm install: error (UncompressionError): the gzip data is \
damaged: truncated gzip input"
is_clean
ok "... and leaves nothing" $?
head -c 100000 /dev/urandom >"$dir/noise"
bad_file "noise" "$dir/noise" "the file is not a tar archive, nor anything else that images come in"
gzip -c "$dir/noise" >"$dir/noise.gz"
bad_file "noise in gzip" "$dir/noise.gz" "the file is not a tar archive, nor anything else that images come in"
: >"$dir/nothing"
manifest "$dir/nothing" "$(uuid 100)" >"$dir/m.json"
fails "an empty file" ManifestValidation "invalid manifest: files (a file has no size, or 0)" -m "$dir/m.json" -f "$dir/nothing"
jq '.files[0].size = 5' "$dir/m.json" >"$dir/m5.json"
fails "an empty file that should not be" DownloadError "'$dir/nothing' has 0 bytes, the manifest says 5 (files[0].size)" -m "$dir/m5.json" -f "$dir/nothing"
tar -cf "$dir/none.tar" -T /dev/null
bad_file "a tar without entries" "$dir/none.tar" "the archive is empty"
bad_file "more than --max-size" "$dir/zstd" "the archive holds more than 65536 bytes" --max-size 64K
# 12 GiB of zeros in 1 MiB: stops at the pool's size, long before it is full for others.
truncate -s 12G "$dir/bomb"
tar -C "$dir" -cf - bomb | zstd -q >"$dir/bomb.zst"
manifest "$dir/bomb.zst" "$(uuid 100)" >"$dir/m.json"
imgadm install -q -m "$dir/m.json" -f "$dir/bomb.zst"
printf '%s' "$err" | grep -q 'the archive holds more than [0-9]* bytes'
ok "a bomb is stopped" $?
is_clean
ok "... and leaves nothing" $?

# ---- delete
vm=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
mkdir -m 700 "$zones/$vm"
btrfs -q subvolume snapshot "$zones/images/$(uuid 1)/rootfs" "$zones/$vm/root" >/dev/null
imgadm delete "$(uuid 1)"
is "an image in use stays" "$status $err" "1 imgadm delete: error (ImageHasDependentClones): image \
\"$(uuid 1)\" has dependent clones: zones/$vm"
imgadm list -H -o clones uuid="$(uuid 1)"
is "and shows its clones" "$out" 1
imgadm get -r "$(uuid 1)"
is "by name" "$(printf '%s' "$out" | jq -r '.children.clones[]')" "zones/$vm"
btrfs -q subvolume delete "$zones/$vm/root" >/dev/null
imgadm delete "$(uuid 1)"
is "an unused image goes" "$status $out" "0 Deleted image $(uuid 1)"
[ ! -e "$zones/images/$(uuid 1)" ] && is_clean
ok "without a trace" $?
imgadm destroy "$(uuid 1)"
is "deleting it again is status 3" "$status" 3

# ---- one that is damaged
mkdir -p "$zones/images/$(uuid 9)/rootfs"
echo '{' >"$zones/images/$(uuid 9)/manifest.json"
imgadm list -H -o uuid
is "a damaged image does not hide the others" \
	"$status $(grep -c "$(uuid 9)" <<<"$out") $(grep -c 4222-8333 <<<"$out")" "0 0 7"
[[ $err == "warning: 1 images cannot be read; one of them: image '$(uuid 9)': manifest.json:"* ]]
ok "and is named" $?
imgadm delete "$(uuid 9)"
is "it can be deleted" "$status $out" "0 Deleted image $(uuid 9)"
imgadm delete nonsense
is "what is no UUID" "$status $err" "1 imgadm delete: error (InvalidUUID): invalid uuid: \"nonsense\""
finish
