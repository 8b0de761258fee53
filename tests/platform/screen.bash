# SPDX-License-Identifier: MIT
#
# screen.bash - a machine that has more than one console: sourced after lib.bash.
#
#	more_consoles [OPTION...]
#	                        from now on machines have a second serial line, which $second is
#	                        the log of, a monitor, and what the options of QEMU say
#	choose ENTRY [SOCKET]   walk the menu on a serial line to an entry and take it
#	screen                  what the memory of a screen of text holds (-device VGA, BIOS):
#	                        what has scrolled away as well
#	wait_screen SECONDS TEXT
#	press KEY...            on the keyboard, as QEMU's sendkey names them
# shellcheck disable=SC2154 # lib.bash has them
second=$BUILD/log/platform-$name-second.log
bare=${QEMU:-qemu-system-x86_64}

more_consoles() {
	mkdir -p "$BUILD/log"
	: > "$second"
	cat > "$dir/machine" <<-END
		#!/bin/sh
		exec $bare "\$@" -serial chardev:second \\
			-chardev socket,id=second,path=$dir/second,server=on,wait=off,logfile=$second \\
			-chardev socket,id=monitor,path=$dir/monitor,server=on,wait=off -mon monitor $*
	END
	chmod +x "$dir/machine"
	QEMU=$dir/machine
	export QEMU
}

choose() { "$console" -t 120 "${2:-$dir/socket}" choose "$1"; }

# monitor COMMAND... - until each has been answered
monitor() {
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Peer => shift) or exit 1;
		sub answer { my $seen = ""; sysread($s, $seen, 4096, length($seen)) or exit 1 until $seen =~ /\(qemu\) $/; }
		answer();
		for (@ARGV) { syswrite($s, "$_\n"); answer(); }' "$dir/monitor" "$@"
}

# A screen of text: each second byte is a color, a row has 80 columns.
screen() {
	rm -f "$dir/screen"
	monitor "pmemsave 0xb8000 0x8000 \"$dir/screen\"" || return
	perl -0777 -ne 's/(.)./$1/gs; s/\0/ /g; print "$_\n" for map { s/ +$//r } unpack("(a80)*")' "$dir/screen"
}

wait_screen() {
	local end=$((SECONDS + $1))
	until screen | grep -aqF -- "$2"; do
		alive && [ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.3
	done
}

press() { monitor "${@/#/sendkey }"; }
