#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgapi: one host serves a folder of images, another, in a network of its own, imports from
# it: chains, transfers that break, HTTPS; and what those get who ask for more.
# shellcheck source=tests/host/far_lib.bash
. "$(dirname "$0")/far_lib.bash"
command -v openssl >/dev/null || skip "'openssl' is not installed"
pids=()
end_servers() {
	for p in $far "${pids[@]}"; do kill "$p" 2>/dev/null; done
	wait
	cleanup
}
trap end_servers EXIT

far_host
ip -6 addr add fd00:77::2/64 dev near nodad
nsenter -t $far -n ip -6 addr add fd00:77::1/64 dev far nodad
share=$dir/share
mkdir "$share"
chmod 711 "$dir"

# The process cannot see /proc in its folder: looking for leaks there is in vain.
serve() { # serve ADDRESS ARGS...: sets $server
	local at=$1
	shift
	ASAN_OPTIONS=detect_leaks=0 nsenter -t $far -n "$bin/imgapi" --listen "$at" "$@" 2>>"$dir/server.log" &
	server=$!
	pids+=($server)
	for _ in $(seq 100); do
		curl -ksf -o /dev/null "${proto:-http}://$at/ping" && return
		sleep 0.1
	done
	echo "# no server at $at: $(cat "$dir/server.log")"
}
end_server() { kill -"${1:-TERM}" "$server"; wait "$server" 2>/dev/null; }
uuid() { printf '%08x-1111-4222-8333-444444444444' "$1"; }
get() { curl -sS -o "$dir/body" -D "$dir/head" -w '%{http_code}' "$@"; }
code() { jq -r .code "$dir/body"; }
sha() { sha1sum <"$1" | cut -d' ' -f1; }
imgadm() { run "$bin/imgadm" "$@" --root "$root"; }

# ---- a chain of three, as `imgadm create -o` names them, and one by its SHA-1
for n in 1 2 3; do
	mkdir -p "$dir/l$n/etc"
	echo "$n" >"$dir/l$n/etc/file$n"
	head -c 3000000 /dev/urandom >"$dir/l$n/data$n"
	tar -C "$dir/l$n" -cf - . | gzip -1 >"$share/app-$n.tar.gz"
	manifest "$share/app-$n.tar.gz" "$(uuid $n)" | jq --arg o "$(uuid $((n - 1)))" --argjson n $n \
		'.name = "app" | .version = "\($n).0" | .tags = {role: (if $n == 3 then "db" else "web" end)} |
		.published_at = "2026-01-0\($n)T00:00:00Z" | if $n > 1 then .origin = $o else . end' >"$share/app-$n.imgmanifest"
done
cp "$share/app-1.tar.gz" "$dir/other"
echo more >>"$dir/other"
manifest "$dir/other" "$(uuid 9)" | jq '.name = "other"' >"$share/other.json"
cp "$dir/other" "$share/$(sha "$dir/other")"
echo '{' >"$share/broken.json"
serve 192.0.2.1:8080 "$share"

# ---- HTTP
is "ping" "$(curl -s $api/ping | jq -c .)" '{"ping":"pong","version":"4.0.0","imgapi":true}'
list() { curl -s "$api/images?$1" | jq -r '[.[].uuid[7:8]] | join("")'; }
is "all" "$(list '')" 1293
is "name" "$(list name=app)" 123
is "a part of a name, of a version" "$(list 'name=~pp&version=~2')" 2
is "a tag" "$(list tag.role=db)" 3
is "decoded" "$(list 'name=%61pp&limit=1')" 1
is "a page" "$(list "limit=2&marker=$(uuid 2)")" 29
is "latest first" "$(list 'sort=published_at.desc&name=app')" 321
is "a wrong limit" "$(get "$api/images?limit=0") $(code) $(jq -r '.errors[0].field' "$dir/body")" "422 InvalidParameter limit"
is "no such image" "$(get "$api/images/$(uuid 77)") $(code)" "404 ResourceNotFound"
is "no UUID" "$(get $api/images/x) $(code)" "422 InvalidParameter"
is "no such path" "$(get $api/configs) $(code)" "404 ResourceNotFound"
is "nothing can be written" "$(get -X POST -d x $api/images) $(code)" "405 BadMethodError"
is "another version" "$(get -H 'Accept-Version: ~9' $api/images) $(code)" "400 InvalidVersion"
grep -q "left out: .*broken.json" "$dir/server.log"
ok "what is no manifest is logged" $?
for path in ../../etc/passwd %2e%2e/%2e%2e/etc/passwd "..%2f..%2fetc%2fpasswd" "$(uuid 1)/../../../etc/passwd" "$(uuid 1)/file/../../x"; do
	get --path-as-is "$api/images/$path" >"$dir/status"
	grep -qE '^(404|422)$' "$dir/status" && ! grep -q root: "$dir/body"
	ok "no way out by $path" $?
done

A=$share/app-1.tar.gz file=$api/images/$(uuid 1)/file
size=$(stat -c %s "$A") tag=$(sha "$A")
is "the file" "$(get "$file") $(sha "$dir/body") $(grep -i '^etag' "$dir/head" | tr -d '\r')" "200 $tag ETag: \"$tag\""
is "HEAD" "$(curl -sI "$file" | tr -d '\r' | grep -i '^content-length')" "Content-Length: $size"
is "a part" "$(get -r 100-199 "$file") $(cmp "$dir/body" <(tail -c +101 "$A" | head -c 100))" "206 "
is "... said" "$(tr -d '\r' <"$dir/head" | grep -i '^content-range')" "Content-Range: bytes 100-199/$size"
is "the end" "$(get -r -7 "$file") $(cmp "$dir/body" <(tail -c 7 "$A"))" "206 "
is "behind the end" "$(get -r "$size-" "$file") $(code)" "416 RequestedRangeNotSatisfiable"
is "If-Range of this file" "$(get -r 5- -H "If-Range: \"$tag\"" "$file")" 206
is "If-Range of another" "$(get -r 5- -H 'If-Range: "other"' "$file") $(sha "$dir/body")" "200 $tag"
is "what one has" "$(get -H "If-None-Match: \"$tag\"" "$file")" 304
get "$api/images/$(uuid 1)" >/dev/null
is "a manifest that one has" "$(get -H "If-None-Match: $(grep -i '^etag' "$dir/head" | tr -d '\r' | cut -d' ' -f2)" "$api/images/$(uuid 1)")" 304

# ---- rights
pid=$server
is "nobody, without rights" "$(awk '/^(Uid|CapEff|NoNewPrivs|Seccomp):/ {print $2}' /proc/$pid/status | xargs)" "65534 0000000000000000 1 2"
is "its root is the folder" "$(readlink /proc/$pid/root)" "$share"
secret=$dir/secret
cp "$A" "$secret"
ln -s "$secret" "$share/link.tar.gz"
jq --arg u "$(uuid 5)" '.uuid = $u' "$share/app-1.imgmanifest" >"$share/link.json"
is "a link that leads out" "$(get "$api/images/$(uuid 5)/file") $(code)" "404 ResourceNotFound"
rm "$share"/link.*
is "what is taken away is gone" "$(get "$api/images/$(uuid 5)")" 404
mv "$A" "$share/.hidden"
is "without its file" "$(get "$api/images/$(uuid 1)") $(get "$file") $(code)" "200 404 ResourceNotFound"
head -c 1000 "$share/.hidden" >"$A"
is "with half of it" "$(get "$file")" 404
mv "$share/.hidden" "$A"
ticks() { cut -d' ' -f14,15 /proc/$pid/stat; grep ctxt_switches /proc/$pid/status | awk '{print $2}' | xargs; }
sleep 0.5
before=$(ticks)
sleep 1.5
is "idle, it is not woken" "$(ticks)" "$before"

# ---- the other host
make_pool 1G
imgadm sources -a $api
is "it is a source" "$status" 0
"$bin/imgadm" sources -d https://images.smartos.org --root "$root" >/dev/null 2>&1
imgadm avail -H -o uuid name=app
is "avail" "$(cut -c8 <<<"$out" | xargs)" "1 2 3"
imgadm avail -H -o version name=app version=~2
is "with filters" "$out" 2.0
imgadm import -q "$(uuid 3)"
is "an image with two ancestors" "$status $(cat "$zones/images/$(uuid 3)"/rootfs/etc/file[123] 2>/dev/null | xargs)" "0 1 2 3"
imgadm import -q "$(uuid 9)"
is "one whose file is named by its hash" "$status" 0
for n in 3 2 1; do imgadm delete "$(uuid $n)"; done

# ---- the server dies within a transfer, and comes back
tc qdisc add dev near root handle 1: tbf rate 1gbit burst 64kb limit 1mb 2>/dev/null
nsenter -t $far -n tc qdisc add dev far root tbf rate 8mbit burst 32kb limit 64kb 2>/dev/null
tc=$?
"$bin/imgadm" import -q "$(uuid 1)" --root "$root" >"$dir/out" 2>"$dir/err" &
importer=$!
part=$zones/images/.download/$(uuid 1)
for _ in $(seq 200); do
	[ "$(stat -c %s "$part" 2>/dev/null || echo 0)" -ge 300000 ] && break
	sleep 0.02
done
end_server KILL
[ $tc -ne 0 ] || [ "$(stat -c %s "$part")" -lt "$size" ]
ok "the server is killed in the middle" $?
nsenter -t $far -n tc qdisc del dev far root 2>/dev/null
serve 192.0.2.1:8080 "$share"
wait $importer
is "the import goes on when it is back" "$? $(cmp "$dir/l1/data1" "$zones/images/$(uuid 1)/rootfs/data1")" "0 "
end_server TERM
is "asked to end, it ends well" "$?" 0

# ---- IPv6; HTTPS
serve '[fd00:77::1]:8080' "$share"
six='http://[fd00:77::1]:8080'
is "over IPv6" "$(curl -s "$six/images?name=app" | jq length)" 3
end_server
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=far -addext subjectAltName=IP:192.0.2.1 \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
chmod 600 "$dir/key.pem"
mkdir -p "$root/etc/dais"
cp "$dir/cert.pem" "$root/etc/dais/ca.pem"
proto=https serve 192.0.2.1:8443 --certificate "$dir/cert.pem" --key "$dir/key.pem" "$share"
imgadm delete "$(uuid 9)"
jq -n '{sources: [{type: "imgapi", url: "https://192.0.2.1:8443"}]}' >"$root/var/imgadm/imgadm.conf"
imgadm import -q "$(uuid 9)"
is "nobody signed for this server" "$status" 1
jq -n '{sources: [{type: "imgapi", url: "https://192.0.2.1:8443", ca_file: "/etc/dais/ca.pem"}]}' >"$root/var/imgadm/imgadm.conf"
imgadm import -q "$(uuid 9)"
is "over HTTPS, with the CA's file" "$status $err" "0 "

# ---- signed
imgadm delete "$(uuid 9)"
openssl genpkey -algorithm ed25519 -out "$dir/ed.key" 2>/dev/null
openssl pkey -in "$dir/ed.key" -pubout -out "$root/etc/dais/images.pub"
jq '.sources[0].public_key = "/etc/dais/images.pub"' "$root/var/imgadm/imgadm.conf" >"$dir/conf" &&
	cp "$dir/conf" "$root/var/imgadm/imgadm.conf"
imgadm import -q "$(uuid 9)"
is "one that nobody signed, where a key is asked for" "$status" 1
openssl pkeyutl -sign -rawin -inkey "$dir/ed.key" -in "$share/other.json" -out "$share/other.json.sig"
chmod a+r "$share/other.json.sig"
imgadm import -q "$(uuid 9)"
is "a signed one" "$status $err" "0 "
end_server

# ---- wrong use
run "$bin/imgapi"
is "nothing to serve" "$status" 2
run "$bin/imgapi" --listen 8080 "$share"
is "no address" "$status" 2
run "$bin/imgapi" --certificate x "$share"
is "a certificate without its key" "$status" 2
run "$bin/imgapi" "$dir/absent"
is "no folder" "$status" 1
finish
