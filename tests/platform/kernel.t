#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A platform whose kernel was compiled from its source (configure --kernel=source): it says
# so, its modules are those that ship, and nothing of it failed. The rest is for zones.t.
. "$(dirname "$0")/lib.bash"
case $(basename "$(realpath "$platform")") in
*-kernel | *-kernel-debug) ;;
*) echo "1..0 # SKIP the kernel of this platform is Debian's"; exit 0 ;;
esac
version=$(sed -n 's/^deb linux-source-[^ ]* //p' projects/kernel/linux/source)

boot_machine
login "$(shown_password)" || bail "cannot log in: $out"
g 'uname -r'
like "the kernel says whose it is" "$out" '^[0-9.]+-dais(-debug)?$'
release=$out
g 'uname -v'
like "and of what" "$out" " Dais $version\$"
g 'cat /proc/version'
like "but not by whom and where it was compiled" "$out" '\(dais@dais\)'
g 'cat /proc/sys/kernel/tainted'
is "it is not tainted" "$out" 0
g "ls /lib/modules"
is "its modules are the only ones" "$out" "$release"
g "grep -c '^CONFIG_LOCALVERSION=\"-dais' /lib/modules/$release/config"
is "with its configuration" "$out" 1
g 'for m in btrfs overlay bridge veth nf_tables vhost_net; do modprobe $m || echo $m; done'
is "what zones need can be loaded" "$out" ""
g 'systemctl is-system-running --wait' 180
is "every unit is up" "$out" running
finish
