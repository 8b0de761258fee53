#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm publish, against a server that takes images, loses a byte of them, or refuses.
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
set -u
export LC_ALL=C.UTF-8
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
for tool in python3 jq; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP '$tool' is not installed"; exit 0; }
done
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
dir=$(mktemp -d /tmp/dais-publish.XXXXXX)
pid=
trap '[ -z "$pid" ] || kill $pid; rm -rf "$dir"' EXIT
count=0 bad=0
is() {
	count=$((count + 1))
	if [ "$2" = "$3" ]; then echo "ok $count - $1"; return; fi
	bad=$((bad + 1))
	echo "not ok $count - $1"
	printf 'got:  %s\nwant: %s\n' "$2" "$3" | sed 's/^/# /'
}
serve() {
	[ -z "$pid" ] || { kill $pid; wait $pid; } 2>/dev/null
	: >"$dir/log"
	mkdir -p "$dir/got" "$dir/host"
	python3 "$(dirname "$0")/imgapi_sink.py" "$dir/got" "$@" >"$dir/log" &
	pid=$!
	for _ in $(seq 100); do [ -s "$dir/log" ] && break; sleep 0.1; done
	url=http://127.0.0.1:$(head -1 "$dir/log")
}
publish() {
	"$bin/imgadm" publish -m "$dir/m.json" -f "$dir/file" --root "$dir/host" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
}
asked() { sed 1d "$dir/log" | sed 's/&sha1=[0-9a-f]*//' | tr '\n' ';'; }

uuid=77777777-7777-4777-8777-777777777777
head -c 3000000 /dev/urandom >"$dir/file"
sha1=$(sha1sum <"$dir/file" | cut -d' ' -f1)
cat >"$dir/m.json" <<END
{"v":2,"uuid":"$uuid","name":"web","version":"1.0","type":"lx-dataset","os":"linux",
"files":[{"sha1":"$sha1","size":3000000,"compression":"zstd"}]}
END

serve
publish "$url/"
is "an image is published" "$status $(cat "$dir/err")" "0 "
is "... in these words" "$(cat "$dir/out")" "Imported image $uuid (web, 1.0, state=unactivated)
Added file \"$dir/file\" (compression \"zstd\") to image $uuid
Activated image $uuid
Successfully published image $uuid to $url/"
is "... by these requests" "$(asked)" "POST /images/$uuid?action=import;PUT /images/$uuid/file?compression=zstd;POST /images/$uuid?action=activate;"
is "... and is whole there" "$(sha1sum <"$dir/got/$uuid" | cut -d' ' -f1)" "$sha1"
publish "$url"
is "twice is refused by the server" "$status $(cat "$dir/err")" "1 imgadm publish: error (ImageUuidAlreadyExists): it exists"

serve damage
publish "$url"
is "a file that arrives damaged" "$status $(cut -c1-47 "$dir/err")" "1 imgadm publish: error (UploadError): the server"
is "... is taken back" "$(asked | grep -o 'DELETE.*')" "DELETE /images/$uuid;"

serve refuse
publish "$url"
is "one that is not activated, with the server's words" "$status $(cat "$dir/err")" "1 imgadm publish: error (ValidationFailed): bad?[1m
    os: Invalid: no"
is "... is taken back as well" "$(asked | grep -o 'DELETE.*')" "DELETE /images/$uuid;"

serve mute
publish "$url"
is "one that takes no images: where, and what it said" "$status $(cat "$dir/err")" \
	"1 imgadm publish: error (ClientError): '$url/images/$uuid?action=import': the server answered 405"

kill $pid; wait $pid 2>/dev/null; pid=
publish "$url"
is "a server that is not there" "$status $(grep -o 'error (ClientError)' "$dir/err")" "1 error (ClientError)"
truncate -s 100 "$dir/file"
publish "$url"
is "a file that is not the manifest's" "$status $(grep -o 'has 100 bytes, the manifest says 3000000' "$dir/err")" \
	"1 has 100 bytes, the manifest says 3000000"
"$bin/imgadm" publish -m "$dir/m.json" "$url" >/dev/null 2>&1
is "wrong use" $? 1
echo "1..$count"
exit $((bad > 0))
