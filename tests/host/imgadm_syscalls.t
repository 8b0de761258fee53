#!/bin/bash
# SPDX-License-Identifier: MIT
#
# One system call of imgadm or of its children fails, each in turn: no space, no
# descriptor, an I/O error. The command fails with a text or succeeds; what is there
# afterwards is the old state or the new one, whole, "imgadm check --repair" leaves
# nothing besides, and the next command works. A sample; `make soak` takes all.
#
# environment: SYSCALL_EVERY, every how many-th call fails (default 25)
#              SYSCALL_OPS, the operations (default all)
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
for tool in jq strace zstd; do
	command -v $tool >/dev/null || skip "'$tool' is not installed"
done
# shellcheck source=tests/host/oci_layout.bash
. "$(dirname "$0")/oci_layout.bash"
# What the sanitizers do at the end of a process is not possible in one that is traced.
export ASAN_OPTIONS=detect_leaks=0
every=${SYSCALL_EVERY:-25}
calls="openat:EMFILE read:EIO pread64:EIO write:ENOSPC pwrite64:ENOSPC writev:EIO fsync:EIO syncfs:EIO
	sync_file_range:EIO ftruncate:EFBIG fallocate:ENOSPC flock:EIO renameat:EIO renameat2:EIO unlinkat:EIO
	mkdirat:ENOSPC symlinkat:ENOSPC linkat:ENOSPC fchown:EIO fchownat:EIO fchmod:EIO
	utimensat:EIO ioctl:EIO getdents64:EIO newfstatat:EIO fstat:EIO fcntl:EMFILE pipe2:EMFILE
	memfd_create:EMFILE clone:EAGAIN clone3:EAGAIN wait4:ECHILD"
make_pool 1G
mkdir -p "$root/var/imgadm"
echo '{"sources":[]}' >"$root/var/imgadm/imgadm.conf" # nobody is asked for anything
strace -qq -o "$dir/trace" -e trace=openat true 2>/dev/null || skip "strace cannot trace here"

# ---- what is installed
uuid=11111111-1111-4222-8333-444444444444
for n in 1 2; do
	mkdir -p "$dir/l$n/etc"
	for i in $(seq 20); do echo "$n $i" >"$dir/l$n/etc/file$n$i"; done
	ln "$dir/l$n/etc/file${n}1" "$dir/l$n/etc/hard$n"
	ln -s file "$dir/l$n/etc/soft$n"
	head -c 300000 /dev/urandom >"$dir/l$n/data$n"
	tar --format=posix -C "$dir/l$n" -cf "$dir/$n.tar" .
done
gzip -1nk "$dir/1.tar"
zstd -q "$dir/2.tar"
manifest "$dir/1.tar.gz" $uuid >"$dir/tree.json"
# Of two layers the first is an image of its own, which stays.
oci_layer "$dir/layout" "$dir/2.tar.zst"
truncate -s 1M "$dir/disk"
head -c 1M /dev/urandom >>"$dir/disk"
gzip -1nk "$dir/disk"
manifest "$dir/disk.gz" $uuid | jq '.type = "zvol" | .image_size = 2 | .nic_driver = "virtio" |
	.disk_driver = "virtio" | .cpu_type = "host"' >"$dir/disk.json"

wipe() {
	local u
	imgadm check --repair
	for u in $("$bin/imgadm" list -Ho uuid --root "$root" | tac); do imgadm delete "$u"; done
}
tree() { imgadm install -q -m "$dir/tree.json" -f "$dir/1.tar.gz"; }
before() {
	wipe
	case $1 in delete | vacuum) tree ;; esac
}
arguments() {
	case $1 in
	tree) echo "install -q -m $dir/tree.json -f $dir/1.tar.gz" ;;
	disk) echo "install -q -m $dir/disk.json -f $dir/disk.gz" ;;
	layout) echo "import -q oci:$dir/layout" ;;
	delete) echo "delete $uuid" ;;
	vacuum) echo "vacuum -f" ;;
	esac
}

# All that there is: names and bytes, what was left over included.
shape() {
	(
		cd "$zones/images" || exit
		find . -mindepth 1 ! -path './.*' ! -type d ! -name meta.json ! \( -name state -empty \) -printf '%P %y %m %l ' \
			\( -type f -exec sha1sum {} + -o -printf '\n' \)
		find . -mindepth 1 -type d ! -path './.*' -printf '%P %y %m\n'
		for f in */meta.json; do jq -S 'walk(if type == "object" then del(.installed_at) else . end)' "$f" 2>&1; done
		find . -mindepth 2 -path './.*' -printf '%P\n'
	) | sort
	btrfs subvolume list "$zones" | awk '{ print $NF }' | sort
	imgadm list -Ho uuid
	echo "$out$err"
}

# traced OPERATION OPTION...: under strace, its children too; $status, $out, $err
traced() {
	local op=$1
	shift
	# shellcheck disable=SC2046  # words
	{ run timeout 60 strace -f -qq -o "$dir/trace" "$@" "$bin/imgadm" $(arguments "$op") --root "$root"; } 2>/dev/null
	# One that waits for ever outlives its tracer.
	[ "$status" -ne 124 ] || pkill -KILL -f "^$bin/imgadm .* --root $root\$"
}
# For each call, how often a process makes it, once it is past its loading.
count_calls() {
	before "$1"
	traced "$1" -e trace="$(sed 's/:[A-Z0-9]*//g' <<<"$calls" | tr -s '\n\t ' ',' | sed 's/,$//')"
	[ "$status" -eq 0 ] || { echo "# $err" >&2; return 1; }
	awk -v root="$root" '
		{ pid = $1; name = $2; sub(/\(.*/, "", name); n[pid " " name]++ }
		n[pid " " name] > most[name] { most[name] = n[pid " " name] }
		!seen && index($0, "\"" root) { seen = 1 }
		!seen { first[name] = n[pid " " name] }
		END { for (name in most) print name, first[name] + 1, most[name] }' "$dir/trace"
}

# What is wrong after OPERATION, or nothing
wrong() {
	local was=$status said=$err got
	case $err in
	*Sanitizer* | *Assertion* | *"runtime error"*) echo "the program broke: $err" ;;
	esac
	if [ "$was" -gt 3 ]; then echo "status $was"; fi
	# Its words or its result may be what did not get out.
	grep -q 'write([12], .*INJECTED' "$dir/trace" && said+=" is there, but"
	if [ "$was" -ne 0 ] && [ -z "$said" ]; then echo "no text"; fi
	imgadm check --repair
	imgadm check
	[ "$status" -eq 0 ] || echo "check after --repair: $out$err"
	got=$(shape)
	if [ "$got" = "$new" ] && [ "$was" -eq 0 ]; then return; fi
	if [ "$got" = "$old" ] && [ "$was" -ne 0 ]; then return; fi
	if [ "$got" = "$new" ]; then
		[[ $said == *"is there, but"* || $said == *"is gone, but"* ]] || echo "done, and status $was: $said"
	elif [ "$got" = "$old" ]; then
		echo "success was told, and nothing was done: $said"
	else
		echo "neither old nor new, status $was, '$said':"
		diff <(echo "$new") <(echo "$got") | head -8
	fi
}

sweep() {
	local op=$1 call error first last n bad=0 tried=0 what
	before "$op"; old=$(shape)
	count_calls "$op" >"$dir/calls" || { ok "$op works under strace" 1; return; }
	new=$(shape)
	for call in $calls; do
		error=${call#*:} call=${call%:*} first=
		read -r first last < <(awk -v c="$call" '$1 == c { print $2, $3 }' "$dir/calls")
		for ((n = ${first:-1}; n <= ${last:-0}; n++)); do
			turn=$((turn + 1))
			[ $((turn % every)) -eq 0 ] || continue
			[ "$(shape)" = "$old" ] || before "$op"
			traced "$op" -e trace="$call" -e inject="$call:error=$error:when=$n"
			tried=$((tried + 1))
			what=$(wrong)
			[ -z "$what" ] && continue
			bad=$((bad + 1))
			echo "# $op, $call $n of $last gets $error:"
			grep INJECTED "$dir/trace" | cut -c1-150 | sed 's/^/#   /'
			head -12 <<<"$what" | sed 's/^/#   /'
			before "$op"
		done
		last=
	done
	[ "$bad" -eq 0 ]
	ok "$op: one system call fails ($tried calls)" $?
}

turn=0
for op in ${SYSCALL_OPS:-tree disk layout delete vacuum}; do
	sweep "$op"
done
wipe
is "at the end nothing is left" "$(ls -A "$zones/images") $(btrfs subvolume list "$zones" | wc -l)" ".partial 0"
finish
