#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm create -p to a real server, by the VM's alias; and SIGKILL at the steps of a create,
# while it writes the archive and while it publishes: its processes are gone, check takes
# away all that is left on the pool, and so does the next create, which works.
IMAGE=tiny
# shellcheck source=tests/host/vmadm_lib.bash
. "$(dirname "$0")/vmadm_lib.bash"
for tool in strace openssl curl; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
img() {
	"$bin/imgadm" "$@" --root "$root" >"$dir/out" 2>"$dir/err"
	status=$?
	out=$(cat "$dir/out")
	err=$(cat "$dir/err")
}
api=http://127.0.0.1:8080
share=$dir/share
mkdir "$share" "$dir/writers" "$dir/o" "$root/var" "$root/var/imgadm"
chown 65534 "$share"
openssl genpkey -algorithm ed25519 -out "$root/etc/dais/me.key" 2>/dev/null
openssl pkey -in "$root/etc/dais/me.key" -pubout -out "$dir/writers/me.pem"
chmod 600 "$root/etc/dais/me.key"
echo "{\"sources\":[{\"url\":\"$api\",\"login\":\"me\",\"login_key\":\"/etc/dais/me.key\"}],\"http\":{\"tries\":1}}" >"$root/var/imgadm/imgadm.conf"
ASAN_OPTIONS=detect_leaks=0 "$bin/imgapi" --writers "$dir/writers" "$share" 2>"$dir/server.log" &
server=$!
end_all() {
	kill $server
	cleanup
}
trap end_all EXIT
for _ in $(seq 100); do curl -sf -o /dev/null $api/ping && break; sleep 0.1; done

u=$(printf eeeeeeee-0000-4000-8000-%012x $$)
payload '"uuid": "'"$u"'", "alias": "web", "autoboot": false' | "$bin/vmadm" --root "$root" create >/dev/null 2>&1 || skip "no VM can be made"
head -c 8000000 /dev/urandom >"$zones/$u/root/data"

# ---- made and published in one
img create web -p $api -c gzip -q name=web version=1.0
made=$(jq -r '.[0].uuid' < <(curl -s $api/images))
is "an image is made and published, by the VM's alias" "$status $err" "0 "
is "... and is there" "$(curl -s "$api/images/$made" | jq -r '[.name, .state] | join(" ")')" "web active"
is "... told as by publish" "$(tail -1 <<<"$out")" "Successfully published image $made to $api"
is "no files are kept" "$(ls "$dir/o"; find "$zones" -maxdepth 1 -type f)" ""
img import -q "$made"
is "it is imported" "$status $(cmp "$zones/$u/root/data" "$zones/images/$made/rootfs/data")" "0 "
img delete "$made"
img create web -p $api -o "$dir/o" name=web version=1.0
is "-p keeps no files: no -o" "$status $(head -1 <<<"$err")" "1 imgadm create: error (Usage): -p keeps no files: it does not go with -o"
img create web -p docker://127.0.0.1:5000/x -c xz name=web version=1.0
is "what a registry does not take is not made" "$status ${err:0:40}" "1 imgadm create: error (Usage): a registry"
img create nobody -q name=web version=1.0
is "an alias that nobody has" "$status $err" '1 imgadm create: error (InvalidUUID): invalid uuid: "nobody", and no VM has this alias'
img create web -p http://127.0.0.1:1 -q name=web version=1.0
is "a server that is not there" "$status $(grep -o 'error (ClientError)' <<<"$err")" "1 error (ClientError)"

# ---- killed
export ASAN_OPTIONS=detect_leaks=0 # which cannot be had under a tracer
workers() { # the processes of the dead may need a moment to see it
	for _ in $(seq 50); do
		[ "$(pgrep -f -c "imgadm create web .*--root $root")" = 0 ] && return 0
		sleep 0.1
	done
	return 1
}
pool() { ls -A "$zones/images/.partial"; ls -A "$root/etc/zones/.journal" 2>/dev/null; find "$zones" -maxdepth 1 -type f; }
before=$(pool)
kills=0
try() { # try CALL N ARGS...
	local call=$1 n=$2 r
	shift 2
	{ strace -o /dev/null -e "inject=$call:signal=KILL:when=$n" "$bin/imgadm" create web -q -c gzip "$@" name=k version=1 --root "$root" >/dev/null; } 2>/dev/null
	r=$?
	workers || ok "killed at $call $n: its processes live on" 1
	[ $r -ge 128 ] || return 1
	kills=$((kills + 1))
	[ -z "$(find "$dir/o" -name '*.tar*' -not -name k-1.tar.gz)" ] || ok "killed at $call $n: left: $(ls -A "$dir/o" | xargs)" 1
	[ ! -e "$dir/o/k-1.tar.gz" ] || gzip -t "$dir/o/k-1.tar.gz" || ok "killed at $call $n: half a file" 1
	[ ! -e "$dir/o/k-1.imgmanifest" ] || [ -e "$dir/o/k-1.tar.gz" ] || ok "killed at $call $n: a manifest without its file" 1
	rm -f "$dir"/o/k-1.*
	img check -r
	img check
	[ "$status" -eq 0 ] && [ "$(pool)" = "$before" ] || ok "killed at $call $n: check leaves: $out $(pool | xargs)" 1
}
some() { # some CALL ARGS...: at some of its calls
	local n=0 step=1
	while n=$((n + step)); [ $n -lt 200 ] && try "$1" $n "${@:2}"; do [ $n -lt 3 ] || step=$((step * 4)); done
}
for call in fork,vfork,clone,clone3 wait4 read linkat,renameat,renameat2,rename fsync; do some $call -o "$dir/o"; done
[ $kills -gt 10 ]
ok "killed while it makes files: they are whole or not there, check takes the rest ($kills kills)" $?
kills=0
for call in fork,vfork,clone,clone3 wait4; do some $call -p $api; done
[ $kills -gt 5 ]
ok "killed while it publishes: check takes all that is left here ($kills kills)" $?
{ strace -o /dev/null -e inject=fsync:signal=KILL:when=1 "$bin/imgadm" create web -q -c gzip -o "$dir/o" name=k version=1 --root "$root" >/dev/null; } 2>/dev/null
img create web -q -c gzip -o "$dir/o" name=k version=1
is "the next one works" "$status $(ls "$dir/o" | xargs)" "0 k-1.imgmanifest k-1.tar.gz"
img check
is "... and leaves nothing of the dead" "$status $(pool)" "0 $before"
finish
