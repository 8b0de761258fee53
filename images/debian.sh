# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154,SC2034  # what is sourced and who sources it set them
#
# debian.sh - an image made of Debian packages; sourced by images/NAME/build, which has set
# `image` (its folder's name), `made` (the files that it makes beside NAME.json and
# NAME.packages) and `also` (inputs that lie elsewhere), and calls debian_begin "$@", debian_tree, debian_end.
#
#	build [-fL] -o DIR [-c CACHE] [-p TREE] [-z LEVEL]
#
# Writes into DIR: what is made, NAME.json (its manifest), NAME.packages (what it was made of)
# and NAME.key, a hash of the inputs. Where that key is there already nothing is done, unless
# -f asks for it. Runs as root and as an ordinary user alike (mmdebstrap chooses). CACHE keeps
# packages from one run to the next; TREE holds programs that are placed as "files" are.
# Nothing in DIR is touched before all of it is ready.
#
# The lock beside the script names the packages that the image was made of last. Where the
# mirror has outrun it the build goes on with what there is and says so; -L refuses instead.
# To take over new versions copy NAME.packages over the lock.
#
# What goes in is said by the files packages, rules, files/ and, placed before the packages are
# configured as well as after it, early/; see docs/base-image.md.
#
# sets	work (a folder that is removed), out, level, here, top
# environment	ZSTD, BSDTAR may name the build root's programs
set -eu
umask 022
LC_ALL=C TZ=UTC
export LC_ALL TZ

suite=trixie
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

# No time of ours is in the image: whatever is younger gets this one.
SOURCE_DATE_EPOCH=1735689600
export SOURCE_DATE_EPOCH

usage() {
	echo "usage: build [-fL] -o DIR [-c CACHE] [-p TREE] [-z LEVEL]" >&2
	exit 2
}

die() {
	echo "images/$image/build: $*" >&2
	exit 1
}

# The inputs: names, content, what can be executed (other bits of modes are the umask's of
# who cloned, and get lost), and how hard to compress.
input_key() {
	{
		echo "level $level locked $locked"
		(cd "$top" && sha256sum images/debian.sh ${also:-})
		(cd "$here" && find . -type f \( -perm -100 -printf 'x ' -o -printf '. ' \) \
			-exec sha256sum {} \; | sort -k 3)
		[ -z "$programs" ] || (cd "$programs" &&
			find . ! -type d \( -perm -100 -printf 'x ' -o -printf '. ' \) \
				-printf '%l ' -exec sha256sum {} \; | sort)
	} | sha256sum | cut -c1-64
}

is_built() {
	[ -z "$force" ] && [ -f "$out/$image.json" ] &&
		[ "$(cat "$out/$image.key" 2>/dev/null)" = "$key" ] || return 1
	for file in $made; do
		[ -f "$out/$file" ] || return 1
	done
}

# Exits where there is nothing to do.
debian_begin() {
	out='' cache='' programs='' level=19 force='' locked=''
	while getopts fLo:c:p:z: opt; do
		case $opt in
		f) force=1 ;;
		L) locked=1 ;;
		o) out=$OPTARG ;;
		c) cache=$OPTARG ;;
		p) programs=$(cd "$OPTARG" && pwd) ;;
		z) level=$OPTARG ;;
		*) usage ;;
		esac
	done
	shift $((OPTIND - 1))
	[ $# -eq 0 ] && [ -n "$out" ] || usage
	mkdir -p "$out"
	out=$(cd "$out" && pwd)
	key=$(input_key)
	if is_built; then
		exit 0
	fi

	# One at a time: what lies here of others is of the dead.
	exec 9>"$out/.$image.lock"
	flock 9
	if is_built; then
		exit 0
	fi
	rm -rf "$out/.$image".??????
	for tool in mmdebstrap zstd sha256sum sha1sum jq; do
		command -v "$tool" >/dev/null || die "'$tool' is not installed"
	done
	work=$(mktemp -d "$out/.$image.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	# An ordinary user's mmdebstrap works under ids that are not the user's.
	chmod 755 "$work"
}

# The words of a list file, without comments and empty lines.
lines() {
	sed -e 's/[ 	]*#.*//' -e '/^[ 	]*$/d' "$1"
}

# rules_of WORD: the arguments of each such rule, one rule a line.
rules_of() {
	lines "$here/rules" | awk -v word="$1" '$1 == word { $1 = ""; print substr($0, 2) }'
}

check_rules() {
	lines "$here/rules" | awk '
	BEGIN {
		want["exclude"] = want["keep"] = want["remove"] = want["mask"] = want["no-generator"] = 2
		want["disable"] = want["enable"] = want["link"] = want["folder"] = 3
	}
	NF != want[$1] { print "rules: \"" $0 "\" is no rule"; bad = 1 }
	END { exit bad }' >&2 || exit 1
}

# The script that finishes the tree from inside. It runs in the new root, because
# only there do its names mean what they say.
finish_script() {
	echo 'set -e'
	echo 'cd /'
	echo "dpkg-query -W -f '\${Package} \${Version} \${Architecture}\\n' >/.dais-packages"
	echo "find /usr/share/doc -name copyright -printf '%T@\\n' |" \
		"sort -n | tail -n 1 | cut -d. -f1 >/.dais-epoch"
	rules_of mask | while read -r unit; do
		echo "ln -sfn /dev/null '/etc/systemd/system/$unit'"
	done
	echo 'mkdir -p /etc/systemd/system-generators'
	rules_of no-generator | while read -r name; do
		echo "ln -sfn /dev/null '/etc/systemd/system-generators/$name'"
	done
	rules_of disable | while read -r unit by; do
		echo "rm -f '/etc/systemd/system/$by.wants/$unit'"
	done
	rules_of enable | while read -r unit by; do
		echo "mkdir -p '/etc/systemd/system/$by.wants'"
		echo "ln -sfn '/usr/lib/systemd/system/$unit' '/etc/systemd/system/$by.wants/$unit'"
	done
	# What the first boot would find to do is done already.
	echo 'systemd-sysusers'
	rules_of remove | while read -r path; do
		echo "rm -rf $path"
	done
	rules_of link | while read -r path target; do
		echo "ln -sfn '$target' '$path'"
	done
	# An empty file lets systemd make an id without taking it for a first boot.
	echo ': >/etc/machine-id'
	rules_of folder | while read -r mode path; do
		echo "install -d -m '$mode' '$path'"
	done
	echo 'install -d -m 755 /var/log'
	echo 'install -d -m 1777 /tmp'
	echo 'find /etc/systemd/system -type d -empty -delete'
	echo ': >/etc/.updated'
	echo ': >/var/.updated'
}

# overlay TAR FOLDER...: what the folders hold, one over the other, as root's.
overlay() {
	tar=$1
	rm -rf "$work/overlay"
	mkdir "$work/overlay"
	shift
	for dir; do
		cp -R "$dir/." "$work/overlay"
	done
	tar -C "$work/overlay" --sort=name --owner=0 --group=0 --numeric-owner \
		--mtime="@$SOURCE_DATE_EPOCH" --mode='u=rwX,go=rX' -cf "$tar" .
}

# Where the cache has all packages of the lock, those are taken, out of a repository made for
# the moment; -f asks the mirror all the same.
locked_packages() {
	[ -z "$force" ] && [ -n "$cache" ] && [ -s "$here/lock" ] || return 1
	lines "$here/lock" | awk -v dir="$cache" '{
		file = $2
		gsub(/:/, "%3a", file)
		print $4 "  " dir "/" $1 "_" file "_" $3 ".deb"
	}' >"$work/locked"
	sha256sum --check --status --strict "$work/locked" 2>/dev/null || return 1
	mkdir "$work/repo"
	while read -r sum file; do
		ln "$file" "$work/repo/$sum.deb" 2>/dev/null || cp "$file" "$work/repo/$sum.deb"
		chmod 644 "$work/repo/$sum.deb"
		dpkg-deb -f "$file"
		printf 'Filename: %s.deb\nSize: %s\nSHA256: %s\n\n' "$sum" "$(stat -Lc %s "$file")" "$sum"
	done <"$work/locked" >"$work/repo/Packages"
	echo "deb [trusted=yes] copy:$work/repo ./" >"$work/sources.list"
}

bootstrap() {
	set -- --variant=apt --format=tar --quiet \
		--include="$(lines "$here/packages" | paste -sd,)" \
		--aptopt="$work/apt.conf" --dpkgopt="$work/dpkg.cfg" \
		--skip=output/dev,output/mknod
	if locked_packages; then
		set -- "$@" --skip=check/signed-by
	elif [ -n "$cache" ]; then
		set -- "$@" --skip=download/empty,essential/unlink \
			--setup-hook='mkdir -p "$1"/var/cache/apt/archives/partial' \
			--setup-hook="sync-in $cache /var/cache/apt/archives" \
			--customize-hook="sync-out /var/cache/apt/archives $cache"
	fi
	set -- "$@" --setup-hook="copy-in $work/98dais /etc/dpkg/dpkg.cfg.d" \
		--extract-hook="sh $work/leave-out \"\$1\""
	[ ! -d "$here/early" ] || set -- "$@" --essential-hook="tar-in $work/early.tar /"
	# When it fails it hangs up its whole process group: that must not be ours.
	setsid -w mmdebstrap "$@" \
		--customize-hook="copy-in $work/dais-finish /" \
		--customize-hook='chroot "$1" sh /dais-finish' \
		--customize-hook="tar-in $work/overlay.tar /" \
		--customize-hook="download /.dais-packages $work/packages" \
		--customize-hook="download /.dais-epoch $work/epoch" \
		--customize-hook='rm "$1"/etc/dpkg/dpkg.cfg.d/98dais "$1"/.dais-packages "$1"/.dais-epoch "$1"/dais-finish' \
		"$suite" "$work/tree.tar" "$work/sources.list"
}

# The script for the files that mmdebstrap unpacks before there is a dpkg: what stays out of
# those goes again. mmdebstrap has a filter for that, in Python, which takes longer than dpkg.
leave_out() {
	echo 'cd "$1"'
	{
		echo 'find . -xdev -depth ( -false'
		rules_of exclude | sed 's/.*/-o -path .&/'
		echo ') ! ( -false'
		rules_of keep | sed 's/.*/-o -path .&/'
		echo ') ( ! -type d -o -empty ) -delete'
	} | paste -sd' ' | sed 's/[][()*?!]/\\&/g'
}

# Name, version, architecture, and the SHA-256 where the package itself is at hand.
package_list() {
	while read -r name version arch; do
		sum=-
		file=$cache/${name}_$(echo "$version" | sed 's/:/%3a/g')_$arch.deb
		[ -z "$cache" ] || [ ! -f "$file" ] || sum=$(sha256sum <"$file" | cut -c1-64)
		echo "$name $version $arch $sum"
	done <"$work/packages"
}

# What differs from the lock, a line each: "+" is in the image, "-" in the lock.
check_lock() {
	[ -f "$here/lock" ] || return 0
	fields=1-4
	# Without a cache nothing is known of the packages' sums.
	[ -n "$cache" ] || fields=1-3
	cut -d ' ' -f "$fields" "$here/lock" >"$work/lock"
	cut -d ' ' -f "$fields" "$work/$image.packages" | diff -U 0 "$work/lock" - |
		sed -n 's/^\([-+]\)\([^-+]\)/\1 \2/p' >"$work/outrun" || :
	[ -s "$work/outrun" ] || return 0
	sed 's/^/	/' "$work/outrun" >&2
	[ -z "$locked" ] || die "the mirror has outrun 'images/$image/lock' (above), and -L" \
		"refuses that; nothing was written to '$out'"
	echo "images/$image/build: the mirror has outrun 'images/$image/lock' (above); what was" \
		"used is in '$out/$image.packages'" >&2
}

# What the mirror has outrun is of no more use.
prune_cache() {
	[ -n "$cache" ] || return 0
	awk '{ gsub(/:/, "%3a", $2); print $1 "_" $2 "_" $3 ".deb" }' "$work/packages" |
		sort >"$work/used"
	for deb in "$cache"/*.deb; do
		grep -qxF "${deb##*/}" "$work/used" || rm -f "$deb"
	done
	rm -rf "$cache/lock" "$cache/partial"
}

# Debian 12 and 13 write other headers, and only one an entry for /dev. BSDTAR and
# ZSTD may name the build root's programs, which make one archive of both.
normalise() {
	[ -n "${BSDTAR:-}" ] || return 0
	# shellcheck disable=SC2086 # several words
	$BSDTAR -cf - --format=pax --exclude ./dev @- <"$work/tree.tar" >"$work/tree.new" ||
		die "cannot rewrite the archive"
	mv "$work/tree.new" "$work/tree.tar"
}

# The packages and what the rules make of them: $work/tree.tar, $work/NAME.packages, $work/epoch.
debian_tree() {
	check_rules
	"$top/tools/apt-sources" "$suite" >"$work/sources.list"
	{
		"$top/tools/apt-sources" --conf
		echo 'APT::Install-Recommends "false";'
	} >"$work/apt.conf"
	echo force-unsafe-io >"$work/dpkg.cfg" # the tree is archived, not kept
	{
		rules_of exclude | sed 's/^/path-exclude=/'
		rules_of keep | sed 's/^/path-include=/'
	} >"$work/98dais"
	leave_out >"$work/leave-out"
	finish_script >"$work/dais-finish"
	[ ! -d "$here/early" ] || overlay "$work/early.tar" "$here/early"
	overlay "$work/overlay.tar" "$here/files" ${programs:+"$programs"}
	if [ -n "$cache" ]; then
		mkdir -p "$cache"
		cache=$(cd "$cache" && pwd)
	fi
	bootstrap || die "mmdebstrap failed; nothing was written to '$out'"
	package_list >"$work/$image.packages"
	check_lock
	prune_cache
	normalise
}

# content_uuid FILE: a UUID (version 8: made our own way) from the SHA-256 of the content.
content_uuid() {
	sha256sum <"$1" | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-8\3-8\4-\5/'
}

# compress FILE: FILE.zst
compress() {
	# shellcheck disable=SC2086 # several words
	${ZSTD:-zstd} -q -T0 "-$level" --stream-size="$(stat -c %s "$1")" <"$1" >"$1.zst" ||
		die "cannot compress the image"
}

# manifest FILE UUID FILTER: the manifest of the image in FILE.zst; FILTER, of jq, adds to it.
manifest() {
	epoch=$(cat "$work/epoch")
	jq -n --arg uuid "$2" --arg date "$(date -u -d "@$epoch" +%Y%m%d)" \
		--arg at "$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" \
		--arg sha1 "$(sha1sum <"$1.zst" | cut -c1-40)" \
		--argjson plain "$(stat -c %s "$1")" \
		--argjson size "$(stat -c %s "$1.zst")" '{
		v: 2, uuid: $uuid, owner: "00000000-0000-0000-0000-000000000000",
		name: "", version: ("13." + $date), state: "active", disabled: false,
		public: true, published_at: $at, type: "", os: "linux",
		files: [ { sha1: $sha1, size: $size, compression: "zstd" } ],
		description: "" } | '"$3"
}

# The key goes first and comes back last: a run that is cut short here is repeated.
# The manifest follows what it names.
debian_end() {
	rm -f "$out/$image.key"
	for file in "$image.packages" $made "$image.json"; do
		mv -f "$work/$file" "$out/$file"
	done
	echo "$key" >"$work/$image.key"
	mv -f "$work/$image.key" "$out/$image.key"
}
