#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An IMGAPI with users and channels: signed requests, and what is seen without them.
# shellcheck source=tests/host/imgapi_lib.bash
. "$(dirname "$0")/imgapi_lib.bash"
make_pool 512M
private=http://127.0.0.1:8091
uuid() { printf '%08x-1111-4222-8333-444444444444' "$1"; }
head -c 600000 /dev/urandom >"$dir/data"
tar -C "$dir" -cf "$dir/a.tar" data
OPEN=$(uuid 1) HIDDEN=$(uuid 2) DEV=$(uuid 3)
publish "$dir/a.tar" "$OPEN" '"channels":["release","dev"]'
publish "$dir/a.tar" "$HIDDEN" '"public":false' '"channels":["release"]'
publish "$dir/a.tar" "$DEV" '"channels":["dev"]'

mkdir "$site/users"
keys=$root/etc/dais
openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out "$keys/rsa.key" 2>/dev/null
openssl genpkey -algorithm ed25519 -out "$keys/ed.key" 2>/dev/null
openssl genpkey -algorithm ed25519 -out "$keys/other.key" 2>/dev/null
openssl pkey -in "$keys/rsa.key" -pubout -out "$site/users/alice.pem"
openssl pkey -in "$keys/ed.key" -pubout -out "$site/users/bob.pem"
chmod 600 "$keys"/*.key
python3 "$(dirname "$0")/imgapi_login.py" 8091 "$site" &
login_pid=$!
login_cleanup() {
	kill $login_pid 2>/dev/null
	wait $login_pid 2>/dev/null
	servers_cleanup
}
trap login_cleanup EXIT
wait_for_port $private/ping
as() { printf '{"type":"imgapi","url":"%s","login":"%s","login_key":"/etc/dais/%s.key"}' $private "$1" "$2"; }

sources "$(source_at $private)"
imgadm avail -H -o uuid
is "without a login, what is public is seen" "$status $out" "0 $OPEN"
imgadm import -q "$HIDDEN"
is "... and no more" "$status ${err:0:43}" "1 imgadm import: error (ActiveImageNotFound):"

rm "$root/var/imgadm/imgadm.conf"
imgadm sources -a $private --login alice --login-key /etc/dais/rsa.key
is "a source is added with a login" "$status $out" "0 Added \"imgapi\" image source \"$private\""
imgadm sources -d https://images.smartos.org
imgadm avail -H -o uuid -s uuid
is "alice (RSA) sees more" "$status $(xargs <<<"$out")" "0 $OPEN $HIDDEN"
imgadm import -q "$HIDDEN"
is "... and imports it" "$status $err $(cmp "$dir/data" "$zones/images/$HIDDEN/rootfs/data" && echo same)" "0  same"
imgadm delete "$HIDDEN"
sources "$(as bob ed)"
imgadm import -q "$HIDDEN"
is "bob (Ed25519) as well" "$status $err" "0 "
imgadm delete "$HIDDEN"
touch "$site/refuse"
imgadm import -q "$HIDDEN"
is "a transfer whose signature became too old goes on with a new one" "$status $err $([ -e "$site/refuse" ] || echo used)" "0  used"
imgadm delete "$HIDDEN"
if command -v ssh-keygen >/dev/null; then
	print=$(ssh-keygen -y -f "$keys/rsa.key" | ssh-keygen -l -E md5 -f - | awk '{print substr($2, 5)}')
	jq -n --argjson s "$(as alice rsa)" --arg id "/alice/keys/$print" '{sources: [$s + {login_key_id: $id}]}' \
		>"$root/var/imgadm/imgadm.conf"
	imgadm avail -H -o uuid -s uuid
	is "the fingerprint is that of ssh-keygen" "$status $(xargs <<<"$out")" "0 $OPEN $HIDDEN"
else
	ok "the fingerprint is that of ssh-keygen # SKIP 'ssh-keygen' is not installed" 0
fi

# ---- wrong ones
refused() { # refused NAME SOURCE PATTERN
	sources "$2"
	imgadm avail -H
	[ "$status" -eq 1 ] && [ -z "$out" ] && [[ $err =~ $3 ]]
	ok "$1" $?
	[[ $err =~ $3 ]] || echo "# $status $err"
}
refused "another key of the same kind" "$(as bob other)" "error \(UnauthorizedError\): the signature is not good"
refused "a login that nobody has" "$(as eve ed)" "error \(UnauthorizedError\)"
refused "no such key" "$(as bob none)" "error \(ConfigError\): .*/sources/0: .*'/etc/dais/none.key'"
chmod 644 "$keys/other.key"
refused "a key that others can read" "$(as bob other)" "can be read by others: chmod 600 it"
chmod 600 "$keys/other.key"
openssl genpkey -algorithm rsa -aes128 -pass pass:x -out "$keys/locked.key" 2>/dev/null
refused "a key with a password" "$(as bob locked)" "no private key of RSA or Ed25519 in PEM without a password"
refused "a login that would break its quotes" "$(as 'b\"ob' ed)" "must be one word without quotes"
refused "a login without a key" "{\"type\":\"imgapi\",\"url\":\"$private\",\"login\":\"bob\"}" "go together"

# ---- channels
sources "$(source_at "$private?channel=dev")"
imgadm avail -H -o uuid -s uuid
is "a channel of the source" "$status $(xargs <<<"$out")" "0 $OPEN $DEV"
sources "$(source_at $private)"
imgadm import -q "$DEV"
is "not in the default channel" "$status ${err:0:43}" "1 imgadm import: error (ActiveImageNotFound):"
imgadm import -q -C dev "$DEV"
is "-C asks for one" "$status $err" "0 "
imgadm delete "$DEV"
imgadm import -q -S "$private?channel=dev" "$DEV"
is "-S URL?channel= as well" "$status $err" "0 "
imgadm delete "$DEV"
imgadm import -q -C nonsense "$OPEN"
is "one that the server has not" "$status $err" "1 imgadm import: error (ValidationFailed): unknown channel \"nonsense\""
sources "{\"type\":\"imgapi\",\"url\":\"$private\",\"channel\":\"dev\",\"login\":\"bob\",\"login_key\":\"/etc/dais/ed.key\"}"
imgadm import -q "$DEV"
is "channel and login together" "$status $err" "0 "
is_clean
ok "nothing is left" $?
finish
