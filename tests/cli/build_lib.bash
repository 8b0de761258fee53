# SPDX-License-Identifier: MIT
#
# What the build_*.t tests share: a scratch folder, TAP, and a run that is kept.
set -u
export LC_ALL=C
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset BUILD CACHE SUITE COMPONENTS DAIS_MIRROR DAIS_SECURITY_MIRROR DAIS_APT_DIR DAIS_APT_LOCKED \
	FLAVOUR KERNEL PROFILE MODE LOCKED FIRMWARE JOBS PASSWORD PASSWORD_HASH prefix MAKEFLAGS MAKELEVEL MFLAGS EXPLAIN V
count=0

ok() # ok NAME STATUS
{
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		sed 's/^/# stdout: /' "$work/out"
		sed 's/^/# stderr: /' "$work/err"
	fi
}

run() # run COMMAND...: keeps stdout, stderr and status
{
	"$@" > "$work/out" 2> "$work/err" < /dev/null
	status=$?
}

is() # is NAME STATUS [STDOUT]: of the last run
{
	[ "$status" -eq "$2" ] && { [ $# -lt 3 ] || [ "$(cat "$work/out")" = "$3" ]; }
	ok "$1" $?
}

says() # says NAME out|err TEXT: the last run wrote TEXT
{
	grep -qF -- "$3" "$work/$2"
	ok "$1" $?
}

done_testing()
{
	echo "1..$count"
}
