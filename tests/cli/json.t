#!/bin/bash
# SPDX-License-Identifier: MIT
#
# json's options, texts and statuses; what a recorded case says is in tests/conformance.
set -u
bin=${DAIS_BIN:-$(cd "$(dirname "$0")/../.." && pwd)/build/bin}
[ -x "$bin/json" ] || { echo "1..0 # SKIP '$bin/json' is not built"; exit 0; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0

ok() { # ok NAME STATUS
	count=$((count + 1))
	[ "$2" -eq 0 ] && echo "ok $count - $1" || echo "not ok $count - $1"
}

# t STATUS STDIN STDOUT STDERR ARGS...: runs it, compares all three.
t() {
	local want=$1 in=$2 out=$3 err=$4 got
	shift 4
	printf '%s' "$in" | "$bin/json" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" -eq "$want" ] && [ "$(cat "$dir/out")" = "$out" ] && [ "$(cat "$dir/err")" = "$err" ]
	ok "json $* of $in" $?
	[ "$got" -eq "$want" ] || echo "# status $got, want $want"
	sed 's/^/# out: /' "$dir/out"
	sed 's/^/# err: /' "$dir/err"
}

people='[{"name":"ann","age":30,"at":{"x":1}},{"name":"bob","age":20}]'

t 0 "$people" $'ann|30|{"x":1}\nbob|20|' '' -ad '|' name age at
t 0 "$people" 'ann' '' -c 'age > 21' -a name
t 0 "$people" '31' '' -e 'age++' 0.age
t 0 "$people" '[{"name":"ann","old":true},{"name":"bob","old":false}]' '' -0 -e \
	'this.old = age > 21; delete this.age; delete this.at'
t 0 '{"a":1}' '{"a":1,"b":2}' '' -o json-0 -e 'b = a + 1'
t 0 '{"a":1}' '' '' -c 'a > 1'
t 0 '["\ud83d","😀"]' '["\ud83d","😀","😀","é"]' '' -A0 -e 'this.push("\ud83d\ude00", "\u00e9")'
t 0 "$people" '2' '' -Ac 'this.length == 2' length
t 1 "$people" '' "json: error: the code of -e or -c: ReferenceError: identifier 'zz' undefined" -c 'zz > 1'
t 0 '{"a":1,"b":[2]}' $'a 1\nb [2]' '' -Ma key value
t 0 '{"a":1}' '' '' -n
t 1 '{"a":1' '' $'json: error: input is not JSON: Expected \',\' instead of \'\' at line 1, column 7:\n        {"a":1\n        ......^' --validate
t 0 '{"a":{"x":1}}{"a":{"y":2}}' '{"a":{"x":1,"y":2}}' '' --deep-merge -0
t 0 '{"a":{"x":1}}{"a":{"y":2}}' '{"a":{"y":2}}' '' --merge -0
t 0 '{"a":[1,{"b":"it'"'"'s"}],"c-d":null}' "{ a: [ 1, { b: \"it's\" } ], 'c-d': null }" '' -i
t 1 '' '' "json: error: cannot use -g|--group and --deep-merge options together" -g --deep-merge
t 1 '' '' "json: error: option '-o' needs an argument" -o
t 1 '' '' "json: error: unknown option '-Z'" -aZ
t 1 '' '' "json: error: could not read \"$dir/none\": Error: ENOENT: no such file or directory, open '$dir/none'" -f "$dir/none"
t 1 '' '' 'json: error: -I|--in-place needs a file to change: -f FILE' -I

# In place: the whole file, or nothing of it.
echo '{"ram": 256}' >"$dir/file"
chmod 640 "$dir/file"
ln -s file "$dir/link"
"$bin/json" -I -f "$dir/link" -e 'this.ram *= 2' && [ -L "$dir/link" ] &&
	[ "$(stat -c %a "$dir/file")" = 640 ] && [ "$(ls "$dir" | grep -c file)" -eq 1 ] && [ "$(cat "$dir/file")" = $'{\n  "ram": 512\n}' ]
ok "-I changes the file" $?
echo '{"ram": ' >"$dir/file"
! "$bin/json" -q -I -f "$dir/file" && [ "$(cat "$dir/file")" = '{"ram": ' ]
ok "-I leaves a file that is not JSON as it is" $?

# Objects come out while others are still to come; one bad ends it.
t 1 $'{"a":1}\n{"a":2}\n{"a":}' $'1\n2\n{"a":}' $'json: error: input is not JSON: Unexpected \'}\' at line 1, column 6:\n        {"a":}\n        .....^' -ga a

head -c 3000 /dev/zero | tr '\0' '[' | "$bin/json" >/dev/null 2>"$dir/err"
[ $? -eq 1 ] && grep -q 'Nested too deep at line 1, column 2001' "$dir/err"
ok "nesting is bounded" $?
printf '"a\377b"' | "$bin/json" | grep -q $'^a\xef\xbf\xbdb$'
ok "what is no UTF-8 is replaced" $?

echo "1..$count"
