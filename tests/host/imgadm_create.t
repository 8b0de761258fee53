#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm create: images of a VM, full and incremental, with every compressor; they
# install again, and a zone made of one starts.
IMAGE=tiny
# shellcheck source=tests/host/vmadm_lib.bash
. "$(dirname "$0")/vmadm_lib.bash"

img() {
	"$bin/imgadm" "$@" --root "$root" >"$dir/out" 2>"$dir/err"
	status=$?
	out=$(cat "$dir/out")
	err=$(cat "$dir/err")
}
# What a tree is, whoever looks: names, kinds, owners, times, links, content.
tree() {
	(cd "$1" && find . -mindepth 1 -not -type s -printf '%p %y %m %U %G %s %l %n ' -type f -printf '%T@ %b\n' -o -not -type s -printf '\n' | sed 's/ d \([0-7]*\) \([0-9]*\) \([0-9]*\) [0-9]* .*/ d \1 \2 \3/' | sort
		find . -type f -print0 | sort -z | xargs -0 sha1sum | sha1sum
		getfattr -Rhd -m '^user\.\|^security\.capability' . 2>/dev/null)
}
new_vm() { payload '"uuid": "'"$1"'", "alias": "c", "autoboot": false, "hostname": "made"' | "$bin/vmadm" --root "$root" create >/dev/null 2>&1; }
left() { ls -A "$zones/images/.partial"; ls -A "$root/etc/zones/.journal"; "$bin/vmadm" --root "$root" lookup | grep -v "$u"; }

u=$(printf eeeeeeee-0000-4000-8000-%012x $$)
new_vm $u || skip "no VM can be made"
r=$zones/$u/root
mkdir -p "$r/opt/sub/deep" "$r/opt/a"
echo hello >"$r/opt/hello" && chmod 4755 "$r/opt/hello" && chown 33:44 "$r/opt/hello"
ln "$r/opt/hello" "$r/opt/sub/again"
ln -s ../hello "$r/opt/a/link"
truncate -s 100M "$r/opt/sparse" && printf x | dd of="$r/opt/sparse" bs=1 seek=50000000 conv=notrunc 2>/dev/null
truncate -s 1M "$r/opt/hole"
mkfifo "$r/opt/fifo"
name=$(printf 'opt/n\303\244me')
touch -d '2001-02-03 04:05:06.123456789' "$r/$name"
setfattr -n user.note -v yes "$r/opt/hello" 2>/dev/null
setcap cap_net_raw+ep "$r/opt/sub/again" 2>/dev/null

# ---- full images ------------------------------------------------------------------
mkdir "$dir/o"
img create $u -c zstd -o "$dir/o" name=my/app version=1.0 description='a "text"' public=false
is "an image is made" "$status $err" "0 "
m=$dir/o/my-app-1.0.imgmanifest f=$dir/o/my-app-1.0.tar.zst
[ -s "$m" ] && [ -s "$f" ]
ok "... with both files" $?
case $out in "Inheriting from origin image $image ("*) true ;; *) false ;; esac
ok "it says what it inherits from" $?
is "the manifest tells the file" "$(jq -r '.files[0] | "\(.sha1) \(.size) \(.compression)"' "$m")" \
	"$(sha1sum <"$f" | cut -d' ' -f1) $(stat -c %s "$f") zstd"
is "fields are JSON where they can be" "$(jq -c '[.public, .description, .v]' "$m")" '[false,"a \"text\"",2]'
is "what is inherited" "$(jq -c '[.type, .os, .requirements.brand]' "$m")" "$(jq -c '[.type, .os, "lx"]' "$images/$IMAGE.json")"
tar -tf "$f" >/dev/null 2>&1
ok "another tar reads it" $?
is "VM and pool are as they were" "$(left)" ""
img install -q -m "$m" -f "$f"
is "it installs" "$status $err" "0 "
made=$(jq -r .uuid "$m")
tree "$r" >"$dir/want"
tree "$zones/images/$made/rootfs" >"$dir/got"
diff "$dir/want" "$dir/got" >"$dir/diff"
ok "... as the same tree" $?
head -5 "$dir/diff" | sed 's/^/# /'
[ "$(stat -c %b "$zones/images/$made/rootfs/opt/sparse")" -lt 2000 ]
ok "... with its holes" $?
img create $u -c zstd -o "$dir/again" name=x version=2
is "the same bytes again" "$(sha1sum <"$dir/again.tar.zst")" "$(sha1sum <"$f")"
for c in none gzip bzip2 xz; do
	img create $u -q -c $c -o "$dir/$c" name=x version=2 </dev/null
	file=$(ls "$dir/$c".tar*)
	img install -q -m "$dir/$c.imgmanifest" -f "$file"
	c_uuid=$(jq -r .uuid "$dir/$c.imgmanifest")
	tree "$zones/images/$c_uuid/rootfs" | cmp -s - "$dir/want"
	ok "$c: the same tree" $?
	img delete "$c_uuid"
done
echo '{"name":"piped","version":"3","tags":{"a":1}}' | "$bin/imgadm" create $u -q -m - -o "$dir/p" --root "$root" -j >"$dir/json" 2>/dev/null
is "a manifest by standard input, the result as JSON" "$(jq -c '[.name, .tags]' "$dir/json")" '["piped",{"a":1}]'

own=22222222-0000-4000-8000-$(printf %012x $$)
image=$made new_vm $own
ok "a VM of the image is made" $?
vm start $own
is "... and starts" "$status" 0
is "... with what was in it" "$(in_zone $own cat /opt/hello)" hello
vm delete $own

# ---- incremental ------------------------------------------------------------------
v=$(printf eeeeeeee-0001-4000-8000-%012x $$)
image=$made new_vm $v
s=$zones/$v/root
echo more >>"$s/opt/sub/again"
rm -r "$s/opt/a" && echo file >"$s/opt/a"
rm "$s/opt/fifo" "$s/opt/hole"
mkdir "$s/opt/hole" && echo in >"$s/opt/hole/in"
chmod 700 "$s/opt/sub/deep"
ln "$s/opt/sparse" "$s/opt/a-second-name"
touch -d 2001-02-03 "$s/opt/hello"
img create $v -q -i -c gzip -o "$dir/inc" name=inc version=1
is "an incremental image is made" "$status $err" "0 "
is "... of its origin" "$(jq -r .origin "$dir/inc.imgmanifest")" "$made"
n=$(tar -tf "$dir/inc.tar.gz" 2>/dev/null | wc -l)
[ "$n" -gt 5 ] && [ "$n" -lt 40 ]
ok "... with little in it ($n)" $?
tar -tf "$dir/inc.tar.gz" | grep -q '^opt/.wh.fifo$'
ok "what is gone is told" $?
img install -q -m "$dir/inc.imgmanifest" -f "$dir/inc.tar.gz"
is "it installs" "$status $err" "0 "
tree "$s" >"$dir/want2"
tree "$zones/images/$(jq -r .uuid "$dir/inc.imgmanifest")/rootfs" | diff "$dir/want2" - >"$dir/diff"
ok "... as the same tree" $?
head -5 "$dir/diff" | sed 's/^/# /'
touch "$s/opt/.wh.x"
img create $v -q -i -o "$dir/no" name=inc version=1
case $status$err in "1imgadm create: error (FileSystem): 'opt/.wh.x'"*) true ;; *) false ;; esac
ok "a name that would take something away is refused ($err)" $?
rm "$s/opt/.wh.x"
img create $v -q -i --max-origin-depth 2 -o "$dir/depth" name=inc version=1
is "a chain of two is none of three" "$status $err" "0 "
w=$(printf eeeeeeee-0003-4000-8000-%012x $$)
image=$(jq -r .uuid "$dir/inc.imgmanifest") new_vm $w
img create $w -q -i --max-origin-depth 2 -o "$dir/no" name=inc version=1
case "$status $err" in "1 imgadm create: error (MaxOriginDepth): "*) true ;; *) false ;; esac
ok "... which is refused" $?
vm delete $w

# ---- refusals ---------------------------------------------------------------------
refused() { is "$1" "$status $(sed -n 's/.*error (\([A-Za-z]*\)).*/\1/p' "$dir/err" | head -1)" "$2"; }
img create 99999999-9999-4999-8999-999999999999 name=x version=1; refused "no such VM" "1 VmNotFound"
img create nonsense name=x version=1; refused "no UUID" "1 InvalidUUID"
img create $u -q -o "$dir/no" version=1; refused "no name" "1 ManifestValidation"
img create $u -q -c lzma name=x version=1; [ "$status" -eq 1 ]; ok "an unknown compressor" $?
img create $u -q -o "$dir/absent/x" name=x version=1; refused "no such folder" "1 FileSystem"
vm start $u
img create $u -q -o "$dir/no" name=x version=1; refused "one that runs" "1 VmNotStopped"
is "no file is left of all these" "$(ls -A "$dir" | grep "^no\.\|^\.")" ""
vm delete $v
vm stop -F $u
is "nothing is left" "$(left)" ""
finish
