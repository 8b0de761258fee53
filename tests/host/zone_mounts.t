#!/bin/bash
# SPDX-License-Identifier: MIT
#
# "filesystems": what of the host is mounted inside, with which rights, and that the
# zone's root cannot give itself more.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
zone_namespaces "$0" "$@"
set -u
zone_host

said() { sed 's/^/# /' "$dir/said"; }
# The host's folders: below a path that nobody but root may pass.
mkdir -m 700 "$host/data"
mkdir -m 755 "$host/data/rw" "$host/data/ro" "$host/data/plain"
echo kept >"$host/data/ro/file"
echo one >"$host/data/one.txt"
mknod -m 666 "$host/data/rw/null" c 1 3
ln -s data/rw "$host/link"

entry() { # entry SOURCE TARGET OPTIONS
	jq -nc --arg s "$1" --arg t "$2" --argjson o "$3" \
		'{ type: "lofs", source: $s, target: $t, options: $o }'
}
zone_payload one "$(jq -n --argjson a "$(entry /data/rw /mnt/rw '[]')" \
	--argjson b "$(entry /data/ro /mnt/ro '["ro","nodevices","nosetuid","noexec"]')" \
	--argjson c "$(entry /data/one.txt /etc/one.txt '["ro"]')" \
	'{ autoboot: false, filesystems: [$a, $b, $c,
	   { type: "tmpfs", source: "swap", target: "/mnt/mem", options: ["size=1m", "noexec"] }] }')" >"$dir/payload"
vmadm --root "$host" create -f "$dir/payload" >"$dir/said" 2>&1
ok "a VM with file systems is created" $?; said
uuid=$(vmadm --root "$host" lookup -1 alias=one)
record=$host/etc/zones/$uuid.json
root=$host/zones/$uuid/root
zone_tool "$root"
cp "$root/sbin/tool" "$host/data/ro/tool"
cp "$root/sbin/tool" "$host/data/rw/tool"
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
ok "it starts" $?; said
init=$(init_of "$uuid")

is "a folder of the host is there" "$(inside "$init" read /mnt/ro/file)" done
is "a file of the host is there" "$(inside "$init" read /etc/one.txt)" done
is "what is written inside" "$(inside "$init" write /mnt/rw/new)" done
is "is on the host, and belongs to its root there as here" "$(stat -c %u:%g "$host/data/rw/new")" 0:0
is "a device that is there cannot be opened" "$(inside "$init" device /mnt/rw/null)" "Permission denied"
is "programs run where nothing else is said" "$(inside "$init" run /mnt/rw/tool)" done
is "with noexec they do not" "$(inside "$init" run /mnt/ro/tool)" "Permission denied"
is "with ro nothing is written" "$(inside "$init" write /mnt/ro/new)" "Read-only file system"
is "and root inside cannot take that off" "$(inside "$init" rw /mnt/ro)" "Operation not permitted"
is "nor of a file" "$(inside "$init" rw /etc/one.txt)" "Operation not permitted"
is "nor take nodev off" "$(inside "$init" rw /mnt/rw)" "Operation not permitted"
is "a tmpfs has its size" "$(inside "$init" fill /mnt/mem/big $((3 << 20)))" "No space left on device"
is "and is the zone's root's" "$(inside "$init" write /mnt/mem/x)" done
for option in ro nodev nosuid noexec; do
	has "option $option is set" "$(awk '$5 == "/mnt/ro" { print $6 }' "/proc/$init/mountinfo")" "$option"
done
is "nothing of it is mounted on the host" \
	"$(grep -c -e '/mnt/rw' -e one.txt /proc/self/mountinfo)" 0
is "no mounts of the stage are left inside" "$(grep -c ' /run/[0-9]' "/proc/$init/mountinfo")" 0
vmadm --root "$host" stop -F "$uuid" >"$dir/said" 2>&1 || said
is "stopped: nothing is left" "$(nothing_left "$uuid")" ""
is "what was made on the host stays there" "$(ls "$host/data/rw")" "$(printf 'new\nnull\ntool')"

# ---- what cannot be -----------------------------------------------------------------

refused() { # refused NAME PART: the start fails, says so, leaves nothing
	vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
	is "$1: the start fails" $? 1
	has "$1: it says why" "$(<"$dir/said")" "$2"
	is "$1: nothing is left" "$(nothing_left "$uuid")" ""
}
set_fs() { jq --argjson f "$1" '.filesystems = [$f]' "$dir/good" >"$record"; }
cp "$record" "$dir/good"
set_fs "$(entry /data/none /mnt/x '[]')"
refused "a source that is not there" "filesystems[0]: source: cannot open '/data/none' on the host"
set_fs "$(entry /link /mnt/x '[]')"
refused "a source that is a link" "has a symbolic link in it"
set_fs "$(entry /data/rw /mnt/x '["strange"]')"
refused "an option that nobody knows" "options: 'strange'"
mkdir "$dir/outside"
ln -s "$dir/outside" "$root/away"
set_fs "$(entry /data/rw /away/x '[]')"
refused "a target behind a link" "'away' in the root is no folder"
set_fs "$(entry /data/rw /away '[]')"
refused "a target that is a link" "target '/away' is no folder"
is "nothing was made where the link leads" "$(ls -A "$dir/outside")" ""
jq --argjson a "$(entry /data/plain /mnt/p '[]')" --argjson b "$(entry /data/ro /mnt/p/sub '[]')" \
	'.filesystems = [$a, $b]' "$dir/good" >"$record"
refused "a target in another's source that is not there" "filesystems: target '/mnt/p/sub' inside"
mkdir "$host/data/plain/sub"
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
ok "once it is there it starts" $?; said
is "and one is in the other" "$(inside "$(init_of "$uuid")" read /mnt/p/sub/file)" done
vmadm --root "$host" stop -F "$uuid" >"$dir/said" 2>&1 || said

zone_payload two "$(jq -n --argjson a "$(entry /data/none /mnt/x '[]')" '{ filesystems: [$a] }')" >"$dir/payload"
vmadm --root "$host" create -f "$dir/payload" >"$dir/said" 2>&1
is "create looks for the source as well" $? 1
has "and says so" "$(<"$dir/said")" "cannot open '/data/none' on the host"
is "and leaves nothing" "$(vmadm --root "$host" lookup alias=two)" ""

# ---- a file system that cannot map ids ---------------------------------------------------

mkdir "$host/data/ram"
mount -t ramfs -o mode=755 ram "$host/data/ram"
echo word >"$host/data/ram/file"
set_fs "$(entry /data/ram /mnt/ram '[]')"
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
has "it is mounted as it is, and that is said" "$(<"$dir/said")" \
	"filesystems: '/mnt/ram' is mounted without a map of ids"
is "what all may read is read" "$(inside "$(init_of "$uuid")" read /mnt/ram/file)" done
is "and nothing is written" "$(inside "$(init_of "$uuid")" write /mnt/ram/new)" "Permission denied"
vmadm --root "$host" update "$uuid" cpu_shares=99 >"$dir/said" 2>&1
has "a change later on does not forget it" "$(state_of "$uuid" 'warnings | join(" ")')" \
	"'/mnt/ram' is mounted without a map of ids"
vmadm --root "$host" stop -F "$uuid" >"$dir/said" 2>&1 || said
umount "$host/data/ram"

# ---- what the guest may mount itself --------------------------------------------------

jq 'del(.filesystems) | .fs_allowed = ["tmpfs", "ufs"] | .tmpfs = 0' "$dir/good" >"$record"
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
has "a type that no zone can mount is named" "$(<"$dir/said")" "fs_allowed: 'ufs' is not given"
[[ $(<"$dir/said") != *"'tmpfs'"* ]]
ok "one that it can is not" $?
is "and it can" "$(inside "$(init_of "$uuid")" fsmount tmpfs)" done
[ ! -e "/proc/$(init_of "$uuid")/root/dev/fuse" ]
ok "without fuse in the list there is no /dev/fuse" $?
vmadm --root "$host" stop -F "$uuid" >"$dir/said" 2>&1 || said
jq 'del(.filesystems) | .fs_allowed = ["fuse"]' "$dir/good" >"$record"
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
if [ -c /dev/fuse ] && [ $((8#$(stat -c %a /dev/fuse) & 6)) -eq 6 ]; then
	is "with it there is, and it opens" "$(inside "$(init_of "$uuid")" device /dev/fuse)" done
else
	has "where the host's is not for everybody, that is said" "$(<"$dir/said")" "'fuse' is not given"
fi

vmadm --root "$host" delete "$uuid" >"$dir/said" 2>&1 || said
is "deleted: nothing is left" "$(nothing_left "$uuid")" ""
is "the host's folders are as they were" "$(<"$host/data/ro/file")" kept
finish
