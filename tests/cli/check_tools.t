#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every checker of `make check` finds what it is for, and lets the rest pass.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
tools=$top/tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
count=0

# expect STATUS TEXT NAME COMMAND...: its status, and TEXT in what it says.
expect() {
	local want=$1 text=$2 name=$3 said status
	shift 3
	said=$("$@" 2>&1)
	status=$?
	count=$((count + 1))
	if [ "$status" -eq "$want" ] && [[ $said == *"$text"* ]] && { [ -n "$text" ] || [ -z "$said" ]; }; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		printf '%s\n' "status $status, want $want" "want: $text" "$said" | sed 's/^/# /'
	fi
}

lines() { # lines COUNT
	local i
	for ((i = 0; i < $1; i++)); do printf '\ta%d();\n' "$i"; done
}

# ---- layers
mkdir -p src/base src/libsys src/libnet src/librun/lxc src/vmadm src/imgadm
printf '0 base\n1 sys\n2 net run\n' >layers
echo 'int b;' >src/base/b.h
echo '#include "base/b.h"' >src/libsys/s.h
echo '#include "libsys/s.h"' >src/libnet/n.h
echo '#include "libsys/s.h"' >src/librun/lxc/r.c
printf '#include <stdio.h>\n#include "v.h"\n#include "vmadm/v.h"\n#include "libnet/n.h"\n' >src/vmadm/v.c
modules="library:base:src/base: library:sys:src/libsys:base library:net:src/libnet:sys,base \
library:run:src/librun:sys,base command:vmadm:src/vmadm:net,base command:imgadm:src/imgadm:base"
# shellcheck disable=SC2086  # words on purpose
layers() { "$tools/check-layers" layers $modules; }
expect 0 '' 'a tree in layers passes' layers

echo '#include "libsys/s.h"' >src/base/up.c
expect 1 "src/base/up.c:1: includes 'libsys/s.h'" 'an include upward is found' layers
rm src/base/up.c
echo '#include "libnet/n.h"' >>src/librun/lxc/r.c
expect 1 "src/librun/lxc/r.c:2: includes 'libnet/n.h'" 'an include sideways, in a subfolder, is found' layers
echo '#include "libsys/s.h"' >src/librun/lxc/r.c
echo '#include "imgadm/i.h"' >src/vmadm/i.c
expect 1 "src/vmadm/i.c:1: includes 'imgadm/i.h'" 'a command that includes a command is found' layers
echo '#include "../base/b.h"' >src/vmadm/i.c
expect 1 "'../base/b.h' goes up" 'an include with dots is found' layers
rm src/vmadm/i.c
expect 1 "'sys' (level 1) uses 'net' (level 2), which is not below it" 'a use upward is found' \
	"$tools/check-layers" layers library:base:src/base: library:sys:src/libsys:net library:net:src/libnet:base
expect 1 "'net' (level 2) uses 'run' (level 2), which is not below it" 'a use sideways is found' \
	"$tools/check-layers" layers library:run:src/librun: library:net:src/libnet:run
expect 1 "uses 'imgadm', which is a command" 'a use of a command is found' \
	"$tools/check-layers" layers command:imgadm:src/imgadm: command:vmadm:src/vmadm:imgadm
expect 1 "library 'fw' has no level" 'a library without a level is found' \
	"$tools/check-layers" layers library:fw:src/base:

# ---- headers
printf '#pragma once\n#include <stddef.h>\nsize_t f(void);\n' >src/good.h
printf '#pragma once\nsize_t f(void);\n' >src/bad.h
expect 0 '' 'a header that stands alone passes' "$tools/check-headers" src src/good.h -- cc
expect 1 'src/bad.h does not compile alone' 'a header that does not is found' \
	"$tools/check-headers" src src/good.h src/bad.h -- cc

# ---- size
: >allowed
{ printf 'int f(void)\n{\n'; lines 60; echo '}'; } >f60.c
{ printf 'int f(void)\n{\n'; lines 61; echo '}'; } >f61.c
{ printf '/* long: a table of cases */\nint f(void)\n{\n'; lines 61; echo '}'; } >f61why.c
{ printf '/* long: a table of cases */\nint f(void)\n{\n'; lines 121; echo '}'; } >f121why.c
{ printf '/* long: a table of cases */\nint f(void)\n{\n}\n'; cat f61.c; } >f61stale.c
lines 600 >l600.c
lines 601 >l601.c
lines 1001 >l1001.c
expect 0 '' 'sizes at the limit pass' "$tools/check-size" allowed f60.c f61why.c l600.c
expect 1 'f61.c:2: function of 61 lines, over 60' 'a long function is found' "$tools/check-size" allowed f61.c
expect 1 'f61stale.c:6: function of 61' 'the reason of another function does not count' \
	"$tools/check-size" allowed f61stale.c
expect 1 'f121why.c:3: function of 121 lines, 120 is the end' 'a very long one is found, reason or not' \
	"$tools/check-size" allowed f121why.c
expect 1 'l601.c: 601 lines, over 600' 'a long file is found' "$tools/check-size" allowed l601.c f60.c
printf 'l601.c  # cases of one table\nl1001.c # the same\n' >allowed
expect 0 '' 'a long file that is listed with its reason passes' "$tools/check-size" allowed l601.c
expect 1 'l1001.c: 1001 lines, 1000 is the end' 'a very long one does not' "$tools/check-size" allowed l1001.c
echo 'l601.c' >allowed
expect 1 'l601.c' 'a list without a reason does not count' "$tools/check-size" allowed l601.c

# ---- banned calls
cat >fine.c <<'END'
/* strcpy(a, b) is
 * not sprintf(x) here */
const char *text = "system(\"x\")"; // popen(
int my_system(int); x->system(1); p.system(2); my_strcpy(a); strtok_r(a, b, c);
END
expect 0 '' 'names in comments, texts and longer names pass' "$tools/check-banned" fine.c
for call in 'strcpy(a, b)' 'x = atoi (s)' 'return system("ls")' '/* x */ sprintf(a, b)' '(void)strtok(a, b)' '*/ popen(c)'; do
	printf '/* a\n*/ ;\n\t%s;\n' "$call" >banned.c
	expect 1 'banned.c:3:' "'$call' is found" "$tools/check-banned" fine.c banned.c
done

# ---- scripts
printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\ntrue\n' >good.sh
printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\nif true\n' >broken.sh
printf '#!/bin/bash\ntrue\n' >nolicence.sh
chmod +x good.sh broken.sh nolicence.sh
cp good.sh noexec.sh
chmod -x noexec.sh
echo 'if' >data
expect 0 '' 'a good script and a data file pass' "$tools/check-scripts" good.sh data gone
expect 1 'broken.sh: does not parse' 'a script that does not parse is found' "$tools/check-scripts" broken.sh
expect 1 'nolicence.sh: no SPDX line' 'a script without a licence is found' "$tools/check-scripts" nolicence.sh
expect 1 "noexec.sh: starts with '#!' and is not executable" 'one that cannot be executed is found' \
	"$tools/check-scripts" noexec.sh

# ---- manual pages
mkdir man
cat >lender <<'END'
#!/bin/sh
cat <<'TABLE'
option - -R --root =DIR
command lend
alias give lend
option lend -H
option lend -o --order =COLUMN
option lend -d --debug
command return
option return -d --debug
option return -f
TABLE
END
chmod +x lender
page() {
	cat <<'END'
.Dd November 23, 2026
.Sh SYNOPSIS
.Nm
.Op Fl R Ar DIR
.Sh DESCRIPTION
.It Fl R , Fl -root Ar DIR
.It Fl d , Fl \-debug
.Sh COMMANDS
.It Cm lend Oo Fl Ho Oc
.Cm give
is the same.
.It Fl H
.It Fl o , Fl -order Ar COLUMN
.It Cm return
.It Fl f
.It Cm help
END
}
man() { page | sed "$1" >man/lender.8; "$tools/check-man" man ./lender; }
expect 0 '' 'a page that says it all passes' man ''
expect 1 'command return is missing' 'a command that is not in the page is found' man '/Cm return/d'
expect 1 'alias give of lend is missing' 'an alias that is not in the page is found' man '/Cm give/d'
expect 1 'option --order of lend is missing' 'a long option that is not in the page is found' man 's/, Fl -order//'
expect 1 'option -H of lend is missing' 'a letter that is not in the page is found' man '/Fl H$/d; s/Ho/o/'
expect 1 'option --debug of lend is missing' 'a common option that is not in the page is found' man '/debug/d'
expect 1 'lender return has no option -x' "a letter that only the page has is found" man 's/Fl f/Fl f , Fl x/'
expect 1 'lender return has no option -H' "another command's option is found" man 's/^.It Fl f/&\n.It Fl H/'
expect 1 'lender has no option --rooot' 'a long option that only the page has is found' \
	man 's/Fl R , Fl -root/Fl R , Fl -root , Fl -rooot/'
rm man/lender.8
expect 1 'lender has no page' 'a program without a page is found' "$tools/check-man" man ./lender
printf '#!/bin/sh\nexit 2\n' >lender
page >man/lender.8
expect 1 "'./lender --list-options' failed" 'a program that cannot say is found' "$tools/check-man" man ./lender

echo "1..$count"
