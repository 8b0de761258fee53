#!/bin/bash
# SPDX-License-Identifier: MIT
#
# "platform uplinks" tells networkd which interfaces are NIC tags' ports: those, and
# no others.
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ -x "$bin/platform" ] || { echo "1..0 # SKIP '$bin/platform' is not built"; exit 0; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/etc/dais"
files=$root/run/systemd/network
count=0 bad=0

is() { # is NAME GOT WANT
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '%s\n' "got:  $2" "want: $3" | sed 's/^/# /'
		bad=1
	fi
}
tags() { cat >"$root/etc/dais/nictags.json"; }
uplinks() { out=$("$bin/platform" --root "$root" uplinks 2>&1); status=$?; }
settings() { grep -v '^#' "$files/$1" | tr '\n' ' '; }

uplinks
is "without tags there is nothing to say" "$status $out$(ls "$files")" "0 "

tags <<'END'
{ "admin": { "mac": "52:54:00:12:34:56", "link": "eth0" }, "byname": { "link": "enp3s0f1" },
  "inside": { "address": "10.99.0.1/24" }, "theirs": { "bridge": "vmbr0" } }
END
uplinks
is "two tags have interfaces" "$status $out $(ls "$files" | tr '\n' ' ')" \
	"0  10-dais-admin.network 10-dais-byname.network "
is "which networkd's own user may read" "$(stat -c %a "$files"/*.network | sort -u)" 644
is "one goes by its MAC, which its bridge has too" "$(settings 10-dais-admin.network)" \
	"[Match] MACAddress=52:54:00:12:34:56 Kind=!*  [Link] Unmanaged=yes "
is "the other by its name" "$(settings 10-dais-byname.network)" \
	"[Match] Name=enp3s0f1  [Link] Unmanaged=yes "

tags <<<'{ "odd": { "link": "*" }, "more": { "link": "eth1" } }'
uplinks
is "a name that is a pattern is told and left out" \
	"$status $(grep -c "nic tag 'odd'" <<<"$out") $(ls "$files")" "0 1 10-dais-more.network"

tags <<<'{ "admin": { "link": 1 } }'
uplinks
is "what is no tag is refused by its place" "$status $(grep -c '/admin/link' <<<"$out")" "1 1"
echo "1..$count"
exit "$bad"
