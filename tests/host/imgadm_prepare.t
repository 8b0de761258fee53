#!/bin/bash
# SPDX-License-Identifier: MIT
#
# imgadm create -s: the script runs in a copy of the VM, which is always taken away; what is
# killed leaves nothing that check does not take away.
# shellcheck source=tests/host/vmadm_lib.bash
. "$(dirname "$0")/vmadm_lib.bash"

img() {
	"$bin/imgadm" "$@" --root "$root" >"$dir/out" 2>"$dir/err"
	status=$?
	out=$(cat "$dir/out")
	err=$(cat "$dir/err")
}
new_vm() { payload '"uuid": "'"$1"'", "alias": "c", "autoboot": false, "hostname": "made"' | "$bin/vmadm" --root "$root" create >/dev/null 2>&1; }
left() { ls -A "$zones/images/.partial"; ls -A "$root/etc/zones/.journal"; "$bin/vmadm" --root "$root" lookup | grep -v "$u"; }
refused() { is "$1" "$status $(sed -n 's/.*error (\([A-Za-z]*\)).*/\1/p' "$dir/err" | head -1)" "$2"; }

u=$(printf eeeeeeee-0002-4000-8000-%012x $$)
new_vm $u || skip "no VM can be made"
r=$zones/$u/root
echo hello >"$r/opt/hello"
vm start $u
# ---- a script ---------------------------------------------------------------------
cat >"$dir/prepare" <<'END'
#!/bin/sh
mdata-put prepare-image:state running
echo prepared >/opt/prepared
rm -f /opt/hello
mdata-put prepare-image:state success
poweroff
END
before=$(vm get $u; jq -r .boot_timestamp "$dir/out")
img create $u -q -s "$dir/prepare" -o "$dir/prep" name=x version=1
is "a script, while the VM runs" "$status $err" "0 "
tar -tf "$dir/prep.tar" >"$dir/list"
is "it did its work in the image" "$(grep -c '^opt/prepared$' "$dir/list") $(grep -c '^opt/hello$' "$dir/list")" "1 0"
is "... and not in the VM" "$([ -e "$r/opt/prepared" ] && echo there) $(cat "$r/opt/hello")" " hello"
is "which went on running" "$(vm get $u; jq -r .boot_timestamp "$dir/out")" "$before"
is "nothing is left of the copy" "$(left)" ""
printf '#!/bin/sh\nmdata-put prepare-image:error "no way"\nmdata-put prepare-image:state error\npoweroff\n' >"$dir/prepare2"
img create $u -q -s "$dir/prepare2" -o "$dir/bad" name=x version=1; refused "a script that fails" "1 PrepareImageError"
case $err in *"no way"*) true ;; *) false ;; esac
ok "... says why" $?
printf '#!/bin/sh\npoweroff\n' >"$dir/prepare3"
img create $u -q -s "$dir/prepare3" -o "$dir/bad" name=x version=1; refused "one that says nothing" "1 PrepareImageDidNotRun"
printf '#!/bin/sh\nmdata-put prepare-image:state running\nsleep 1000\n' >"$dir/prepare4"
img create $u -q -s "$dir/prepare4" --timeout 3 -o "$dir/bad" name=x version=1; refused "one without an end" "1 Timeout"
is "nothing is left of them" "$(left) $(ls "$dir"/bad* 2>/dev/null)" " "

# ---- killed -----------------------------------------------------------------------
vm stop -F $u
steps=$(DAIS_FAULT_LOG=1 "$bin/imgadm" create $u -q -s "$dir/prepare" -o "$dir/k" name=x version=1 --root "$root" 2>&1 | grep -c '^step')
[ "$steps" -gt 5 ]
ok "steps to be killed at ($steps)" $?
for n in $(seq "$steps"); do
	{ DAIS_CRASH_AT=$n "$bin/imgadm" create $u -q -s "$dir/prepare" -o "$dir/killed" name=x version=1 --root "$root"; } >/dev/null 2>&1
	img check -r >/dev/null
	vm check --repair
	img check
	[ "$status" -eq 0 ] && [ -z "$(left)" ]
	ok "killed at step $n: check takes all of it away" $?
done
is "no files of those" "$(ls -A "$dir" | grep killed)" ""
finish
