#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A kernel module of a site's project is found and loaded, by its name and by the id
# of its device. For a platform that was built with one: see docs/drivers.md.
. "$(dirname "$0")/lib.bash"
path=$(sed -n 's|.*  \./\(usr/lib/modules/[^/]*/updates/[^ ]*\.ko\)$|\1|p' "$platform/boot_archive.manifest" | head -n 1)
if [ -z "$path" ]; then
	echo "1..0 # SKIP no module from outside in this platform"
	exit 0
fi
module=$(basename "$path" .ko)

boot_machine
login "$(shown_password)" || bail "cannot log in: $out"
g "modprobe $module"
is "$module loads by its name" "$status" 0
g "awk '\$1 == \"$module\" { print \$3 }' /proc/modules"
is "and is there" "$out" 0
g "modinfo -n $module"
is "it is the one that was shipped" "$out" "/lib/modules/$(cut -d/ -f4 <<< "$path")/updates/$module.ko"
g "rmmod $module && modprobe \"\$(modinfo -F alias $module | head -n 1 | sed 's/\\*/1/g')\" && grep -q '^$module ' /proc/modules"
is "it is found by its device" "$status" 0
g 'systemctl is-system-running --wait' 180
is "and every unit is up" "$out" running
finish
