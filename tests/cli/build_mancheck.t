#!/bin/bash
# SPDX-License-Identifier: MIT
#
# mancheck: commands that ship, and their manual pages.
. "$(dirname "$0")/build_lib.bash"

core=$work/core man=usr/share/man
mkdir -p "$core/$man/man1" "$core/$man/man8" "$core/usr/bin" "$work/dais/usr/sbin" "$work/dais/$man/man8"
touch "$core/$man/man1/tool.1.gz" "$core/$man/man8/other.8.gz" "$core/usr/bin/tool" \
	"$work/dais/usr/sbin/vmadm" "$work/dais/$man/man8/vmadm.8"
tar -C "$core" -cf "$work/core.tar" .

check() # check LINE...: with a manifest of these lines
{
	printf '%s\n' "$@" > "$work/manifest"
	run "$top/tools/image/mancheck" -m "$work/manifest" -t "$work/core.tar" -s "$work/dais"
}
tool='f usr/bin/tool 0755 root root' page="f $man/man1/tool.1.gz 0644 root root"
vmadm='f usr/sbin/vmadm 0755 root root' vmpage="f $man/man8/vmadm.8 0644 root root"

check "$tool" "$page" "$vmadm" "$vmpage" 's usr/sbin/other=vmadm' "f $man/man8/other.8.gz 0644 root root"
is "commands and their pages ship" 0 ""
check "$tool" "$vmadm" "$vmpage"
is "a page that stays behind is refused" 1 ""
says "by name and component" err \
	"mancheck: /usr/bin/tool has a manual page that does not ship, of core: $man/man1/tool.1.gz"
check "$tool" "$page" "$vmadm" 's usr/bin/other=tool'
[ "$status" -eq 1 ] && [ "$(wc -l < "$work/err")" -eq 2 ]
ok "all are told, links too" $?
says "ours as well" err "/usr/sbin/vmadm has a manual page that does not ship, of dais: $man/man8/vmadm.8"
check 'f usr/bin/bare 0755 root root' 'f usr/lib/x/tool 0755 root root'
is "Debian's command without a page is only named; other folders hold no commands" 0 "no manual page: /usr/bin/bare"
rm "$work/dais/$man/man8/vmadm.8"
check "$vmadm"
is "ours without a page is refused" 1
says "with its component" err "mancheck: dais: /usr/sbin/vmadm has no manual page"
run "$top/tools/image/mancheck" -m "$work/none"
says "a manifest that is not there is named" err "cannot read the manifest '$work/none'"

done_testing
