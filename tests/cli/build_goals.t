#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The goals of make: order, cleaning, two at once, numbers of jobs, what is told.
. "$(dirname "$0")/build_tree.bash"
make_tree "$work/tree"

build live
is "live is built" 0
grep -qE '^  total +[0-9.]+ s  .* steps?, [0-9.]+ s by the clock$' "$work/out"
ok "with a total of times and sizes" $?
build live
is "again it is nothing to do" 0 "  output/$(basename "$(echo output/platform-*Z)")"
ran ""
ok "really" $?

# Each option touches its own steps, and nothing else.
touches() # touches STEPS VARIABLE...
{
	local steps=$1
	shift
	build live EXPLAIN=1 "$@"
	[ "$(sed -n 's/^  \([^ ]*\) *because.*/\1/p' "$work/out" | sort | paste -sd' ')" = "$steps" ]
	ok "$* touches: ${steps:-nothing}" $?
	build live
}
touches "boot platform" PROFILE=release
touches "boot core platform root sbom select" FLAVOUR=metal
touches "boot platform root sbom" PASSWORD_HASH=x
touches "" JOBS=3
touches "" MAX_JOBS=3
touches "boot core platform root sbom select strap target" SUITE=forky
touches "boot platform root sbom target" PRIMARY_COMPILER=gcc-14
touches "boot core platform root sbom select" FIRMWARE=yes

: > build/ran
run make BUILDER="$builder" -j8 live clean
is "live and clean together succeed" 0
[ ! -e build ] && [ -d output ]
ok "in the order in which they were named" $?
mkdir -p build
: > build/ran
run make BUILDER="$builder" -j8 clean live
[ "$status" -eq 0 ] && [ -s build/image/root.tar ]
ok "the other way round as well" $?
! grep -qi warning "$work/err"
ok "without a word of make's about jobs" $?

rm -f build/stamp/*
: > build/ran
make BUILDER="$builder" live > "$work/one" 2>&1 &
one=$!
make BUILDER="$builder" live > "$work/two" 2>&1
two=$?
wait $one
[ $? -eq 0 ] && [ $two -eq 0 ] && [ -z "$(sort build/ran | uniq -d)" ]
ok "two makes side by side do each step once" $?

mkdir -p projects/local/tool
printf 'world:\ninstall:\nclean:\n\trm -f made\n' > projects/local/tool/Makefile
touch projects/local/tool/made
exec 8> build/stamp/root.lock
flock 8
run make clean
is "clean while a step runs is refused" 2
says "by its name" err "is at step 'root'"
[ -d build/image ]
ok "and removes nothing" $?
exec 8>&-
mkdir -p build/locked/in && chmod 500 build/locked
run make clean
is "clean cleans" 0
[ ! -e build ] && [ ! -e projects/local/tool/made ] && [ -d output ]
ok "what was built, here and in projects, not the output" $?
mkdir cache
run make clobber
[ "$status" -eq 0 ] && [ ! -e output ] && [ ! -e cache ]
ok "clobber takes output and cache along" $?

for goal in $(make --no-print-directory -C "$top" print-WORLD_GOALS | sed 's/.*=//'); do
	"$top/tools/image/help" | grep -q "\b$goal\b" || echo "$goal"
done > "$work/out"
[ ! -s "$work/out" ]
ok "make help tells of every goal" $?

run make local.none
is "a project that is not there is no goal" 2
says "by its folder" err "there is no project 'none': 'projects/local/none' is not a folder"
run make shadow.gcc-none
is "nor is a compiler that is not there" 2
says "by its name" err "there is no compiler 'gcc-none'"

# Of the real tree, whose modules are many: what is compiled depends on these files.
run make --no-print-directory -C "$top" BUILD="$work/flags" -n all
touch "$work/then"
run make --no-print-directory -C "$top" BUILD="$work/flags" -n all
find "$work/flags/flags" -newer "$work/then" > "$work/out"
[ "$status" -eq 0 ] && [ -n "$(ls "$work/flags/flags")" ] && [ ! -s "$work/out" ]
ok "flags that are the same are not written again" $?

run make print-PROFILE
is "a variable is printed" 0 "PROFILE=dev"
MAX_JOBS=7 run make print-JOBS
is "MAX_JOBS of the environment counts" 0 "JOBS=7"
echo JOBS=2 > config.mk
run make MAX_JOBS=6 print-JOBS
is "and wins over configure's" 0 "JOBS=6"
rm config.mk
run make MAX_JOBS=many print-JOBS
is "and must be a number" 2
says "by name" err "MAX_JOBS is 'many'"
run make MAX_JOBS=0 print-JOBS
is "above 0" 2
says "by name as well" err "MAX_JOBS is '0'"
run make print-JOBS
is "without it there is a number, too" 0 "JOBS=$("$top/tools/optimize-jobs")"

run make MAX_JOBS=6 print-MAKEFLAGS
says "steps go side by side, so many" out "-j6 --jobserver"
run make -j1 MAX_JOBS=6 print-MAKEFLAGS
! grep -q -e -j6 "$work/out"
ok "make's own -j wins" $?

# How many jobs: ceiling, processors, quota in percent.
jobs=$top/tools/optimize-jobs
vector() # vector RESULT OPTION...
{
	local want=$1
	shift
	run "$jobs" "$@"
	is "optimize-jobs $* says $want" 0 "$want"
}
vector 10 -m 128 -n 8 -c 0
vector 4 -m 128 -n 8 -c 200
vector 5 -m 128 -n 8 -c 350
vector 4 -m 128 -n 2 -c 800
vector 128 -m 128 -n 127 -c 0
vector 128 -m 128 -n 200 -c 0
vector 4 -m 4 -n 8 -c 0
vector 2 -m 128 -n 8 -c 50
vector 8 -M 8192 -n 64 -c 0
vector 4 -M 2048 -n 64 -c 0
vector 1 -M 300 -n 64 -c 0
vector 66 -M 16384 -n 64 -c 0
run "$jobs" -m x
is "what is no number is wrong use" 2

m=$work/machine
mkdir -p "$m/proc/self" "$m/sys/fs/cgroup/a/b"
echo "MemTotal: 67108864 kB" > "$m/proc/meminfo"
echo "Cpus_allowed_list:	0-3,8,10-11" > "$m/proc/self/status"
echo "0::/a/b" > "$m/proc/self/cgroup"
touch "$m/sys/fs/cgroup/cgroup.controllers"
vector 9 -r "$m"
echo "max 100000" > "$m/sys/fs/cgroup/a/b/cpu.max"
echo "250000 100000" > "$m/sys/fs/cgroup/a/cpu.max"
vector 4 -r "$m"
echo 1610612736 > "$m/sys/fs/cgroup/a/memory.max"
vector 3 -r "$m"
rm -r "$m/sys/fs/cgroup"
mkdir -p "$m/sys/fs/cgroup/cpu,cpuacct/x" "$m/sys/fs/cgroup/memory"
printf '%s\n' "4:memory:/not/there" "3:cpu,cpuacct:/x" "0::/" > "$m/proc/self/cgroup"
echo 9223372036854771712 > "$m/sys/fs/cgroup/memory/memory.limit_in_bytes"
echo -1 > "$m/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"
echo 100000 > "$m/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us"
vector 9 -r "$m"
echo 300000 > "$m/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us"
echo 100000 > "$m/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us"
vector 5 -r "$m"
echo 2147483648 > "$m/sys/fs/cgroup/memory/memory.limit_in_bytes"
vector 4 -r "$m"
rm -r "$m/proc" "$m/sys"
vector 3 -r "$m"
done_testing
