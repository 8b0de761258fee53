# SPDX-License-Identifier: MIT
#
# apt.sh - an apt of our own beside the machine's: its own lists, no installed
# packages, the machine's mirror. Sourced by resolve, fetch and tools/extra.
#
# reads	CACHE SUITE COMPONENTS TOOLS; apt_open sets apt_home and APT_CONFIG.
# `apt_open source` has the lists of source packages, which nobody else waits for.

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

apt_conf() {
	"$TOOLS/apt-sources" --conf
	cat <<-CONF
	Dir::Etc::SourceList "$apt_home/sources.list";
	Dir::Etc::SourceParts "$apt_home/empty";
	Dir::Etc::Preferences "$apt_home/preferences";
	Dir::Etc::PreferencesParts "$apt_home/empty";
	Dir::State "$apt_home";
	Dir::State::Lists "$apt_home/lists";
	Dir::State::Status "$apt_home/status";
	Dir::State::Extended_States "$apt_home/extended_states";
	Dir::Cache "$apt_home";
	Dir::Cache::pkgcache "pkgcache.bin";
	Dir::Cache::srcpkgcache "srcpkgcache.bin";
	Dir::Etc::Parts "$apt_home/empty";
	Dir::Etc::Main "/dev/null";
	APT::Architecture "amd64";
	APT::Architectures { "amd64"; };
	APT::Sandbox::User "root";
	APT::Install-Recommends "false";
	Debug::NoLocking "true";
	CONF
}

apt_open() {
	apt_home=$(realpath -m "$CACHE/apt/$SUITE${1:+.$1}")
	mkdir -p "$apt_home/lists/partial" "$apt_home/archives/partial" "$apt_home/empty"
	# One at a time; a resolve that fetch calls stands under fetch's lock.
	if [ -z "${DAIS_APT_LOCKED:-}" ]; then
		exec 9> "$apt_home/lock"
		flock 9
		DAIS_APT_LOCKED=1
		export DAIS_APT_LOCKED
	fi
	: >> "$apt_home/status"
	: > "$apt_home/preferences"
	"$TOOLS/apt-sources" "$SUITE" ${COMPONENTS:-main} > "$apt_home/sources.new" || exit 1
	[ "${1:-}" != source ] || sed -i 's/^deb /deb-src /' "$apt_home/sources.new"
	mv "$apt_home/sources.new" "$apt_home/sources.list"
	apt_conf > "$apt_home/apt.conf.new"
	mv "$apt_home/apt.conf.new" "$apt_home/apt.conf"
	APT_CONFIG=$apt_home/apt.conf
	export APT_CONFIG
}

# Lists younger than an hour are good enough for one more step of a build.
apt_update() {
	if cmp -s "$apt_home/updated" "$apt_home/sources.list" &&
	   [ -n "$(find "$apt_home/updated" -mmin -60)" ]; then
		return
	fi
	for try in 1 2 3; do
		if apt-get -qq -o APT::Update::Error-Mode=any update >&2; then
			cp "$apt_home/sources.list" "$apt_home/updated"
			return
		fi
		echo "${0##*/}: the package lists could not be read (try $try of 3)" >&2
		sleep $((try * 5))
	done
	die "the machine's package mirror did not give the lists of '$SUITE':" \
		"see above, or set DAIS_MIRROR to another mirror"
}

# apt_lookup FILE: "NAME VERSION ARCH SHA256" for each "NAME=VERSION" of FILE
# that the mirror has. One pass over the lists: a fork per package takes minutes.
apt_lookup() {
	apt-get indextargets --format '$(FILENAME)' 'Created-By: Packages' > "$apt_home/index"
	[ -s "$apt_home/index" ] || die "no package lists in '$apt_home/lists'"
	xargs /usr/lib/apt/apt-helper cat-file < "$apt_home/index" | awk '
	FILENAME != "-" { want[$1] = 1; next }
	/^Package: / { p = $2 }
	/^Version: / { v = $2 }
	/^Architecture: / { a = $2 }
	/^SHA256: / && (p "=" v) in want { print p, v, a, $2 }' "$1" - | LC_ALL=C sort -u
}

# The words of package lists, without comments and blank lines.
lists_words() {
	cat "$@" | sed 's/#.*//; s/[ \t]*$//; s/^[ \t]*//; /^$/d' | LC_ALL=C sort -u
}

lists_hash() {
	{ echo "$SUITE"; lists_words "$@"; } | sha256sum | cut -d' ' -f1
}
