#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A zone gets a new root: what stays, what goes, what is refused; and each step cut short.
. "$(dirname "$0")/vmadm_lib.bash"

u=$(printf 7d7d7d7d-0000-4000-8000-%012x $$)
own=$u
second=$(printf 8e8e8e8e-0000-4000-8000-%012x $$)
mkdir "$dir/other"
mkdir -p "$dir/other/etc" "$dir/other/usr"
echo other >"$dir/other/etc/which"
tar -C "$dir/other" -cf - etc usr | zstd -q >"$dir/other.tar.zst"
jq --arg u "$second" --arg s "$(sha1sum <"$dir/other.tar.zst" | cut -d' ' -f1)" \
	--argjson n "$(stat -c %s "$dir/other.tar.zst")" \
	'.uuid = $u | .name = "other" | .files[0].sha1 = $s | .files[0].size = $n |
	del(.files[0].sha256, .files[0].uncompressed_sha256, .files[0].uncompressed_size)' \
	"$images/base.json" >"$dir/other.json"
"$bin/imgadm" install -q --root "$root" -m "$dir/other.json" -f "$dir/other.tar.zst" \
	>"$dir/out" 2>&1 || skip "no second image: $(cat "$dir/out")"

payload '"uuid": "'$u'", "alias": "r", "autoboot": false, "delegate_dataset": true,
	"quota": 1, "customer_metadata": { "k": "v" }, "nics": [{ "nic_tag": "stub0", "ip": "dhcp" }]' >"$dir/vm.json"
vm create -f "$dir/vm.json"
[ "$status" -eq 0 ] || skip "no VM can be made: $err"
new() { printf '{ "image_uuid": "%s" }' "$1" >"$dir/p.json"; }

new "$second"
echo '{}' >"$dir/none.json"
vm reprovision $u -f "$dir/none.json"
is "the payload names an image" "$status $err" "1 Failed to reprovision VM $u: payload is missing image_uuid"
new "${u/7d7d/9f9f}"
vm reprovision $u -f "$dir/p.json"
is "one that is there" "$status $err" \
	"1 Failed to reprovision VM $u: /image_uuid: image '${u/7d7d/9f9f}' is not installed"
new '../../etc'
vm reprovision $u -f "$dir/p.json"
is "and is named by its UUID" "$status" 1
new "$second"
vm reprovision "${u/7d7d/9f9f}" -f "$dir/p.json"
is "the VM has to be there" "$status $err" \
	"1 Failed to reprovision VM ${u/7d7d/9f9f}: zoneadm: ${u/7d7d/9f9f}: No such zone configured"

vm start $u
in_zone $u sh -c "echo mine >/root/mine; echo kept >/zones/$u/data/kept"
vm create-snapshot $u before
before=$(jq -S 'del(.image_uuid)' "$root/etc/zones/$u.json")
new "$image"
pid=$(jq .pid "$root/run/dais/$u/state.json")
vm reprovision $u -f "$dir/p.json"
is "reprovision says what it did" "$status ${err%%$'\n'*}" "0 Successfully reprovisioned VM $u"
is "it runs, as it did" "$("$bin/vmadm" --root "$root" list -Ho state)" running
[ "$(jq .pid "$root/run/dais/$u/state.json")" != "$pid" ]
ok "as another one" $?
[ ! -e "$zones/$u/root/root/mine" ]
ok "what was in the root is gone" $?
is "what was in the data is not" "$(in_zone $u cat "/zones/$u/data/kept")" kept
is "snapshots are gone" "$("$bin/vmadm" --root "$root" get $u | jq -c .snapshots)" "[]"
is "the record is as it was" "$(jq -S 'del(.image_uuid)' "$root/etc/zones/$u.json")" "$before"
vm stop -F $u
vm reprovision $u -f - <"$dir/p.json"
is "a stopped one" "$status" 0
is "stays stopped" "$("$bin/vmadm" --root "$root" list -Ho state)" stopped
for p in indestructible_zoneroot indestructible_delegated; do
	vm update $u $p=true
	new "$second"
	[ $p = indestructible_delegated ] || {
		vm reprovision $u -f "$dir/p.json"
		is "$p forbids it" "$status $err" \
			"1 Failed to reprovision VM $u: $p is set, cannot reprovision"
	}
	vm delete $u
	is "$p forbids to delete it" "$status $err" "1 Failed to delete VM $u: $p is set, cannot delete"
	vm update $u $p=false
done

# ---- cut short

state() {
	local which
	which=$(cat "$zones/$u/root/etc/which" 2>/dev/null || echo base)
	case "$which $(jq -r .image_uuid "$root/etc/zones/$u.json")" in
	"other $second" | "base $image") ;;
	*) echo "a root of $which"; return ;;
	esac
	[ "$(cat "$zones/$u/data/kept")" = kept ] || { echo "no data"; return; }
	ls -d "$root/etc/zones/.journal"/* "$zones/$u/next" 2>/dev/null
	echo ok
}
n=0
while :; do
	n=$((n + 1))
	[ $n -lt 40 ] || break
	new "$([ $((n % 2)) = 0 ] && echo "$image" || echo "$second")"
	DAIS_CRASH_AT=$n vm reprovision $u -f "$dir/p.json" 2>/dev/null
	[ "$status" -ne 0 ] || break
	vm check --repair
	vm check
	is "killed at step $n" "$status $(state)" "0 ok"
	DAIS_FAIL_AT=$n vm reprovision $u -f "$dir/p.json"
	vm check --repair
	is "failed at step $n" "$(state)" ok
done
[ "$n" -gt 5 ] && [ "$n" -lt 40 ]
ok "that were $((n - 1)) steps" $?
vm delete $u
is "nothing is left in the end" "$(leftovers)" ""
finish
