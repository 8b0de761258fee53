# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # what it sets is for those that source it
#
# imgapi_lib.bash - for tests of image sources: sourced, it moves the test into a network
# of its own, makes a pool (store_lib.bash), and starts real servers on its loopback:
#
#	http://127.0.0.1:8080   nginx, an IMGAPI of plain files below $site
#	https://localhost:8443  the same; $root/etc/dais/ca.pem is who signed for it
#	http://127.0.0.1:8090   fault_proxy.py before it
#
#	publish FILE UUID [MEMBER...]   put an image there; MEMBERs are "key":value
#	index                           write the list of what was published
#	faults LINE...                  the proxy's rules, see there
#	asked [REGEX]                   what the proxy was asked for; forget_asked
#	sources JSON...                 write the sources file of the host
if [ -z "${DAIS_TEST_NET:-}" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root"; exit 0; }
	DAIS_TEST_NET=1 DAIS_TEST_MOUNTS=1 exec unshare -mn --propagation private "$0" "$@"
fi
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in nginx curl jq ip openssl; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
ip link set lo up
site=$dir/site
api=http://127.0.0.1:8080
tls=https://localhost:8443
faulty=http://127.0.0.1:8090
mkdir -p "$site/manifests" "$site/files" "$root/etc/dais" "$root/var/imgadm" "$dir/nginx"
chmod 711 "$dir" # nginx's workers are nobody here

openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$dir/nginx/key.pem" \
	-out "$dir/nginx/cert.pem" 2>/dev/null || skip "no certificate can be made"
cp "$dir/nginx/cert.pem" "$root/etc/dais/ca.pem"
cat >"$dir/nginx/nginx.conf" <<END
daemon off; worker_processes 1; pid $dir/nginx/pid; error_log $dir/nginx/error.log;
events { worker_connections 256; }
http {
	access_log off; sendfile on; default_type application/octet-stream;
	client_body_temp_path $dir/nginx/b; proxy_temp_path $dir/nginx/p;
	fastcgi_temp_path $dir/nginx/f; uwsgi_temp_path $dir/nginx/u; scgi_temp_path $dir/nginx/s;
	server {
		listen 127.0.0.1:8080; listen 127.0.0.1:8443 ssl;
		ssl_certificate $dir/nginx/cert.pem; ssl_certificate_key $dir/nginx/key.pem;
		root $site;
		location = /ping { default_type application/json; return 200 '{"ping":"pong","version":"4","imgapi":true}'; }
		location = /images { default_type application/json; alias $site/list.json; }
		location ~ ^/images/([0-9a-f-]+)\$ { default_type application/json; alias $site/manifests/\$1.json; }
		location ~ ^/images/([0-9a-f-]+)/manifest\.(minisig|sig)\$ { alias $site/manifests/\$1.json.\$2; }
		location ~ ^/images/([0-9a-f-]+)/file\$ { alias $site/files/\$1; }
		error_page 404 /404.json;
		location = /404.json { internal; default_type application/json; return 404 '{"code":"ResourceNotFound","message":"image not found"}'; }
	}
}
END
nginx -c "$dir/nginx/nginx.conf" 2>"$dir/nginx/log" &
nginx_pid=$!
python3 "$(dirname "$0")/fault_proxy.py" 8090 $api &
proxy_pid=$!

servers_cleanup() {
	kill $nginx_pid $proxy_pid 2>/dev/null
	wait $nginx_pid $proxy_pid 2>/dev/null
	cleanup
}
trap servers_cleanup EXIT
wait_for_port() {
	for _ in $(seq 100); do
		curl -sf -o /dev/null "$1" && return 0
		sleep 0.1
	done
	skip "no server answers at $1: $(cat "$dir/nginx/log")"
}

publish() {
	local file=$1 uuid=$2
	shift 2
	cp "$file" "$site/files/$uuid"
	manifest "$file" "$uuid" | jq --argjson more "{$(IFS=,; echo "$*")}" \
		'. + {state: "active", disabled: false, public: true, owner: "00000000-0000-0000-0000-000000000000"} + $more' \
		>"$site/manifests/$uuid.json"
	chmod -R a+rX "$site"
}
index() {
	jq -s . "$site"/manifests/*.json >"$site/list.json"
	chmod a+r "$site/list.json"
}
faults() { printf '%s\n' "$@" | curl -sf --data-binary @- $faulty/__faults; }
asked() { curl -sf $faulty/__log | grep -E "${1:-.}"; }
forget_asked() { curl -sf -X POST $faulty/__reset; }
# Quick tries, so that faults cost no minutes.
sources() {
	jq -n --argjson s "[$(IFS=,; echo "$*")]" '{sources: $s, http: {tries: 4, retry_wait_ms: 20,
		retry_wait_max_ms: 3000, connect_seconds: 3, stall_seconds: 1}}' >"$root/var/imgadm/imgadm.conf"
}
source_at() { printf '{"type":"imgapi","url":"%s"}' "$1"; }
wait_for_port $api/ping
wait_for_port $faulty/ping
