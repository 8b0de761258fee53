#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The two documents that say what a platform is made of, on a build of a few files.
. "$(dirname "$0")/build_lib.bash"
for program in perl dpkg-deb python3 jq; do
	command -v "$program" > /dev/null || { echo "1..0 # SKIP no $program"; exit 0; }
done

b=$work/b
mkdir -p "$b/core" "$b/image" "$b/images" "$b/proto/stamp/etc/version" "$b/proto/dais/usr/sbin" \
	"$b/proto/local.site/usr/bin" "$work/cache/debs" "$work/doc"
long=usr/share/$(printf 'deep/%.0s' {1..60})end

# An assembled root of two packages, one of them with a file that is changed by its script.
root=$work/root
mkdir -p "$root/var/lib/dpkg/info" "$root/usr/share/doc/one" "$root/usr/share/doc/two"
printf 'Package: one\nVersion: 1:2+b1\nSource: uno (1:2)\n\nPackage: two\nVersion: 3\n' \
	> "$root/var/lib/dpkg/status"
printf '/.\n/usr/bin/one\n/lib/lib.so\n/%s\n' "$long" > "$root/var/lib/dpkg/info/one.list"
echo /usr/bin/two > "$root/var/lib/dpkg/info/two:amd64.list"
cat > "$root/usr/share/doc/one/copyright" <<'END'
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: GPL-2+ or Artistic, and Expat

Files: x
License: GPL-2 with strange exception

Files: y
License: Expat and GPL-2+

License: GPL-2 with strange exception
 You may.
 .
 You may not.
END
echo "do as you like" > "$root/usr/share/doc/two/copyright"
tar -C "$root" -cf "$b/core/root.tar" .

# A package that is only unpacked.
mkdir -p "$work/deb/DEBIAN" "$work/deb/usr/lib/modules"
printf 'Package: kernel\nVersion: 6\nArchitecture: amd64\nMaintainer: x <x@x>\nDescription: x\nSource: linux\n' \
	> "$work/deb/DEBIAN/control"
echo "00000000000000000000000000000000  usr/lib/modules/m.ko" > "$work/deb/DEBIAN/md5sums"
echo m > "$work/deb/usr/lib/modules/m.ko"
dpkg-deb -b "$work/deb" "$work/kernel.deb" > /dev/null
kernel=$(sha256sum < "$work/kernel.deb" | cut -d' ' -f1)
mv "$work/kernel.deb" "$work/cache/debs/$kernel.deb"
hex() { printf '%064d' "$1"; }
printf '# lists x\none 1:2+b1 amd64 %s install\ntwo 3 amd64 %s install\nkernel 6 amd64 %s unpack\n' \
	"$(hex 1)" "$(hex 2)" "$kernel" > "$b/core/lock"

# The image: files of packages, of ours, of a site, and one that nobody owns.
img=$work/img
mkdir -p "$img/usr/bin" "$img/usr/sbin" "$img/usr/lib/modules" "$img/etc/version" "$img/${long%/*}" \
	"$img/usr/share/dais"
for f in usr/bin/one usr/bin/site usr/lib/lib.so usr/lib/modules/m.ko usr/sbin/vmadm etc/made "$long"; do
	echo "content of $f" > "$img/$f"
done
ln "$img/usr/bin/one" "$img/usr/bin/same"
echo '[{"repo":"dais","rev":"abc123","dirty":true},{"repo":"site","rev":"def456","dirty":false}]' \
	> "$b/proto/stamp/etc/version/build"
cp "$b/proto/stamp/etc/version/build" "$img/etc/version/"
touch "$b/proto/dais/usr/sbin/vmadm" "$b/proto/local.site/usr/bin/site"
(cd "$img" && find . -type f -print0 | sort -z | xargs -0 sha256sum) > "$b/image/manifest.sums"
cp "$b/image/manifest.sums" "$img/usr/share/dais/manifest"
tar -C "$img" --sort=name --format=posix -cf "$b/image/root.tar" etc usr

echo zone > "$b/images/base.tar.zst"
printf '{"name":"base","version":"1","uuid":"u","files":[{"sha1":"x"}]}\n' > "$b/images/base.json"
printf 'one 1:2+b1 amd64 %s\nthree 1 all %s\n' "$(hex 1)" "$(hex 3)" > "$b/images/base.packages"

sbom() # sbom FOLDER: write both documents there
{
	(cd "$work" && env BUILD="$b" PROTO="$b/proto" CACHE="$work/cache" SOURCE_DATE_EPOCH=1000000000 \
		BUILDSTAMP=20010909T014640Z "$top/tools/sbom/make" "$1")
}

run sbom "$work/doc"
is "both documents are written" 0 ""
run python3 -W ignore "$top/tests/cli/sbom_rules.py" "$work/doc"
is "they keep the rules of their formats" 0 ""
SBOM_ROOT=$b/image/root.tar run python3 -W ignore "$top/tests/cli/sbom_rules.py" "$work/doc"
is "they have every file of the image, and no other" 0 ""
mkdir "$work/wrong"
sed "0,/$(sha256sum < "$img/usr/sbin/vmadm" | cut -d' ' -f1)/s//$(printf '%064d' 7)/" \
	"$work/doc/sbom.cdx.json" > "$work/wrong/sbom.cdx.json"
jq 'del(.files[] | select(.fileName == "./etc/made"))' "$work/doc/sbom.spdx.json" > "$work/wrong/sbom.spdx.json"
SBOM_ROOT=$b/image/root.tar run python3 -W ignore "$top/tests/cli/sbom_rules.py" "$work/wrong"
says "another hash is found" out "CycloneDX: 'usr/sbin/vmadm' has other hashes in the image"
says "and so is a file that is not told of" out "SPDX: 'etc/made' is in the image, and not in the document"
[ -n "${CYCLONEDX_SCHEMAS:-}" ] && [ -n "${SPDX_SCHEMA:-}" ] ||
	echo "# the published schemas are asked when CYCLONEDX_SCHEMAS and SPDX_SCHEMA name them"
if [ -n "${SBOM:-}" ]; then
	run python3 -W ignore "$top/tests/cli/sbom_rules.py" "$SBOM"
	is "so do those in '$SBOM'" 0 ""
fi

spdx=$work/doc/sbom.spdx.json cdx=$work/doc/sbom.cdx.json
from() # from FILE: the component that SPDX says it is from
{
	jq -r --arg f "./$1" '(.files[] | select(.fileName == $f).SPDXID) as $id |
		(.relationships[] | select(.spdxElementId == $id) |
			select(.relationshipType != "CONTAINS").relatedSpdxElement) as $p |
		.packages[] | select(.SPDXID == $p).name' "$spdx"
}
for pair in usr/bin/one:one usr/lib/lib.so:one "$long:one" usr/lib/modules/m.ko:kernel \
	usr/sbin/vmadm:dais usr/bin/site:site etc/version/build:dais etc/made:debian-root; do
	run from "${pair%:*}"
	is "of ${pair##*:}: ${pair%%:*}" 0 "${pair##*:}"
done

run jq -r '.packages[] | select(.name == "one") | .licenseDeclared, .sourceInfo,
	.checksums[0].checksumValue, .externalRefs[0].referenceLocator' "$spdx"
is "a package has licence, source, sum and purl" 0 "((GPL-2.0-or-later OR Artistic-1.0-Perl) AND MIT) \
AND GPL-2.0-or-later AND LicenseRef-GPL-2-with-strange-exception AND MIT
built from source package uno 1:2
$(hex 1)
pkg:deb/debian/one@1%3A2%2Bb1?arch=amd64"
run jq -r '.hasExtractedLicensingInfos[].extractedText' "$spdx"
is "a licence that SPDX does not know comes with its text" 0 "You may.

You may not."
run jq -r '.packages[] | select(.name == "two").licenseDeclared' "$spdx"
is "prose is not guessed at" 0 NOASSERTION
run jq -r '.components[] | .name + " " + .scope' "$cdx"
is "what ships no file is out of scope" 0 "kernel required
one required
two excluded
dais required
site required
debian-root required
base optional"
run jq -r '.components[] | select(.name == "dais") | .version, .description' "$cdx"
is "our part has its commit, and says when the tree was not that" 0 "abc123
built from a tree with changes that are in no commit"
[ "$(jq -r '.. | select(.name? == "/usr/bin/same") | .hashes[] | .content' "$cdx" | paste -sd' ')" = \
	"$(sha1sum < "$img/usr/bin/one" | cut -d' ' -f1) $(sha256sum < "$img/usr/bin/one" | cut -d' ' -f1)" ]
ok "a hard link has the sums of its file" $?

mkdir "$work/again"
(export TZ=Asia/Tokyo PERL_HASH_SEED=7; sbom "$work/again") && cmp -s "$spdx" "$work/again/sbom.spdx.json" &&
	cmp -s "$cdx" "$work/again/sbom.cdx.json"
ok "the same build gives the same bytes" $?
sed -i 's/abc123/abc124/' "$b/proto/stamp/etc/version/build"
sbom "$work/again" && [ "$(jq .serialNumber "$cdx")" != "$(jq .serialNumber "$work/again/sbom.cdx.json")" ]
ok "another content has another name" $?

# The kernel from its source, with a patch, in place of the package's.
mkdir -p "$b/proto/kernel.linux/usr/lib/modules" "$work/projects/kernel/linux/Patches"
touch "$b/proto/kernel.linux/usr/lib/modules/m.ko"
ln -s "$top/tools" "$work/tools"
printf '%s\n' 'deb linux-source-6.1 6.1-1' "$(hex 8) linux-source-6.1_6.1-1_all.deb" \
	"$(hex 9) linux-config-6.1_6.1-1_amd64.deb" > "$work/projects/kernel/linux/source"
echo "a patch" > "$work/projects/kernel/linux/Patches/0001-louder.patch"
export PARTS=kernel.linux
run sbom "$work/doc"
is "with the kernel from its source they are written" 0 ""
run python3 -W ignore "$top/tests/cli/sbom_rules.py" "$work/doc"
is "by the rules" 0 ""
run from usr/lib/modules/m.ko
is "its modules are from it" 0 linux
run jq -r '.components[] | select(.name == "linux") | .version, (.properties[] | .name + " " + .value)' "$cdx"
is "which is named with the packages of its source and each patch, by digest" 0 "6.1-1
dais:source $(hex 8) linux-source-6.1_6.1-1_all.deb
dais:source $(hex 9) linux-config-6.1_6.1-1_amd64.deb
dais:patch $(sha256sum <<< "a patch" | cut -d' ' -f1) 0001-louder.patch"
unset PARTS

sed -i '/made/d' "$b/image/manifest.sums"
run sbom "$work/again"
[ "$status" -ne 0 ]
ok "a file that is not in the sums is refused" $?
says "by name" err "sbom: 'etc/made' is in the archive, and not in the list of sums"
echo 'one 1 amd64 short' >> "$b/core/lock"
run sbom "$work/again"
says "so is a lock that is none, with its line" err "core/lock:5: not \"NAME VERSION ARCHITECTURE SHA256\""
done_testing
