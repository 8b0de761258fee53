#!/bin/bash
# SPDX-License-Identifier: MIT
#
# step: a command runs when its inputs changed, and never for nothing.
. "$(dirname "$0")/build_lib.bash"
export BUILD=$work/build
step=$top/tools/image/step
cd "$work" || exit 1
mkdir in
echo 1 > in/a

first()
{
	run "$step" -f in -k "${word:-w}" -o out.txt first -- sh -c 'echo run >> runs; cat in/* > out.txt'
}

runs()
{
	[ "$(wc -l < runs)" -eq "$1" ]
}

first
is "the first time it runs" 0 && runs 1
first
is "the second time it does not" 0 ""
runs 1
ok "really" $?
touch -d 2001-01-01 in/a
first && runs 1
ok "a new date is no change" $?
echo 2 > in/a
first; runs 2
ok "a new content is" $?
echo 2 > in/b
first; runs 3
ok "and a new file" $?
rm in/b
first; runs 4
ok "and one that is gone" $?
chmod +x in/a
first; runs 5
ok "and a new mode" $?
word=other
first; runs 6
ok "and another option" $?
rm out.txt
first; runs 7
ok "and a lost output" $?

second()
{
	run "$step" -f build/stamp/first second -- sh -c 'echo second >> seconds'
}
second
first; second
[ "$(wc -l < seconds)" -eq 1 ]
ok "what depends on a stamp rests while it rests" $?
rm build/stamp/first
first; second
[ "$(wc -l < seconds)" -eq 2 ]
ok "and follows when the stamp was removed" $?

run env EXPLAIN=1 "$step" -f in -k other -o out.txt first -- sh -c 'echo run >> runs; cat in/* > out.txt'
says "EXPLAIN says when there is nothing to do" out "nothing to do"
echo 3 > in/a
run env EXPLAIN=1 "$step" -f in -k other -o out.txt first -- sh -c 'echo run >> runs; cat in/* > out.txt'
says "or what changed" out "because changed: in/a"
chmod -x in/a
run env EXPLAIN=1 "$step" -f in -k other -o out.txt first -- sh -c 'echo run >> runs; cat in/* > out.txt'
says "or whose mode did" out "because changed: executable in/a"

# A sum that notes that it was asked for: files that nobody touched are not read.
mkdir tools
printf '#!/bin/sh\necho sum >> "%s/sums"\nexec /usr/bin/sha256sum "$@"\n' "$work" > tools/sha256sum
chmod +x tools/sha256sum
third()
{
	rm -f sums
	run env PATH="$work/tools:$PATH" "$step" -f in -f none -k "${1:-w}" third -- sh -c 'echo run >> thirds'
}
touch in/a # what was written above may be two seconds old by now
third
third
[ -e sums ]
ok "files of this moment are read again" $?
sleep 3
third
third
[ "$status" -eq 0 ] && [ ! -e sums ] && [ "$(wc -l < thirds)" -eq 1 ]
ok "later they are not, and nothing is done" $?
run env EXPLAIN=1 "$step" -f in -f none -k w third -- sh -c 'echo run >> thirds'
says "which EXPLAIN says" out "nothing to do"
cp -p in/a old
echo 4 > in/a
touch -r old in/a
third
[ "$(wc -l < thirds)" -eq 2 ]
ok "a change that hides its time and size is one" $?
sleep 3
third
third other
[ "$(wc -l < thirds)" -eq 3 ]
ok "and so is another option" $?
third other
: > none
third other
[ "$(wc -l < thirds)" -eq 4 ]
ok "and a file that was not there" $?
third other
rm build/stamp/third
third other
[ "$(wc -l < thirds)" -eq 5 ]
ok "and a stamp that was removed" $?

run "$step" -f in bad -- sh -c 'seq 100; echo the reason >&2; exit 3'
is "a failure is one" 1 ""
says "that shows the end of the log" err "| the reason"
says "and where the rest is" err "$work/build/log/bad.log"
! grep -q '| 50$' "$work/err" && [ ! -e build/stamp/bad ]
ok "not all of it, and leaves no stamp" $?

sh -c "echo \$\$ > pid; exec '$step' cut -- sh -c 'sleep 2; touch late'" > out 2> err &
while [ ! -s pid ] || [ ! -e build/log/cut.log ]; do sleep 0.05; done
kill -9 "$(cat pid)"
wait $! 2> /dev/null
[ ! -e build/stamp/cut ]
ok "one that was cut off is not taken for done" $?
# Its command lives on, as that of a make that was killed does: two must not write at once.
run "$step" cut -- test -e late
is "and is done again, once its command has ended" 0
run "$step" hangup -- sh -c 'kill -HUP 0; sleep 3'
is "a command that hangs up its group takes nobody along" 1
says "and has failed" err "hangup     FAILED"

sh -c "echo \$\$ > pid; exec '$step' stopped -- sh -c 'echo \$\$ > child; exec sleep 20'" > out 2> err &
while [ ! -s child ]; do sleep 0.05; done
kill -TERM "$(cat pid)"
wait $! 2> /dev/null
# It is told before the step ends, and may end a moment after it.
for _ in $(seq 100); do
	kill -0 "$(cat child)" 2> /dev/null || break
	sleep 0.05
done
! kill -0 "$(cat child)" 2> /dev/null
ok "one that is stopped takes its command along" $?

run "$step" nothing
is "no command is wrong use" 2
done_testing
