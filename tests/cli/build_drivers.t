#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The table of drivers, held against the modules of a small kernel.
. "$(dirname "$0")/build_lib.bash"

m=$work/proto/usr/lib/modules/6.1
mkdir -p "$m"
cat > "$m/modules.dep" <<'END'
kernel/net/nic-one.ko.xz:
kernel/net/nic_two.ko.xz: kernel/net/nic-one.ko.xz
kernel/usb/dongle.ko:
kernel/ata/anything.ko:
END
echo kernel/fs/rootfs.ko > "$m/modules.builtin"
cat > "$m/modules.alias" <<'END'
# Aliases extracted from modules themselves.
alias pci:v00008086d000010D3sv*sd*bc*sc*i* nic_one
alias pci:v00008086d000010D4sv00001028sd00000001bc*sc*i* nic_one
alias pci:v*d*sv*sd*bc01sc06i01* anything
alias usb:v0BDAp8152d*dc*dsc*dp*ic*isc*ip*in* dongle
alias acpi*:PNP0A08:* nic_two
END

drivers() # drivers LINE...: a table of these lines
{
	printf '%s\n' "$@" > "$work/table"
	run "$top/tools/image/drivers" -p "$work/proto" -o "$work/tree" -m "$work/manifest" "$work/table"
}
refused() # refused NAME TEXT LINE...: the last line is refused with this
{
	local name=$1 text=$2
	shift 2
	drivers "$@"
	[ "$status" -eq 1 ] && grep -qxF "drivers: $work/table:$#: $text" "$work/err"
	ok "$name" $?
}

drivers '# all kinds' 'module nic-one' 'load nic_two debug=1 fast' 'bind nic_two pci:8086:10d3  # mine' \
	'bind dongle usb:0bda:8152' 'block anything' 'module rootfs'
is "a good table is taken" 0 "NOTE: $work/table:4: pci:8086:10d3 is not among the devices that nic_two names itself"
[ "$(grep -v '^#' "$work/tree/usr/lib/modprobe.d/dais-drivers.conf")" = 'options nic_two debug=1 fast
alias pci:v00008086d000010D3sv*sd*bc*sc*i* nic_two
alias usb:v0BDAp8152d*dc*dsc*dp*ic*isc*ip*in* dongle
blacklist anything' ]
ok "what modprobe reads is written" $?
[ "$(grep -v '^#' "$work/tree/usr/lib/modules-load.d/dais-drivers.conf")" = nic_two ]
ok "and what is loaded at boot" $?
[ "$(cat "$work/manifest")" = 'd usr/lib/modprobe.d 0755 root root
f usr/lib/modprobe.d/dais-drivers.conf 0644 root root
d usr/lib/modules-load.d 0755 root root
f usr/lib/modules-load.d/dais-drivers.conf 0644 root root' ]
ok "with a manifest" $?

drivers 'bind nic_one pci:8086:10d4:1028:0001'
is "a subsystem narrows" 0 ""
refused "another subsystem is not known" "no module of this kernel knows the device pci:8086:10d4:1028:0002" \
	'bind nic_one pci:8086:10d4:1028:0002'
refused "a driver that takes a class of devices makes none known" \
	"no module of this kernel knows the device pci:8086:9999" 'bind anything pci:8086:9999'
refused "nor does the same number on another bus" "no module of this kernel knows the device usb:8086:10d3" \
	'bind nic_one usb:8086:10d3'
refused "a device that is none" \
	'not "pci:VVVV:DDDD", "pci:VVVV:DDDD:SSSS:ssss" or "usb:VVVV:PPPP": 8086:10d3' 'bind nic_one 8086:10d3'
refused "a module that does not ship" \
	'the image has no module "nic_three": does projects/core/rules leave it out?' 'module nic-three'
refused "a device bound twice, with the place" \
	"bind pci 8086 10D3 * *: said before, at $work/table:1" 'bind nic_one pci:8086:10d3' 'bind nic_two pci:8086:10D3'
refused "blocked and bound" "bind nic_one: is blocked at $work/table:1" 'block nic_one' 'bind nic_one pci:8086:10d3'
refused "bound and blocked" "block nic_one: is bound to a device at $work/table:1" \
	'bind nic_one pci:8086:10d3' 'block nic_one'
refused "what is built in cannot be blocked" \
	"block rootfs: is built into the kernel, where nothing can be blocked" 'block rootfs'
refused "a word that is none" 'not "module", "load", "bind" or "block": blacklist' 'blacklist nic_one'
refused "nothing to bind to" "bind nic_one to what?" 'bind nic_one'
refused "an option that would break the line" 'not an option of a module: "x' 'load nic_one "x'

drivers 'module nic_four' 'block nic_five'
[ "$(grep -c 'the image has no module' "$work/err")" -eq 2 ]
ok "every fault is told" $?
drivers 'module nic_one'
[ "$status" -eq 0 ] && [ ! -s "$work/manifest" ] && [ -z "$(find "$work/tree" -type f)" ]
ok "a table without settings leaves no file" $?

done_testing
