#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm and mkpool without a pool: usage, statuses, texts, and what is wrong with
# a manifest.
[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
for tool in imgadm mkpool; do
	[ -x "$bin/$tool" ] || { echo "1..0 # SKIP '$bin/$tool' is not built"; exit 0; }
done
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
count=0 bad=0

# t NAME STATUS STDOUT STDERR COMMAND...: "*" takes any text; the first line of STDERR counts.
t() {
	local name=$1 want=$2 out=$3 err=$4 got problem=
	shift 4
	"$@" >"$root/out" 2>"$root/err"
	got=$?
	[ "$got" -eq "$want" ] || problem="status $got, want $want"
	[[ "$(cat "$root/out")" == $out ]] || problem="$problem; out: $(cat "$root/out")"
	[[ "$(head -1 "$root/err")" == $err ]] || problem="$problem; err: $(cat "$root/err")"
	count=$((count + 1))
	if [ -z "$problem" ]; then
		echo "ok $count - $name"
	else
		bad=1
		echo "not ok $count - $name"
		printf '%s\n' "$problem" | sed 's/^/# /'
	fi
}

i() { local name=$1 status=$2 out=$3 err=$4; shift 4; t "$name" "$status" "$out" "$err" "$bin/imgadm" "$@" --root "$root/host"; }
uuid=7c7a5f2e-0d0b-4a53-9a0e-aaaaaaaaaaaa
mkdir "$root/host"

t "help" 0 'usage: imgadm *install*' '' "$bin/imgadm" help
t "help of a command" 0 '*--max-size SIZE*' '' "$bin/imgadm" help install
t "help by a question mark" 0 'usage: imgadm list *' '' "$bin/imgadm" '?' list
t "no command: the help, and 1" 1 'usage: imgadm *commands:*' '' "$bin/imgadm"
last() { # last NAME CODE ARGS...: -E ends standard error with a record
	local name=$1 code=$2 got
	shift 2
	"$bin/imgadm" -E "$@" >/dev/null 2>"$root/err"
	got="$? $(tail -1 "$root/err" | grep -o '"err":{"code":"[A-Za-z]*"' | cut -d'"' -f6)"
	t "$name" 0 '' '' test "$got" = "1 $code"
}
last "-E: no command" NoCommand
last "-E: an unknown command" UnknownCommand frobnicate
last "-E: an unknown option" UnknownOption list -z
last "-E: an operand is missing" Usage get
last "-E: what is no filter" Usage avail name
t "an unknown command" 1 '' "imgadm: error (UnknownCommand): 'frobnicate' is not a command*" "$bin/imgadm" frobnicate
t "completion for bash" 0 '*complete*imgadm*' '' "$bin/imgadm" --completion bash
i "an unknown option" 1 '' "imgadm list: error (UnknownOption): unknown option '-z'" list -z
i "list without a pool is empty" 0 '' '' list
i "list --docker without a pool is empty" 0 '' '' list --docker
i "list -j without a pool" 0 '\[\]' '' list -j
i "get without a pool" 3 '' "imgadm get: error (ImageNotInstalled): image \"$uuid\" was not found on zpool \"zones\"" get $uuid
i "get without a UUID" 1 '' '*' get
i "get of nonsense" 1 '' 'imgadm get: error (InvalidUUID): invalid uuid: "nonsense"' get nonsense
i "upper case is no UUID" 1 '' 'imgadm get: error (InvalidUUID): *' get ${uuid^^}
mkdir -p "$root/host/var/imgadm"
echo '{"sources":[]}' >"$root/host/var/imgadm/imgadm.conf"
i "show without a source" 1 '' "imgadm show: error (NoSources): imgadm has no configured sources" show $uuid
i "import without a pool" 1 '' "imgadm import: error (FileSystem): there is no pool at *" import $uuid
i "sources: none" 0 '' '' sources
i "a source that does not answer" 1 '' "imgadm sources: error (SourcePing): unexpected ping error to image source \"http://127.0.0.1:1\" (imgapi): *" sources -a 127.0.0.1:1/
i "added all the same" 0 'Added "imgapi" image source "http://127.0.0.1:1" (insecure)' '' sources -f -k -a 127.0.0.1:1/
i "with a channel" 0 'Added "imgapi" image source "http://127.0.0.1:1?channel=x" (channel=x)' '' sources -f -a '127.0.0.1:1?channel=x'
i "again" 0 'Already have "imgapi" image source "http://127.0.0.1:1" (insecure), no change' '' sources -f -k -a http://127.0.0.1:1
i "sources: a table" 0 $'URL                           TYPE    INSECURE\nhttp://127.0.0.1:1            imgapi  true\nhttp://127.0.0.1:1[?]channel=x  imgapi  false' '' sources -v
i "whether they are there, as JSON" 0 '*"ok": false,*"error": "*' '' sources -c -j
i "the hub" 0 'Added "docker" image source "https://docker.io"' '' sources -f --add-docker-hub
i "... by the other name of its kind" 0 'Already have "docker" image source "https://docker.io", no change' '' sources -f -t oci -a https://docker.io/
i "the hub and another at once" 1 '' "imgadm sources: error (Usage): only one of -a, -c, -d and -e at a time" sources --add-docker-hub -a x
i "without the hub" 0 'Deleted "docker" image source "https://docker.io"' '' sources -d https://docker.io
t "-v before a command is not the command's -v" 0 $'http://127.0.0.1:1\nhttp://127.0.0.1:1[?]channel=x' '' "$bin/imgadm" -v sources --root "$root/host"
t "-v says what is asked" 1 '' '*imgadm: process [0-9]*' "$bin/imgadm" -v sources -a http://127.0.0.1:1/x --root "$root/host"
cp "$root/err" "$root/said"
t "... each request" 0 '*GET http://127.0.0.1:1/x/ping: 0, *' '' cat "$root/said"
IMGADM_LOG_LEVEL=trace t "the same by the environment" 1 '' '*imgadm: process [0-9]*' "$bin/imgadm" sources -a http://127.0.0.1:1/x --root "$root/host"
i "delete what is not there" 0 'Do not have image source "http://x", no change' '' sources -d x
i "delete" 0 'Deleted "imgapi" image source "http://127.0.0.1:1" (insecure)' '' sources -d 127.0.0.1:1
i "no address" 1 '' "imgadm sources: error (InvalidArgument): 'ftp://x' is neither an http nor an https address" sources -f -a ftp://x
i "an unknown kind" 1 '' "imgadm sources: error (InvalidArgument): unknown image source type \"x\" (there is: *" sources -f -t x -a http://x
i "two changes at once" 1 '' "imgadm sources: error (Usage): only one of -a, -c, -d and -e at a time*" sources -d http://x -c
edit() { VISUAL=$1 i "${@:2}" sources -e; }
edit true "edit: nothing" 0 'Image sources unchanged' ''
edit 'sed -i s/channel=x/channel=y/' "edit: another" 0 \
	$'Added "imgapi" image source "http://127.0.0.1:1[?]channel=y" (channel=y)\nDeleted "imgapi" image source "http://127.0.0.1:1[?]channel=x" (channel=x)' ''
edit 'sed -i $a\ftp://x' "edit: a mistake" 1 '' "imgadm sources: error (ConfigError): line 3: 'ftp://x' is neither*"
edit 'sed -i $p' "edit: the same line twice" 1 '' "imgadm sources: error (ConfigError): line 3: 'http://127.0.0.1:1[?]channel=y' is there twice"
printf '#!/bin/sh\nprintf "http://h:1 %%s\\n" docker oci >"$1"\n' >"$root/editor"
chmod 755 "$root/editor"
edit "$root/editor" "edit: a registry by both names of its kind" 1 '' "imgadm sources: error (ConfigError): line 2: 'http://h:1' is there twice"
edit false "edit: the editor fails" 1 '' "imgadm sources: error (ConfigError): the editor 'false' failed; nothing was changed"
echo '{"v":2}' >"$root/m.json"
i "validate" 1 '*"field": "uuid"*"code": "MissingParameter"*' '' validate -j "$root/m.json"
i "validate of standard input" 1 '' "imgadm validate: error (InvalidManifest): standard input:1:1: *" validate - < <(printf '{')
mv "$root/host/var/imgadm/imgadm.conf" "$root/kept.conf"
echo '[]' >"$root/host/var/imgadm/imgadm.conf"
i "a sources file that is no object" 1 '' "imgadm sources: error (ConfigError): /var/imgadm/imgadm.conf: must be an object" sources
echo '{' >"$root/host/var/imgadm/imgadm.conf"
i "a sources file that is not JSON" 1 '' "imgadm sources: error (ConfigError): /var/imgadm/imgadm.conf:2:0: *" sources
mv "$root/kept.conf" "$root/host/var/imgadm/imgadm.conf"
i "delete without a pool" 3 '' "imgadm delete: error (ImageNotInstalled): *" delete $uuid
i "another pool" 1 '' "imgadm get: error (InvalidArgument): there is no pool 'tank', only 'zones'" get -P tank $uuid
i "install without files" 1 '' 'imgadm install: error (Usage): give -f FILE, and -m MANIFEST if there is one' install -m x
t "a root that is not there" 1 '' "imgadm list: error (FileSystem): cannot find the root folder '/nonexistent': *" "$bin/imgadm" list --root /nonexistent

m() { # m NAME MANIFEST ERROR
	printf '%b' "$2" >"$root/m.json"
	i "$1" 1 '' "imgadm install: error $3" install -m "$root/m.json" -f /dev/null
}
start="{\"v\":2,\"uuid\":\"$uuid\",\"name\":\"n\",\"version\":\"1\",\"os\":\"linux\",\"type\""
m "no JSON" '{\n "v": 2,\n }' "(InvalidManifest): $root/m.json:3:*"
m "a key twice" '{ "v": 2, "v": 2 }' "(InvalidManifest): $root/m.json:1:*"
m "an array" '[]' "(InvalidManifest): $root/m.json: a manifest is an object, not array"
m "no version" '{}' "(InvalidManifest): $root/m.json: manifest does not have a \"v\" field"
m "wrong fields" "$start:\"x\",\"zz\":1}" "(ManifestValidation): invalid manifest: type (Invalid), zz (unknown field)"
m "no file" "$start:\"other\"}" "(ManifestValidation): invalid manifest: files (MissingParameter)"
truncate -s 2M "$root/large.json"
i "a manifest that is too large" 1 '' "imgadm install: error (FileSystem): *is larger than 1048576 bytes" install -m "$root/large.json" -f /dev/null
i "a manifest that is missing" 1 '' "imgadm install: error (FileSystem): *No such file or directory" install -m "$root/none" -f /dev/null

if command -v setpriv >/dev/null; then
	mkdir "$root/bin"
	cp "$bin/imgadm" "$bin/mkpool" "$root/bin"
	chmod 755 "$root" "$root/bin"
	t "not root" 2 '' 'imgadm list: only root can do that' setpriv --reuid 65534 --clear-groups "$root/bin/imgadm" list
	t "mkpool, not root" 1 '' 'mkpool: only root can do that' setpriv --reuid 65534 --clear-groups "$root/bin/mkpool" --mount
else
	t "who is not root # SKIP 'setpriv' is not installed" 0 '' '' true
fi
t "mkpool without an order" 2 '' 'mkpool: give --file FILE --size SIZE, or a device' "$bin/mkpool"
t "mkpool with a bad size" 1 '' "mkpool: *'10X'*" "$bin/mkpool" --file "$root/p" --size 10X --root "$root/host"
t "mkpool --mount without a pool" 1 '' "mkpool: no pool is known here*" "$bin/mkpool" --mount --root "$root/host"
echo "1..$count"
exit $bad
