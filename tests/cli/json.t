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

t 0 "$people" $'ann|30|{\n  "x": 1\n}\nbob|20|' '' -ad '|' name age at
t 0 "$people" 'ann' '' -c 'age > 21' -a name
t 0 "$people" '31' '' -e 'age++' 0.age
t 0 "$people" '[{"name":"ann","old":true},{"name":"bob","old":false}]' '' -0 -e \
	'this.old = age > 21; delete this.age; delete this.at'
t 0 '{"a":1}' '{"a":1,"b":2}' '' -o json-0 -e 'b = a + 1'
t 0 '{"a":1}' '' '' -c 'a > 1'
t 0 '["\ud83d","😀"]' '["\ud83d","😀","😀","é"]' '' -A0 -e 'this.push("\ud83d\ude00", "\u00e9")'
t 0 "$people" '2' '' -Ac 'this.length == 2' length
t 1 "$people" '' "json: error: the code of -e or -c: ReferenceError: identifier 'zz' undefined" -c 'zz > 1'
t 0 '{"a":1,"b":[2]}' $'a 1\nb [\n  2\n]' '' -Ma key value
t 0 '{"a":1}' '' '' -n
t 1 '{"a":1' '' $'json: error: input is not JSON: Expected \',\' instead of \'\' at line 1, column 7:\n        {"a":1\n        ......^' --validate
t 0 '{"a":{"x":1}}{"a":{"y":2}}' '{"a":{"x":1,"y":2}}' '' --deep-merge -0
t 0 '{"a":{"x":1}}{"a":{"y":2}}' '{"a":{"y":2}}' '' --merge -0
t 0 '{"a":[1,{"b":"it'"'"'s"}],"c-d":null}' "{ a: [ 1, { b: \"it's\" } ], 'c-d': null }" '' -i
t 1 '' '' "json: error: cannot use -g|--group and --merge options together" -g --deep-merge
t 1 '' '' "json: error: no argument given for '-o|--output' option" -o
t 1 '' '' "json: error: option '-d' needs an argument" -d
t 1 '' '' "json: error: unknown option '-'" -
t 1 '{}' '' "json: error: invalid lookup delim '::' (must be a single char)" -D :: a::b
t 0 '{"a":{"b":1}}' '1' '' -D é aéb
t 1 '{"a":{}}' '' "json: error: cannot use -k|--keys option and lookup arguments together" -k a
t 1 'null' '' "json: error: -k: null has no keys" -k
t 0 '"a😀"' '["0","1","2"]' '' -k -o json-0
t 0 '{"a":"x"}' $'\'x\'\nundefined' '' -i a zz
t 0 '[{"a":1},{}]' $'1 undefined\nundefined undefined' '' -i -a a b
t 0 '["a","","b"]' $'a\nb' '' -a

# Several lookups with -j: an array when all are indexes of one, else an object; with -a always objects.
t 0 '["p","q"]' '["q","p"]' '' -o json-0 -- -1 0 9
t 0 '["p","q"]' '{"[0]":"p","length":2}' '' -o json-0 '[0]' length
t 0 '["p","q"]' '{}' '' -o json-0 a b
t 0 '{"b":1,"2":2}' '{"2":2,"b":1}' '' -o json-0 b 2 b
t 0 '[{"a":1},5]' '[{"a":1},{}]' '' -a -o json-0 a
t 0 '{"a":1}' '[{"a":1}]' '' -a -o json-0 a
t 0 '{"a":1}' '{"a":1}' '' -a -o json-0
t 0 '[{"a":{"b":1},"c":2}]' $'{\n  "b": 1\n} 2' '' -a a c

# Of -a and -A the last counts.
t 0 '[{"a":1}]' '1' '' -A -a a
t 0 '[{"a":1}]' '' '' -a -A a

# Names in a path may be empty; in brackets an index is one as JavaScript has it.
t 0 '{"a":{"b":[7,8]}}' $'8\n8' '' .a..b.-1 '["a"].b[1]'
t 0 '{"a":[7,8],"s":"xyz"}' 'z' '' 'a[-1]' a.01 s.-1
t 0 '{"a":1}' '{"a":1}' '' -o json-0 .

t 0 '[{"a":[1,"b,\"c"],"d":{}},[],"x"]' $'[\n  {"a":[1, "b,\\"c"], "d":{}},\n  [],\n  "x"\n]' '' -o compact
t 0 '[]' '[]' '' -o compact
t 0 '{"a":"x","b":1}' '{"a":"x","b":1}' '' -o compact
t 0 '{"a":1}' '{"a":1}' '' -o json-

# More than six items stand in columns: numbers to the right, all else to the left.
t 0 '[1,2,3,4,5,6]' '[ 1, 2, 3, 4, 5, 6 ]' '' -i
t 0 '[100,2,3,4,5,6,7]' $'[\n  100, 2, 3, 4,\n    5, 6, 7\n]' '' -i
t 0 '["one","b","cc","d","e","f","g"]' "[
  'one', 'b', 'cc',
  'd',   'e', 'f',
  'g'
]" '' -i

# A digit of \u that is none is taken for one.
t 1 '"\u12"' '"\u12"' $'json: error: input is not JSON: Bad string at line 1, column 7:\n        "\\u12"\n        ......^' -j
t 1 '"\u1z"' '"\u1z"' $'json: error: input is not JSON: Bad Unicode escape at line 1, column 5:\n        "\\u1z"\n        ....^' -j
t 1 '{"a":"\u12","b":1}' '' $'json: error: input is not JSON: Expected \',\' instead of \'b\' at line 1, column 14:\n        {"a":"\\u12","b":1}\n        .............^' -n

# The code is looked at when there is something to run it on.
t 0 '' '' '' -e 'no code'
t 1 '+' '+' $'json: error: input is not JSON: Unexpected \'+\' at line 1, column 1:\n        +\n        ^' -c 'no code'
t 0 '{"a":[[],{},[[]],{"x":{}}]}' '{ a: [ [], {}, [ [] ], { x: {} } ] }' '' -i
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
