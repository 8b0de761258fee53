#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The original's ucodecheck: golden/ucodecheck. A folder that a run names and the
# fixture has not is one whose two folders of microcode were empty.
# shellcheck source-path=SCRIPTDIR source=recorded.bash
. "$(dirname "$0")/recorded.bash"
enter ucodecheck

# The original died of an empty folder; ours must say what is wrong.
crash() # crash CASE STATUS OUTPUT
{
	if [ "$2" -eq 1 ] && grep -q "is empty" "$3"; then
		listed ucode-empty "$1"
	else
		differ "$1" "status $2 where the recorded run died"
	fi
}

n=$(blocks expected.txt ucodecheck)
for ((i = 1; i <= n; i++)); do
	proto=$(sed -n 's/.*-p *\([^ ]*\).*/\1/p' "$WORK/$i.args")
	[ -d "$proto" ] || mkdir -p "$proto"/platform/i86pc/ucode/{AuthenticAMD,GenuineIntel}
	hold ucodecheck "$i" "$i:$(tr ' ' _ <"$WORK/$i.args")"
done
