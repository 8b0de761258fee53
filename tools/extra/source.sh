# SPDX-License-Identifier: MIT
#
# source.sh - the file `source` of an extra component. Sourced by fetch and lock.
#
# It names what the component is made of, and is the only place that does:
#
#	package NAME VERSION	the Debian source package that has these files
#	deb NAME VERSION	or the Debian package, which is then what is unpacked; of several
#				the one whose name the file begins with
#	url ADDRESS		or where else they are, up to the file's name
#	SHA256 FILE		the tarball, and whatever else belongs to it
#
# reads	TOOLS CACHE SUITE

say() {
	echo "${0##*/}: $*" >&2
}

# source_check FILE: what is wrong with it, by line.
source_check() {
	[ -r "$1" ] || { say "cannot read '$1': it names the tarball and its SHA-256"; return 1; }
	awk -v file="$1" '
	function bad(why) { printf "%s:%d: %s\n", file, FNR, why > "/dev/stderr"; wrong = 1 }
	{ sub(/#.*/, "") }
	NF == 0 { next }
	$1 == "package" || $1 == "deb" { if (NF != 3) bad("not \"" $1 " NAME VERSION\""); next }
	$1 == "url" { if (NF != 2 || $2 !~ /^https?:\/\//) bad("not \"url ADDRESS\""); next }
	NF != 2 || length($1) != 64 || $1 !~ /^[0-9a-f]+$/ { bad("not \"SHA256 FILE\""); next }
	$2 ~ /\// || $2 ~ /^\./ { bad("a file is named without folders: " $2); next }
	{ files++ }
	END {
		if (!wrong && !files) { FNR = 0; bad("names no file") }
		exit wrong
	}' "$1"
}

# Lines SHA256 FILE.
source_files() {
	sed 's/#.*//' "$1" | awk 'NF == 2 && $1 != "url"'
}

# source_word FILE package|deb|url: what follows it.
source_word() {
	sed 's/#.*//' "$1" | awk -v word="$2" '$1 == word { sub(/^[ \t]*[a-z]+[ \t]+/, ""); print; exit }'
}

# source_deb FILE TARBALL: "NAME VERSION" of the `deb` that has this file.
source_deb() {
	sed 's/#.*//' "$1" | awk -v name="${2%%_*}" '
	$1 == "deb" && (!n++ || $2 == name) { line = $2 " " $3 }
	END { if (n) print line }'
}

# versions_with NAME: lines VERSION SHA256 FILE of the mirror's source packages.
versions_with() {
	apt-cache showsrc --only-source "$1" 2>/dev/null | awk '
	/^Version: / { version = $2 }
	/^[A-Za-z]/ { sums = $1 == "Checksums-Sha256:"; next }
	sums && NF == 3 { print version, $1, $3 }' | sort -u
}

# address_of NAME VERSION FILE: where the mirror has it.
address_of() {
	apt-get source -qq --print-uris --only-source "$1=$2" 2>/dev/null |
		awk -v file="$3" '$2 == file { gsub(/\047/, "", $1); print $1; exit }'
}

# debs_with NAME: lines VERSION SHA256 FILE of the mirror's packages.
debs_with() {
	apt-cache show "$1" 2>/dev/null | awk '
	/^Version: / { version = $2 }
	/^Filename: / { file = $2; sub(/.*\//, "", file) }
	/^SHA256: / { sha = $2 }
	/^$/ { if (version) print version, sha, file; version = "" }
	END { if (version) print version, sha, file }' | sort -u
}

# address_of_deb NAME VERSION: where the mirror has it.
address_of_deb() {
	apt-get download -qq --print-uris "$1=$2" 2>/dev/null | sed -n "1s/^'\([^']*\)'.*/\1/p"
}
