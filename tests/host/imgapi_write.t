#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgapi --writers: images that come by signed requests, those that do not come so, and what
# is left when the server or the one who publishes is killed at any step.
if [ -z "${DAIS_TEST_NET:-}" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
	DAIS_TEST_NET=1 DAIS_TEST_MOUNTS=1 exec unshare -mn --propagation private "$0" "$@"
fi
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in curl jq ip openssl strace; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
ip link set lo up
server=
end_all() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	wait
	cleanup
}
trap end_all EXIT
export ASAN_OPTIONS=detect_leaks=0 # neither in a folder without /proc nor under a tracer
api=http://127.0.0.1:8080
share=$dir/share writers=$dir/writers keys=$root/etc/dais
mkdir -p "$share" "$writers" "$keys" "$root/var/imgadm"
chmod 711 "$dir"
chown 65534:65534 "$share"
for who in alice bob eve; do
	case $who in
	alice) openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out "$keys/$who.key" 2>/dev/null ;;
	*) openssl genpkey -algorithm ed25519 -out "$keys/$who.key" 2>/dev/null ;;
	esac
	[ $who = eve ] || openssl pkey -in "$keys/$who.key" -pubout -out "$writers/$who.pem"
done
chmod 600 "$keys"/*.key

answers() { # waits
	for _ in $(seq 100); do
		curl -ksf -o /dev/null "$1/ping" && return
		sleep 0.1
	done
	echo "# no server at $1: $(cat "$dir/server.log")"
}
serve() { # serve ARGS...
	"$bin/imgapi" "$@" 2>>"$dir/server.log" &
	server=$!
	answers "${at:-$api}"
}
end_server() { kill -"${1:-TERM}" "$server"; wait "$server" 2>/dev/null; server=; }
uuid() { printf '%08x-1111-4222-8333-444444444444' "$1"; }
get() { curl -sS -o "$dir/body" -D "$dir/head" -w '%{http_code}' "$@"; }
code() { jq -r .code "$dir/body"; }
state() { get "$api/images/$1" >/dev/null; jq -r '.state // .code' "$dir/body"; }
in_share() { find "$share" -mindepth 1 -printf '%f\n' | sort | xargs; }
# curl as a login: signed ALICE-KEY DATE ARGS...
signed() {
	local who=$1 date=$2 sig
	shift 2
	printf 'date: %s' "$date" >"$dir/to-sign"
	if [ "$who" = alice ]; then
		sig=$(openssl dgst -sha256 -sign "$keys/alice.key" "$dir/to-sign" | base64 -w0)
		set -- -H "Authorization: Signature keyId=\"alice\",algorithm=\"rsa-sha256\",headers=\"date\",signature=\"$sig\"" "$@"
	else
		sig=$(openssl pkeyutl -sign -rawin -inkey "$keys/$who.key" -in "$dir/to-sign" | base64 -w0)
		set -- -H "Authorization: Signature keyId=\"/$who/keys/a:b\",algorithm=\"ed25519\",signature=\"$sig\"" "$@"
	fi
	get -H "Date: $date" "$@"
}
now() { LC_ALL=C date -u -d "${1:-now}" '+%a, %d %b %Y %H:%M:%S GMT'; }
conf() { jq -n --arg u "$api" --arg w "$1" '{sources: [{type: "imgapi", url: $u, login: $w, login_key: "/etc/dais/\($w).key"}], http: {tries: 1}}' >"$root/var/imgadm/imgadm.conf"; }

mkdir -p "$dir/one/etc" "$dir/two/etc"
head -c 3000000 /dev/urandom >"$dir/one/etc/data"
head -c 500000 /dev/urandom >"$dir/two/etc/more"
tar -C "$dir/one" -cf - . | gzip -1 >"$dir/one.gz"
tar -C "$dir/two" -cf - . | gzip -1 >"$dir/two.gz"
A=$(uuid 1) B=$(uuid 2)
manifest "$dir/one.gz" "$A" | jq '.files[0].compression = "gzip" | del(.published_at)' >"$dir/one.json"
manifest "$dir/two.gz" "$B" | jq --arg o "$A" '.origin = $o | .files[0].compression = "gzip" | .files[0].whiteouts = true' >"$dir/two.json"

# ---- who may
serve --writers "$writers" "$share"
is "the server is the folder's owner, without rights" "$(awk '/^(Uid|CapEff|NoNewPrivs|Seccomp):/ {print $2}' /proc/$server/status | xargs)" "65534 0000000000000000 1 2"
put() { echo -X POST -H Content-Type:application/json --data-binary "@$dir/one.json" "$api/images/$A?action=import"; }
# shellcheck disable=SC2046
{
	is "who does not sign" "$(get $(put)) $(code)" "401 UnauthorizedError"
	is "whose key is unknown" "$(signed eve "$(now)" $(put)) $(code)" "401 UnauthorizedError"
	is "a signature of an hour ago" "$(signed bob "$(now '-1 hour')" $(put)) $(code)" "401 UnauthorizedError"
	is "... and of tomorrow" "$(signed bob "$(now tomorrow)" $(put)) $(code)" "401 UnauthorizedError"
	mv "$keys/eve.key" "$keys/eve.own" && cp "$keys/bob.key" "$keys/eve.key"
	is "a good key by another name" "$(signed eve "$(now)" $(put)) $(code)" "401 UnauthorizedError"
	mv "$keys/eve.own" "$keys/eve.key"
	is "nothing of all that came in" "$(in_share)" ""
	is "who signs" "$(signed bob "$(now)" $(put)) $(jq -r '[.uuid, .state, .owner] | join(" ")' "$dir/body")" \
		"200 $A unactivated 00000000-0000-0000-0000-000000000000"
	is "... again" "$(signed bob "$(now)" $(put)) $(code)" "409 ImageUuidAlreadyExists"
}
is "what is not active is not listed" "$(curl -s $api/images)" "[]"
is "no activation without a file" "$(signed alice "$(now)" -X POST -d '' "$api/images/$A?action=activate") $(code)" "422 NoActivationNoFile"
sha=$(sha1sum <"$dir/one.gz" | cut -d' ' -f1)
is "a file that is not what was said" "$(signed bob "$(now)" -T "$dir/two.gz" "$api/images/$A/file?compression=gzip&sha1=$sha") $(code)" "400 Upload"
is "... leaves nothing" "$(in_share)" "$A.json"
is "a compression that is none" "$(signed bob "$(now)" -T "$dir/one.gz" "$api/images/$A/file?compression=lzma&sha1=$sha") $(code)" "422 InvalidParameter"
is "a file without its length" "$(signed bob "$(now)" -H 'Transfer-Encoding: chunked' -T "$dir/one.gz" "$api/images/$A/file?compression=gzip") $(code)" "411 BadRequestError"
is "one of a terabyte is refused by its head" "$(signed bob "$(now)" -X PUT -H 'Content-Length: 1099511627776' -H 'Expect:' "$api/images/$A/file?compression=gzip") $(code)" "400 ImageFileTooBig"
is "an image whose origin is not here" "$(signed bob "$(now)" --data-binary @"$dir/two.json" "$api/images/$B?action=import") $(code)" "422 OriginIsNotActive"
is "a manifest of another image" "$(signed bob "$(now)" --data-binary @"$dir/one.json" "$api/images/$B?action=import") $(code)" "422 InvalidParameter"
is "what is no manifest" "$(signed bob "$(now)" --data-binary '{"v":2}' "$api/images/$B?action=import") $(code)" "422 ValidationFailed"
is "what is not done here" "$(signed bob "$(now)" -d '{}' "$api/images/$A?action=update") $(code)" "501 NotAvailable"
is "no way out by a name" "$(signed bob "$(now)" -X DELETE --path-as-is "$api/images/../../etc/passwd") $(code)" "501 NotAvailable"
is "taken back" "$(signed bob "$(now)" -X DELETE "$api/images/$A")" 204
is "... all of it" "$(in_share)" ""
cp "$dir/one.json" "$share/hand.json"
is "what was put there by hand stays" "$(signed bob "$(now)" -X DELETE "$api/images/$A") $(code)" "422 NotImageOwner"
rm "$share/hand.json"

# ---- imgadm publish
conf alice
imgadm publish -q -m "$dir/one.json" -f "$dir/one.gz" $api
is "alice publishes" "$status $err" "0 "
is "... in these words" "$(sed "s|$dir|D|" <<<"$out")" "Imported image $A (test, 1.0, state=unactivated)
Added file \"D/one.gz\" (compression \"gzip\") to image $A
Activated image $A
Successfully published image $A to $api"
is "twice is told" "$(imgadm publish -q -m "$dir/one.json" -f "$dir/one.gz" $api; echo "$status $err")" \
	"1 imgadm publish: error (ImageUuidAlreadyExists): image $A already exists
    uuid: Invalid: image $A already exists"
conf bob
imgadm publish -q -m "$dir/two.json" -f "$dir/two.gz" $api/
is "bob publishes what is on top of it" "$status $err" "0 "
is "what cannot be told by the file stays in the manifest" "$(curl -s "$api/images/$B" | jq -c '[.files[0].whiteouts, .files[0].sha256, .published_at]')" \
	"[true,\"$(sha256sum <"$dir/two.gz" | cut -d' ' -f1)\",\"2026-01-02T03:04:05.678Z\"]"
is "the date of one without is that of its activation" "$(curl -s "$api/images/$A" | jq '.published_at > "2026-02"')" true
is "what others stand on is not deleted" "$(signed bob "$(now)" -X DELETE "$api/images/$A") $(code)" "422 ImageHasDependentImages"
is "a file stays as it is" "$(signed bob "$(now)" -T "$dir/one.gz" "$api/images/$A/file?compression=gzip") $(code)" "422 ImageFilesImmutable"
make_pool 1G
imgadm import -q "$B"
is "another host imports both" "$status $err $(cmp "$dir/one/etc/data" "$zones/images/$B/rootfs/etc/data")" "0  "
imgadm delete "$B"
imgadm delete "$A"
conf eve
jq --arg u "$(uuid 3)" '.uuid = $u' "$dir/one.json" >"$dir/three.json"
C=$(uuid 3)
imgadm publish -q -m "$dir/three.json" -f "$dir/one.gz" $api
is "eve does not" "$status ${err:0:46}" "1 imgadm publish: error (UnauthorizedError): thi"
jq '.sources = []' "$root/var/imgadm/imgadm.conf" >"$dir/conf" && cp "$dir/conf" "$root/var/imgadm/imgadm.conf"
imgadm publish -q -m "$dir/three.json" -f "$dir/one.gz" $api
is "nor who has no login" "$status ${err:0:46}" "1 imgadm publish: error (UnauthorizedError): thi"
conf bob
chmod 644 "$keys/bob.key"
imgadm publish -q -m "$dir/three.json" -f "$dir/one.gz" $api
is "a key that others can read is not used" "$status $(grep -o 'error (ConfigError)' <<<"$err")" "1 error (ConfigError)"
chmod 600 "$keys/bob.key"

# ---- killed: the one who publishes, at each helper that it starts and waits for
hidden() { find "$share" -name '.*' -not -path "$share" | wc -l; }
is_there() { [ "$(state "$C")" = active ] && [ "$(curl -s "$api/images/$C/file" | sha1sum | cut -d' ' -f1)" = "$sha" ]; }
three() { imgadm publish -q -m "$dir/three.json" -f "$dir/one.gz" $api; }
kills=0 seen=
for call in fork,vfork,clone,clone3 wait4; do
	for n in 1 2 3; do
		{ run strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" "$bin/imgadm" publish -q -m "$dir/three.json" \
			-f "$dir/one.gz" $api --root "$root"; } 2>/dev/null
		[ "$status" -lt 128 ] || kills=$((kills + 1))
		sleep 0.2
		seen+=" $(state "$C")"
		[ "$(state "$C")" = active ] || three
		is_there || ok "killed at $call $n: the next does not publish: $status $err" 1
		signed bob "$(now)" -X DELETE "$api/images/$C" >/dev/null
	done
done
[ $kills -gt 4 ]
ok "killed while it publishes: the next one does ($kills kills)" $?
case $seen in *ResourceNotFound*unactivated*) true ;; *) false ;; esac
ok "... from where it was:$seen" $?
head -c 600000 /dev/zero | signed bob "$(now)" -H Expect: -H 'Content-Length: 900000' -T - --max-time 1 \
	"$api/images/$A/file?compression=none" >/dev/null 2>&1
end_server
is "asked to end, the server leaves nothing that is not whole" "$(hidden)" 0

# ---- killed: the server, at each change of a name
before=$(in_share)
kills=0
for at_call in rename,renameat,renameat2:1 rename,renameat,renameat2:2 rename,renameat,renameat2:3 rename,renameat,renameat2:4 \
	rename,renameat,renameat2:5 fsync:1 fsync:3 fsync:4 unlink,unlinkat:2 unlink,unlinkat:5 unlink,unlinkat:6; do
	call=${at_call%:*} n=${at_call##*:}
	strace -D -o /dev/null -e "inject=$call:signal=KILL:when=$n" "$bin/imgapi" --writers "$writers" "$share" 2>/dev/null &
	server=$!
	answers $api
	three
	[ "$status" -ne 0 ] || signed bob "$(now)" -X DELETE "$api/images/$C" >/dev/null 2>&1
	{ kill $server 2>/dev/null && wait $server; } 2>/dev/null || kills=$((kills + 1))
	{ wait $server; } 2>/dev/null
	serve --writers "$writers" "$share"
	[ "$(hidden)" = 0 ] || ok "killed at $call $n: a new server leaves $(in_share)" 1
	[ "$(state "$C")" = active ] || three
	is_there || ok "killed at $call $n: $status $err $(in_share)" 1
	signed bob "$(now)" -X DELETE "$api/images/$C" >/dev/null
	[ "$(in_share)" = "$before" ] || ok "killed at $call $n: in the end $(in_share)" 1
	end_server
done
[ $kills -gt 6 ]
ok "a server that was killed takes the next publish, and has nothing of the dead ($kills kills)" $?

# ---- HTTPS; wrong use
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
cp "$dir/cert.pem" "$keys/ca.pem"
at=https://localhost:8443 serve --listen 0.0.0.0:8443 --certificate "$dir/cert.pem" --key "$dir/key.pem" --writers "$writers" "$share"
conf bob
jq '.sources[0] += {url: "https://localhost:8443", ca_file: "/etc/dais/ca.pem"}' "$root/var/imgadm/imgadm.conf" >"$dir/conf" && cp "$dir/conf" "$root/var/imgadm/imgadm.conf"
imgadm publish -q -m "$dir/three.json" -f "$dir/one.gz" https://localhost:8443
is "over HTTPS, with the source's own authority" "$status $err" "0 "
end_server
run "$bin/imgapi" --listen 0.0.0.0:8080 --writers "$writers" "$share"
is "signatures in the clear, for all to hear" "$status $(grep -c 'needs HTTPS' <<<"$err")" "2 1"
run "$bin/imgapi" --writers "$dir/one" "$share"
is "no keys" "$status $(grep -c 'has no LOGIN.pem' <<<"$err")" "1 1"
chown 0 "$share"
run timeout 10 "$bin/imgapi" --writers "$writers" "$share"
is "a folder of root's" "$status $(grep -c 'chown nobody' <<<"$err")" "1 1"
finish
