#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The modules of a site's project on a machine that has devices for them: what is
# loaded, by whom, and what is not. For the platform that `make driver-test` builds.
. "$(dirname "$0")/lib.bash"
modules=$(sed -n 's|.*  \./\(usr/lib/modules/[^/]*/updates\)/dais_probe\.ko$|\1|p' "$platform/boot_archive.manifest")
[ -n "$modules" ] || skip "no module of tests/platform/driver in this platform: make driver-test"

cat > "$dir/machine" <<END
#!/bin/sh
exec ${QEMU:-qemu-system-x86_64} "\$@" -device edu -device i6300esb -device virtio-balloon-pci
END
chmod +x "$dir/machine"
export QEMU=$dir/machine

# driver_of VENDOR DEVICE - the name of the driver that has it
driver_of() {
	g "cd /sys/bus/pci/devices && for d in *; do [ \"\$(cat \$d/vendor \$d/device)\" != '0x$1
0x$2' ] || basename \"\$(readlink \$d/driver)\"; done"
}

boot_machine -d none -n
login "$(shown_password)" || bail "cannot log in: $out"
g 'systemctl is-system-running --wait' 180
is "every unit is up" "$out" running
driver_of 1234 11e8
is "a driver from outside was loaded for its device" "$out" dais_probe
driver_of 8086 25ab
is "and has the one that it was bound to" "$out" dais_probe
g "cat /proc/modules | cut -d' ' -f1"
loaded=" ${out//$'\n'/ } "
like "the module to be loaded at boot is there" "$loaded" ' dais_loaded '
[[ $loaded != *' i6300esb '* ]]
ok "the kernel's own driver of the bound device was not loaded" $? || note "$loaded"
[[ $loaded != *' virtio_balloon '* ]]
ok "nor was the blocked one, whose device is there" $? || note "$loaded"
g 'cat /sys/module/dais_loaded/parameters/word'
is "it has the option that the table gives" "$out" hello
g 'modinfo -n dais_probe; modinfo dais_probe'
is "modinfo finds what was shipped" "${out%%$'\n'*}" "/${modules#usr/}/dais_probe.ko"
like "and shows which devices it knows" "$out" 'alias: +pci:v00001234d000011E8sv'
g 'rmmod dais_probe && modprobe pci:v00001234d000011E8sv1sd1bc0sc0i0 && grep -c "^dais_probe " /proc/modules'
is "it goes, and comes by the id of its device" "$out" 1
g 'modprobe virtio_balloon && grep -c "^virtio_balloon " /proc/modules'
is "by hand the blocked one can be loaded" "$out" 1
g 'dmesg --level=emerg,alert,crit,err | grep -v "loading out-of-tree\|module verification failed"; dmesg | grep -c "dais_probe.*: taken"'
is "the kernel has no complaint" "$out" 4
finish
