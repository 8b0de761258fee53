#!/bin/bash
# SPDX-License-Identifier: MIT
#
# resolve and fetch against a mirror in a folder: locks, and mirrors that moved on.
. "$(dirname "$0")/build_lib.bash"
[ -x /usr/lib/apt/apt-helper ] && command -v dpkg-deb > /dev/null ||
	{ echo "1..0 # SKIP apt is not here"; exit 0; }

mirror=$work/debian
export CACHE=$work/cache SUITE=trixie DAIS_APT_DIR=$work/apt APT_CONFIG=/dev/null
mkdir -p "$mirror/pool" "$work/apt"
echo "deb [trusted=yes] file:$mirror trixie main" > "$work/apt/sources.list"

package() # package NAME VERSION [FIELD...]: a package in the mirror
{
	local name=$1 version=$2 tree=$work/tree
	shift 2
	rm -rf "$tree"
	mkdir -p "$tree/DEBIAN" "$tree/usr/share/$name"
	echo "$version" > "$tree/usr/share/$name/version"
	{
		printf 'Package: %s\nVersion: %s\nArchitecture: all\n' "$name" "$version"
		printf 'Maintainer: Nobody <nobody@example.test>\nDescription: test\n'
		printf '%s\n' "$@"
	} | sed '/^$/d' > "$tree/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$tree" "$mirror/pool/${name}_${version}_all.deb" > /dev/null
}

publish() # the mirror's lists, for what is in its pool now
{
	local dist=$mirror/dists/trixie list=$mirror/dists/trixie/main/binary-amd64/Packages deb
	mkdir -p "${list%/*}"
	for deb in "$mirror"/pool/*.deb; do
		dpkg-deb -f "$deb"
		printf 'Filename: pool/%s\nSize: %s\nSHA256: %s\n\n' "${deb##*/}" "$(stat -c %s "$deb")" \
			"$(sha256sum < "$deb" | cut -d' ' -f1)"
	done > "$list"
	{
		printf 'Origin: Debian\nSuite: trixie\nCodename: trixie\nArchitectures: amd64\n'
		printf 'Components: main\nDate: %s\nSHA256:\n' "$(date -Ru)"
		printf ' %s %s main/binary-amd64/Packages\n' "$(sha256sum < "$list" | cut -d' ' -f1)" \
			"$(stat -c %s "$list")"
	} > "$dist/Release"
	rm -f "$CACHE/apt/trixie/updated"
}

version_of() # version_of NAME LOCK
{
	awk -v name="$1" '$1 == name { print $2, $5 }' "$2"
}

fetch()
{
	run "$top/tools/core/fetch" "$@" "$work/list"
}

package base 1 'Essential: yes'
package tool 1.0 'Depends: libtool'
package libtool 2:1.0
package linux-image-9-fast 9.1
package linux-image-fast 9.1 'Depends: linux-image-9-fast, base'
publish
cat > "$work/list" <<-END
	# a list
	tool	# because
	unpack linux-image-fast
END

lock=$work/lock used=$work/used
run "$top/tools/core/resolve" -o "$lock" "$work/list"
is "lists are resolved" 0 ""
[ "$(version_of base "$lock")" = "1 install" ] && [ "$(version_of libtool "$lock")" = "2:1.0 install" ] &&
	[ "$(version_of tool "$lock")" = "1.0 install" ]
ok "to essential packages, to what is named, and what that needs" $?
[ "$(version_of linux-image-9-fast "$lock")" = "9.1 unpack" ] && ! grep -q '^linux-image-fast ' "$lock"
ok "a kernel's name to the kernel, to be unpacked" $?

fetch -l "$lock" -o "$used"
is "the packages of a lock are fetched" 0
cmp -s "$lock" "$used" && [ "$(ls "$CACHE/debs" | wc -l)" -eq 4 ]
ok "and the lock is what was used" $?
sum=$(awk '$1 == "tool" { print $4 }' "$lock")
[ "$(sha256sum < "$CACHE/debs/$sum.deb" | cut -d' ' -f1)" = "$sum" ]
ok "each under its digest" $?

# By its clock the one at work is of yesterday, too.
mkdir "$CACHE/fetch.killed" "$CACHE/fetch.working"
exec 8> "$CACHE/fetch.working/lock"
flock 8
touch -d yesterday "$CACHE/fetch.killed" "$CACHE/fetch.working"
fetch -l "$lock" -o "$used"
is "what a killed one has left is removed" 0
[ ! -e "$CACHE/fetch.killed" ] && [ -e "$CACHE/fetch.working" ]
ok "what one at work has is not, whatever the clock says" $?
exec 8>&-
rm -r "$CACHE/fetch.working"

echo torn > "$CACHE/debs/$sum.deb"
fetch -l "$lock" -o "$used"
is "a package that is damaged in the cache is no matter" 0
says "but is said" err "$sum.deb' is damaged"
[ "$(sha256sum < "$CACHE/debs/$sum.deb" | cut -d' ' -f1)" = "$sum" ]
ok "and is fetched again" $?

mv "$mirror" "$mirror.away"
fetch -l "$lock" -o "$used"
is "with a full cache no mirror is needed" 0
mv "$mirror.away" "$mirror"

# The mirror moves on: libtool 1.0 is replaced, base stays.
rm "$mirror"/pool/libtool_*
package libtool 2:1.1
publish
fetch -L -l "$lock" -o "$used"
is "what is gone but in the cache is no matter, even for a locked build" 0

rm "$CACHE/debs/$(awk '$1 == "libtool" { print $4 }' "$lock").deb"
cp "$used" "$work/before"
fetch -L -l "$lock" -o "$used"
is "a locked build refuses when a package is gone" 1
says "and names it" err "libtool 2:1.0"
cmp -s "$used" "$work/before"
ok "and leaves the used lock alone" $?

fetch -l "$lock" -o "$used"
is "any other build goes on" 0
says "and says what is gone" err "gone from the mirror: libtool 2:1.0"
says "and what is taken" err "libtool 2:1.1 in place of 2:1.0"
[ "$(version_of libtool "$used")" = "2:1.1 install" ] && [ "$(version_of libtool "$lock")" = "2:1.0 install" ]
ok "and writes the lock that it used, not the other" $?

# A newer tool beside the locked one: the lock still decides.
package tool 1.5 'Depends: libtool'
publish
rm -rf "$CACHE/debs"
fetch -l "$used" -o "$work/used2"
is "a newer version does not displace a locked one that is still there" 0
[ "$(version_of tool "$work/used2")" = "1.0 install" ]
ok "so the old one is fetched" $?

# The same version with other bytes is not the locked package.
rm -rf "$CACHE/debs" "$mirror"/pool/tool_1.5_all.deb
package tool 1.0 'Depends: libtool' 'Section: misc'
publish
fetch -L -l "$used" -o "$work/used2"
is "the same version with other bytes is gone, too" 1
says "and named" err "tool 1.0"

echo new >> "$work/list"
package new 3
publish
fetch -L -l "$used" -o "$work/used2"
is "a locked build refuses lists that the lock is not of" 1
says "and says how to renew it" err "make lock"
fetch -l "$used" -o "$work/used2"
says "another one adds what is new" err "new 3 is new"

echo absent >> "$work/list"
echo missing >> "$work/list"
run "$top/tools/core/resolve" -o "$work/lock3" "$work/list"
is "a package that does not exist is an error" 1
says "that names all of them" err "absent missing"
[ ! -e "$work/lock3" ]
ok "and leaves no lock" $?
echo "two words here" > "$work/list"
run "$top/tools/core/resolve" -o "$work/lock3" "$work/list"
says "so is a line that is none" err "'two words here' in a package list"

printf '# lists x\nbroken line\n' > "$work/lock4"
echo tool > "$work/list"
fetch -l "$work/lock4" -o "$used"
is "a damaged lock is refused" 1
says "with its line" err "$work/lock4:2:"

rm -rf "$mirror" "$CACHE/debs"
fetch -l "$lock" -o "$used"
is "no mirror and no cache is an error" 1
done_testing
