#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Roots that lie in wait: links, pipes, devices and files at every path that the host
# mounts over or writes to. A start works or is refused with a reason; whatever the
# root holds, nothing outside of it is made, changed or even read.
# shellcheck source=tests/host/zone_lib.bash
. "$(dirname "$0")/zone_lib.bash"
zone_namespaces "$0" "$@"
set -u
zone_host

# Here each reading leaves a mark: times of access are kept to the letter.
trapdir=$dir/trap
mkdir -m 777 "$trapdir"
mount -t tmpfs -o strictatime,mode=777 trap "$trapdir"
unmount() { umount -l "$trapdir"; }
trap 'unmount; zone_cleanup' EXIT
set_trap() {
	rm -rf "$trapdir"/*
	mkdir -m 777 "$trapdir/folder"
	echo word >"$trapdir/file"
	chmod 666 "$trapdir/file"
	cp "$dir/root/sbin/init" "$trapdir/program"
	touch -a -d @1000 "$trapdir/file" "$trapdir/program"
}
# Folders are searched on the way to a name, which is no reading: only what is in them counts.
trap_state() {
	find "$trapdir" -mindepth 1 -printf '%P %y %m %s ' \( -type f -printf '%A@ %T@\n' -o -printf '\n' \) | sort
	cat /proc/self/mountinfo | grep -c "$trapdir/"
}

said() { sed 's/^/# /' "$dir/said"; }
zone_payload bad '{ "autoboot": false, "tmpfs": 8, "delegate_dataset": true, "fs_allowed": "fuse",
	"resolvers": ["10.91.0.1"], "maintain_resolvers": true, "filesystems": [
	{ "type": "lofs", "source": "/given", "target": "/mnt/a/b" },
	{ "type": "lofs", "source": "/given.txt", "target": "/etc/given.txt" },
	{ "type": "tmpfs", "target": "/mem" } ] }' >"$dir/payload"
mkdir "$host/given"
echo given >"$host/given.txt"
vmadm --root "$host" create -f "$dir/payload" >"$dir/said" 2>&1 || said
uuid=$(vmadm --root "$host" lookup -1 alias=bad)
root=$host/zones/$uuid/root
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
ok "the root as it should be starts" $?
vmadm --root "$host" stop -F "$uuid" >"$dir/said" 2>&1 || said
cp -a "$root" "$dir/whole"

# Up from any folder of the root to the top: the kernel stops there.
up=../../../../../../../../../..
place() { # place KIND PATH: puts it there
	rm -rf "${root:?}/$2"
	mkdir -p "$(dirname "$root/$2")"
	case $1 in
	absolute) ln -s "$trapdir/folder" "$root/$2" ;;
	relative) ln -s "$up$trapdir/folder" "$root/$2" ;;
	tofile) ln -s "$trapdir/file" "$root/$2" ;;
	toprogram) ln -s "$up$trapdir/program" "$root/$2" ;;
	dangling) ln -s "$trapdir/new" "$root/$2" ;;
	loop) ln -s "$(basename "$2")" "$root/$2" ;;
	pipe) mkfifo -m 666 "$root/$2" ;;
	device) mknod -m 666 "$root/$2" c 1 5 ;;
	setuid) cp "$dir/root/sbin/init" "$root/$2" && chmod 6755 "$root/$2" ;;
	esac
}
restore() {
	rm -rf "$root"/* "$root"/.[!.]*
	cp -a "$dir/whole/." "$root/"
}

bad_paths='' refused=0 worked=0
try() { # try KIND PATH
	local before after status
	place "$1" "$2"
	set_trap
	before=$(trap_state)
	vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		worked=$((worked + 1))
		vmadm --root "$host" stop -F "$uuid" >>"$dir/said" 2>&1 || bad_paths+=" stop:$1:$2"
	else
		refused=$((refused + 1))
		# A reason that a person can do something with names the path, or liblxc's word.
		grep -q "Unable to start VM.*: ..*" "$dir/said" || bad_paths+=" silent:$1:$2"
	fi
	after=$(trap_state)
	[ "$before" = "$after" ] || {
		bad_paths+=" touched:$1:$2"
		diff <(echo "$before") <(echo "$after") | sed 's/^/# /'
	}
	rm -rf "${root:?}/$2"
	restore
}

for path in dev proc sys tmp run var etc sbin mnt mnt/a mnt/a/b etc/given.txt mem sbin/init .zonecontrol \
	native native/.zonecontrol native/.zonecontrol/metadata.sock var/svc etc/hostname etc/hosts etc/resolv.conf \
	dev/pts dev/console dev/shm dev/fuse checkpoints zones "zones/$uuid" "zones/$uuid/data"; do
	for kind in absolute relative; do
		try $kind $path
	done
done
is "links to a folder of the host, at every path, lead nowhere" "$bad_paths" ""
bad_paths=''
for path in dev tmp sbin/init mnt/a/b etc/given.txt etc/hostname etc/resolv.conf; do
	for kind in tofile toprogram dangling loop; do
		try $kind $path
	done
done
is "nor do links to a file, to nothing and to themselves" "$bad_paths" ""
bad_paths=''
for path in dev proc sys tmp etc sbin/init mnt/a/b etc/given.txt mem native native/.zonecontrol checkpoints \
	"zones/$uuid/data"; do
	for kind in pipe device setuid; do
		try $kind $path
	done
done
is "pipes, devices and programs in place of what should be there hold nobody up" "$bad_paths" ""
[ $refused -gt 20 ] && [ $worked -gt 20 ]
ok "of both kinds there were some: $refused refused, $worked worked" $?
is "nothing is left of any" "$(nothing_left "$uuid")" ""
vmadm --root "$host" start "$uuid" >"$dir/said" 2>&1
ok "and with its own root it starts again" $?
# What a change of a running zone writes, where its own root has put something meanwhile.
resolver() {
	timeout 20 vmadm --root "$host" update "$uuid" >"$dir/said" 2>&1 <<<"{ \"resolvers\": [\"10.91.0.$1\"] }"
}
bad_paths='' n=1
for path in etc/resolv.conf etc; do
	for kind in absolute relative tofile dangling pipe device; do
		place $kind $path
		set_trap
		before=$(trap_state)
		resolver $((n += 1))
		[ $? -lt 2 ] || bad_paths+=" hangs:$kind:$path"
		[ "$(trap_state)" = "$before" ] || bad_paths+=" touched:$kind:$path"
	done
done
rm -rf "$root/etc"
mkdir "$root/etc"
resolver 99
is "a change of resolvers reaches no other file" "$? $bad_paths $(tail -n 1 "$root/etc/resolv.conf")" \
	"0  nameserver 10.91.0.99"
vmadm --root "$host" delete "$uuid" >"$dir/said" 2>&1 || said

# ---- what create writes -------------------------------------------------------------

# hostile IMAGE-NUMBER: an image of what "$dir/root" is now
hostile() {
	local sha1 size
	tar -C "$dir/root" -cf "$dir/image.tar" --owner=0 --group=0 --numeric-owner .
	sha1=$(sha1sum <"$dir/image.tar" | cut -d' ' -f1)
	size=$(stat -c %s "$dir/image.tar")
	image=7f0b03d4-fdcb-4a07-853b-0000000000$1
	jq --arg u "$image" --arg s "$sha1" --argjson n "$size" \
		'.uuid = $u | .files[0].sha1 = $s | .files[0].size = $n' "$dir/image.json" >"$dir/image.$1.json"
	imgadm install --root "$host" -q -m "$dir/image.$1.json" -f "$dir/image.tar" >/dev/null
}
n=10
bad_paths=''
for path in etc etc/hostname etc/hosts etc/resolv.conf etc/systemd etc/systemd/network var var/svc \
	var/svc/provisioning; do
	for kind in absolute relative tofile pipe; do
		saved=$root
		root=$dir/root
		cp -a "$dir/root" "$dir/root.good"
		[[ $path == etc/systemd/network ]] && mkdir -p "$dir/root/etc/systemd"
		place $kind $path
		root=$saved
		hostile $n || bad_paths+=" image:$kind:$path"
		rm -rf "$dir/root"
		mv "$dir/root.good" "$dir/root"
		set_trap
		before=$(trap_state)
		zone_payload "bad$n" '{ "autoboot": false, "resolvers": ["10.91.0.1"],
			"nics": [{ "nic_tag": "test0", "ips": ["dhcp"], "primary": true }] }' >"$dir/payload"
		timeout 20 vmadm --root "$host" create -f "$dir/payload" >"$dir/said" 2>&1
		[ $? -lt 2 ] || bad_paths+=" hangs:$kind:$path"
		[ "$(trap_state)" = "$before" ] || bad_paths+=" touched:$kind:$path"
		for uuid in $(vmadm --root "$host" lookup "alias=bad$n"); do
			vmadm --root "$host" delete "$uuid" >/dev/null 2>&1 || bad_paths+=" delete:$kind:$path"
		done
		imgadm delete --root "$host" "$image" >/dev/null 2>&1
		n=$((n + 1))
	done
done
is "images that do the same to what create writes reach nothing" "$bad_paths" ""
finish
