#!/bin/bash
# SPDX-License-Identifier: MIT
#
# apt-sources on the configurations that machines have.
. "$(dirname "$0")/build_lib.bash"
key=/usr/share/keyrings/debian-archive-keyring.gpg

machine() # machine: an empty apt folder
{
	rm -rf "$work/apt"
	mkdir -p "$work/apt/sources.list.d"
	export DAIS_APT_DIR=$work/apt
}

machine
cat > "$work/apt/sources.list.d/debian.sources" <<-END
	Types: deb deb-src
	# a comment within
	URIs: http://one.test/debian
	Suites: bookworm bookworm-updates
	Components: main contrib
	Signed-By: $key

	Types: deb
	URIs: http://one.test/debian-security
	Suites: bookworm-security
	Components: main
	Signed-By: $key
END
run "$top/tools/apt-sources" trixie
is "deb822 with updates and security is carried to another release" 0 \
"deb [signed-by=$key] http://one.test/debian trixie main
deb [signed-by=$key] http://one.test/debian-security trixie-security main
deb [signed-by=$key] http://one.test/debian trixie-updates main"

run "$top/tools/apt-sources" trixie main non-free-firmware
says "other components may be asked for" out "trixie main non-free-firmware"

machine
cat > "$work/apt/sources.list" <<-END
	# deb http://no.test/debian bookworm main
	deb [arch=amd64 signed-by=$key] http://two.test/debian trixie main # after
	deb-src http://src.test/debian trixie main
	deb http://sec.test/debian-security trixie/updates main
END
run "$top/tools/apt-sources" trixie
is "one-line sources, comments and sources of sources" 0 \
"deb [signed-by=$key] http://two.test/debian trixie main
deb [signed-by=$key] http://sec.test/debian-security trixie-security main"

machine
cat > "$work/apt/sources.list.d/more.sources" <<-END
	Types: deb
	URIs: http://off.test/debian
	Suites: trixie
	Components: main
	Enabled: no

	Types: deb
	URIs: mirror+file:///etc/apt/mirrors/debian.list
	Suites: trixie
	Components: main
	Signed-By:
	 -----BEGIN PGP PUBLIC KEY BLOCK-----
	 .
	 mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0
	 -----END PGP PUBLIC KEY BLOCK-----
END
cat > "$work/apt/sources.list.d/browser.list" <<-END
	deb [arch=amd64] https://dl.browser.test/linux stable main
	deb [signed-by=/usr/share/keyrings/other.gpg] https://other.test/apt trixie main
	deb https://packages.test/docker/debian trixie stable
END
run "$top/tools/apt-sources" trixie
is "what is switched off or not Debian stays out, inline keys do not hurt" 0 \
"deb [signed-by=$key] mirror+file:///etc/apt/mirrors/debian.list trixie main"

machine
echo "deb [trusted=yes] http://inside.test/debian bookworm main" > "$work/apt/sources.list"
run "$top/tools/apt-sources" trixie
is "a machine's trust in its mirror is kept" 0 "deb [trusted=yes] http://inside.test/debian trixie main"

machine
run "$top/tools/apt-sources" trixie
is "no Debian source is an error" 1 ""
says "which names the folder" err "'$work/apt/sources.list'"
says "and the way out" err "set DAIS_MIRROR"

export DAIS_MIRROR=http://mine.test/debian
run "$top/tools/apt-sources" trixie
is "DAIS_MIRROR needs no configuration" 0 \
"deb [signed-by=$key] http://mine.test/debian trixie main
deb [signed-by=$key] http://mine.test/debian trixie-updates main"

run "$top/tools/apt-sources"
is "no suite is wrong use" 2 ""
done_testing
