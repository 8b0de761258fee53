#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The conformance runner, on recorded behaviour that is made up here: what must
# agree agrees, what a rule explains is listed under it, what is wrong differs.
set -u
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)
bin=${DAIS_BIN:-$top/build/bin}
[ -x "$bin/builder" ] || { echo "1..0 # SKIP '$bin/builder' is not built"; exit 0; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
golden="$work/some fixtures/manifests/golden"
mkdir -p "$golden/sorter" "$golden/builder"
count=0

ok() # ok NAME STATUS
{
	count=$((count + 1))
	[ "$2" -eq 0 ] && echo "ok $count - $1" || echo "not ok $count - $1"
}

# gives NAME STATUS STDOUT STDERR
gives()
{
	"$top/tests/conformance/run" -v "$work/some fixtures" "$bin" >"$work/out" 2>"$work/err"
	[ $? -eq "$2" ] && [ "$(cat "$work/out")" = "$3" ] && [ "$(sort "$work/err")" = "$(sort <<< "$4")" ]
	ok "$1" $?
	if [ "$(cat "$work/out")" != "$3" ] || [ "$(sort "$work/err")" != "$(sort <<< "$4")" ]; then
		sed 's/^/# /' "$work/out" "$work/err"
	fi
}

gives "a folder without data for any group is wrong use" 2 "" \
	"run: '$work/some fixtures' has no data for any group"

cat >"$golden/sorter/cases.txt" <<'EOF'
order
input:
  | f b 0644 r s
  | s a=b
out: s a=b
out: f b 0644 r s
rc=0
three files
input:
  | f a 0755 r s
  | f a 0755 r t
  | d a 0444 r t
out: WARNING: duplicate manifest entry for 'a'
out: WARNING: duplicate manifest entry for 'a'
out: d a 0444 r t
rc=0
comment
input:
  | f a 0755 r s # hi
out: f a 0755 r s # hi
rc=0
same folder
input:
  | d a 0755  r s
  | d a 0755 r s
out: WARNING: duplicate manifest entry for 'a'
out: d a 0755 r s
rc=0
clash
input:
  | s a=b
  | s a=c
out: s a=b
out: s a=c
rc=0
bad line
input:
  | f
  | f a 0644 r s
out: ERROR: unexpected manifest line: 'f' (removing)
out: f a 0644 r s
rc=1
EOF
gives "the sorter's cases are judged by what they hold" 0 \
	"manifest-sorter: 2 agree, 4 listed, 0 differ" \
	"manifest-sorter: listed merge-one-blank comment
manifest-sorter: listed merge-same-folder same folder
manifest-sorter: listed manifest-clash clash
manifest-sorter: listed merge-all-or-nothing bad line"

printf 'other entry\ninput:\n  | f a 0755 r s\nout: f b 0755 r s\nrc=0\n' >"$golden/sorter/cases.txt"
gives "another result differs" 1 "manifest-sorter: 0 agree, 0 listed, 1 differ" \
	"manifest-sorter: differ other entry: status 0 for 0: "
rm "$golden/sorter/cases.txt"

printf 'd usr 0755 r s\n' >"$golden/parse-a.manifest"
: >"$golden/parse-a.err"
printf 'd usr 0755 r s\n\nx b\n' >"$golden/parse-b.manifest"
printf "ERROR: invalid manifest line: x b\n\n" >"$golden/parse-b.err"
printf 'd usr 0755 r s\rjunk\n' >"$golden/parse-c.manifest"
: >"$golden/parse-c.err"
printf 'd /usr 0755 r s\n' >"$golden/parse-d.manifest"
: >"$golden/parse-d.err"
gives "the parser's cases are judged by what they hold" 0 \
	"manifest-parser: 2 agree, 2 listed, 0 differ" \
	"manifest-parser: listed manifest-control parse-c
manifest-parser: listed manifest-path parse-d"
printf "ERROR: invalid manifest line: y b\n\n" >"$golden/parse-b.err"
printf "ERROR: invalid manifest line: d usr 0755 r s\n\n" >"$golden/parse-a.err"
rm "$golden"/parse-[cd].*
gives "another line, and accepting what was refused, differ" 1 \
	"manifest-parser: 0 agree, 0 listed, 2 differ" \
	"manifest-parser: differ parse-a: accepted, the original refuses 'd usr 0755 r s'
manifest-parser: differ parse-b: we point at 'x b', the original at 'y b'"
rm "$golden"/parse-*

cat >"$golden/builder/cases.txt" <<'EOF'
search dirs in order: p1 (bin/a='one', e='x y' mode 0400) p2 (bin/a='two', bin/l->a, bin/b='b')
## 1 special modes, links, order
manifest:
  | d tmp 1777 root sys
  | d bin 2755 root bin
  | f bin/a 6555 root bin
  | f bin/l 0555 root bin
  | s bin/s=../x
  | h bin/h=bin/a
DIR: [tmp][1777][root/0][sys/3]: OK
DIR: [bin][2755][root/0][bin/2]: OK
FILE: [bin/a][6555][root/0][bin/2]: OK (@DIR@/p1)
FILE: [bin/l][0555][root/0][bin/2]: OK (@DIR@/p2)
rc=0
d tmp 1777 0:3 
d bin 2755 0:2 
f bin/a 6555 0:2 
f bin/h 6555 0:2 
f bin/l 555 0:2 
l bin/s 777 0:0 ../x
---
## 2 no newline
manifest:
  | d tmp 1777 root sysDIR: [tmp][1777][root/0][sys/3]: OK
rc=0
d tmp 1777 0:3 
---
## 3 unknown group
manifest:
  | d tmp 1777 root bit
DIR: [tmp][1777][root/0][bit/-1]: OK
rc=0
d tmp 1777 0:0 
---
## 4 no manifest
rc=0
## 5 another mode
manifest:
  | d tmp 1777 root sys
rc=0
d tmp 777 0:3 
---
## 6 another folder won
manifest:
  | d bin 0755 root sys
  | f bin/a 0755 root sys
FILE: [bin/a][0755][root/0][sys/3]: OK (@DIR@/p2)
rc=0
d bin 755 0:3 
f bin/a 755 0:3 
EOF
gives "the builder's cases are judged by the tree and its contents" 1 \
	"manifest-builder: 2 agree, 2 listed, 2 differ" \
	"manifest-builder: listed archive-unknown-owner 3 unknown group
manifest-builder: listed manifest-unreadable 4 no manifest
manifest-builder: differ 5 another mode: status 0 for 0, or another tree: 
manifest-builder: differ 6 another folder won: status 0 for 0, or another tree: "
rm "$golden/builder/cases.txt"

set=$golden/../2099
mkdir -p "$set/combined"
printf 'f a 0644 r s\ns a=b\nd c/ 0755 r s\nd c 0755 r s\n' >"$set/combined/a.manifest"
printf 'f  x 0644 r s\nzz p\nf z 0644 r r\nf z 0644 r s\n' >"$set/combined/b.manifest"
cat >"$set/combined.manifest.gen" <<'EOF'
f a 0644 r s
s a=b
d c 0755 r s
d c/ 0755 r s
zz p
f  x 0644 r s
f z 0644 r s
EOF
echo "WARNING: duplicate manifest entry for 'z'" >"$set/combined.sorter.stderr.txt"
gives "a real set is held entry by entry, also where we refuse it" 0 \
	"manifest-merge: 4 agree, 4 listed, 0 differ" \
	"manifest-merge: listed manifest-clash 2099:s a=b
manifest-merge: listed merge-one-path 2099:d c/ 0755 r s
manifest-merge: listed manifest-one-grammar 2099:zz p
manifest-merge: listed merge-one-blank 2099:f  x 0644 r s"
echo 'f n 0644 r s' >>"$set/combined.manifest.gen"
sed -i 's/f z 0644 r s/f z 0600 r s/' "$set/combined.manifest.gen"
gives "an entry that is missing, changed or too many differs" 1 \
	"manifest-merge: 3 agree, 4 listed, 3 differ" \
	"$(grep '^manifest-merge: listed' "$work/err")
manifest-merge: differ 2099:f z 0600 r s: not in ours
manifest-merge: differ 2099:f n 0644 r s: not in ours
manifest-merge: differ 2099:f z 0644 r s: only in ours"
printf 'd usr 0755 r s\nf usr/a 4755 r t\ns usr/l=a\nh usr/h=usr/l\n' >"$set/combined/a.manifest"
printf 'f usr/b 0400 r s\n' >"$set/combined/b.manifest"
sort -k 2 "$set"/combined/* >"$set/combined.manifest.gen"
rm "$set/combined.sorter.stderr.txt"
gives "the image of a real set is held entry by entry" 0 \
	"manifest-archive: 5 agree, 0 listed, 0 differ
manifest-merge: 5 agree, 0 listed, 0 differ" ""
sed -i 's/4755/0755/; s/usr.b 0400 r s/usr\/b 0400 s s/; s/l=a/l=b/; /usr.h=/d' "$set/combined.manifest.gen"
echo 'f usr/n 0644 r s' >>"$set/combined.manifest.gen"
gives "mode, owner, target, too many and too few differ" 1 \
	"manifest-archive: 1 agree, 0 listed, 5 differ
manifest-merge: 1 agree, 0 listed, 8 differ" \
	"manifest-archive: differ 2099:usr/a: mode and owner are 4755 1000:1001
manifest-archive: differ 2099:usr/b: mode and owner are 0400 1000:1000
manifest-archive: differ 2099:usr/l: a link to 'a', or before that
manifest-archive: differ 2099:usr/n: not in the archive
manifest-archive: differ 2099:usr/h: only in ours
$(printf 'manifest-merge: differ 2099:%s: not in ours\n' "f usr/a 0755 r t" "f usr/b 0400 s s" \
	"s usr/l=b" "f usr/n 0644 r s")
$("$bin/builder" merge "$set"/combined/* | grep -v '^d' | sed 's/.*/manifest-merge: differ 2099:&: only in ours/')"
rm -r "$set"

mkdir -p "$golden/../local"
: >"$golden/../local/none.manifest"
printf '# c\n' >"$golden/../local/comment.manifest"
printf 'd a 0755 r s\nd a 0755 r t\n' >"$golden/../local/good.manifest"
printf 'd a 0755 r\n' >"$golden/../local/bad.manifest"
gives "real files are taken where they were" 0 "manifest-files: 3 agree, 1 listed, 0 differ" \
	"manifest-files: listed manifest-one-grammar local/bad.manifest"

echo "1..$count"
