#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Archives that try to leave the image, to hurt the host or the reader. The
# corpus is made here. Each is refused by a text that names the entry, or stays
# inside; nothing of it is left, and nothing outside changes.
# shellcheck source=tests/host/store_lib.bash
. "$(dirname "$0")/store_lib.bash"
command -v getfattr >/dev/null || skip "'getfattr' is not installed"
make_pool 1G

corpus=$dir/corpus
mkdir -p "$corpus" "$dir/outside"
echo untouched >"$dir/outside/canary"
python3 - "$corpus" "$dir/outside" <<'PY' || skip "the corpus cannot be made"
import io, os, sys, tarfile
corpus, outside = sys.argv[1:]
T = tarfile
def entry(name, type=T.REGTYPE, data=b'', link='', mode=0o644, uid=0, gid=0, **more):
    i = T.TarInfo(name)
    i.type, i.linkname, i.mode, i.uid, i.gid, i.size = type, link, mode, uid, gid, len(data)
    for k, v in more.items():
        setattr(i, k, v)
    return i, data
def tar(name, *entries, format=T.PAX_FORMAT):
    with T.open(f'{corpus}/{name}.tar', 'w', format=format) as t:
        for i, data in entries:
            t.addfile(i, io.BytesIO(data))
up = '../' * 12
d = lambda n: entry(n, T.DIRTYPE, mode=0o755)
sym = lambda n, to: entry(n, T.SYMTYPE, link=to)
hard = lambda n, to: entry(n, T.LNKTYPE, link=to)
f = lambda n, data=b'evil': entry(n, data=data)
tar('dotdot', f(up + outside[1:] + '/canary'))
tar('dotdot-inside', d('a'), f('a/../../b'))
tar('dotdot-end', f('a/..'))
tar('symlink-absolute', sym('out', outside), f('out/canary'))
tar('symlink-relative', sym('out', up + outside[1:]), f('out/canary'))
tar('symlink-chain', sym('a', '.'), sym('a/b', '..'), f('a/b/x'))
tar('symlink-parent-dir', sym('out', outside), d('out/made'))
tar('symlink-overwrite', sym('out', outside + '/canary'), f('out'))
tar('symlink-loop', sym('a', 'b'), sym('b', 'a'), f('a/x'))
tar('symlink-proc', sym('a', '/proc/self/root'), f('a/tmp/x'))
tar('hardlink-dotdot', hard('x', up + outside[1:] + '/canary'), f('x'))
tar('hardlink-absolute', hard('x', outside + '/canary'), f('x'))
tar('hardlink-symlink', sym('out', outside), hard('x', 'out/canary'), f('x'))
tar('hardlink-missing', hard('x', 'nothing'))
tar('hardlink-self', hard('x', 'x'))
tar('hardlink-root', hard('x', './'))
tar('hardlink-then-symlink', f('x'), sym('l', outside + '/canary'), hard('h', 'l'), f('h'))
tar('owner-large', entry('x', uid=70000))
tar('owner-nobody', entry('x', uid=4294967294))
tar('below-file', f('x'), f('x/y'))
tar('empty-name', entry('x', pax_headers={'path': ''}))
tar('long-part', f('n' * 300))
tar('deep', f('d/' * 2000 + 'x'))
tar('long-name', f(('n' * 200 + '/') * 30 + 'x'))
tar('dir-over-full-dir-by-file', d('a'), f('a/b'), f('a'))
tar('root-is-file', f('.'))
tar('pax-path-dotdot', entry('innocent', pax_headers={'path': '../' + 'x'}))
tar('pax-linkpath', entry('h', T.LNKTYPE, link='x', pax_headers={'linkpath': up + outside[1:] + '/canary'}))
tar('control-characters', f('../\x1b[31mred\n'))
# 11 MB in the pool, and no data at all
many = {f'SCHILY.xattr.user.{k}': 'x' * 2000 for k in range(8)}
tar('attributes', *(entry(f'f{n}', pax_headers=many) for n in range(700)))
tar('targets', *(sym(f'l{n}', 'x' * 4000) for n in range(2800)))
# these stay inside
tar('ok-absolute', f(outside + '/canary'))
tar('ok-inner-link', d('usr'), d('usr/bin'), sym('bin', 'usr/bin'), f('bin/tool'))
tar('ok-devices', entry('null', T.CHRTYPE, devmajor=1, devminor=3), entry('disk', T.BLKTYPE, devmajor=8, devminor=0), f('x'))
tar('ok-twice', f('x', b'one'), f('x', b'two'))
tar('ok-file-becomes-dir', f('x'), d('x'), f('x/y'))
tar('ok-link-becomes-dir', sym('x', outside), d('x'), f('x/canary'))
tar('ok-dir-becomes-link', d('x'), sym('x', outside))
tar('ok-no-folders', f('a/b/c/d'))
tar('ok-trusted-xattr', entry('x', data=b'1', pax_headers={'SCHILY.xattr.trusted.overlay.opaque': 'y', 'SCHILY.xattr.user.ok': 'v'}))
tar('ok-old-time', entry('x', mtime=-5))
# damage
raw = open(f'{corpus}/ok-twice.tar', 'rb').read()
open(f'{corpus}/checksum.tar', 'wb').write(raw[:10] + b'X' + raw[11:])
big = bytearray(T.TarInfo('huge').tobuf(T.GNU_FORMAT))
i = T.TarInfo('huge'); i.size = 1 << 62
open(f'{corpus}/huge-size.tar', 'wb').write(i.tobuf(T.GNU_FORMAT) + b'x' * 1024)
i = T.TarInfo('cut'); i.size = 100000
open(f'{corpus}/cut.tar', 'wb').write(i.tobuf(T.GNU_FORMAT) + b'x' * 1024)
PY

uuid=11111111-1111-4222-8333-444444444444
rootfs=$zones/images/$uuid/rootfs
install() {
	local max=${2:-100M}
	manifest "$corpus/$1.tar" $uuid >"$dir/m.json"
	imgadm install -q --max-size "$max" -m "$dir/m.json" -f "$corpus/$1.tar"
}

outside_is_untouched() {
	[ "$(ls -A "$dir/outside")" = canary ] && [ "$(cat "$dir/outside/canary")" = untouched ] &&
		[ "$(stat -c %h "$dir/outside/canary")" = 1 ]
}

refused() { # refused NAME TEXT [MAX-SIZE]
	install "$1" "${3:-100M}"
	is "$1 is refused" "$status $err" "1 imgadm install: error (UncompressionError): $2"
	is_clean && [ ! -e "$zones/images/$uuid" ] && outside_is_untouched
	ok "... and leaves nothing, in or out" $?
	seen="$seen $1"
}
seen=
up=../../../../../../../../../../../..
leave="would leave the image's root"
refused dotdot "entry '$up$dir/outside/canary' $leave"
refused dotdot-inside "entry 'a/../../b' $leave"
refused dotdot-end "entry 'a/..' $leave"
refused symlink-absolute "entry 'out/canary' $leave through a symbolic link"
refused symlink-relative "entry 'out/canary' $leave through a symbolic link"
refused symlink-chain "entry 'a/b/x' $leave through a symbolic link"
refused symlink-parent-dir "entry 'out/made' $leave through a symbolic link"
refused symlink-loop "entry 'a/x' is below something that is no folder"
refused symlink-proc "entry 'a/tmp/x' $leave through a symbolic link"
refused hardlink-dotdot "link 'x': entry '$up$dir/outside/canary' $leave"
refused hardlink-absolute "link 'x' leads to '${dir#/}/outside/canary', which is not there"
refused hardlink-symlink "link 'x': entry 'out/canary' $leave through a symbolic link"
refused hardlink-missing "link 'x' leads to 'nothing', which is not there"
refused hardlink-self "link 'x' leads to itself"
refused hardlink-root "link 'x' leads to the root"
refused owner-large "entry 'x' belongs to 70000:0; owners above 65535 do not fit into a zone"
refused owner-nobody "entry 'x' belongs to 4294967294:0; owners above 65535 do not fit into a zone"
refused below-file "entry 'x/y' is below something that is no folder"
refused long-part "the name of entry '$(printf 'n%.0s' $(seq 200))...' is too long or deep"
refused deep "the name of entry '$(printf 'd/%.0s' $(seq 100))...' is too long or deep"
refused long-name "the name of entry '$(printf 'n%.0s' $(seq 200))...' is too long or deep"
refused dir-over-full-dir-by-file "entry 'a' would replace a folder that is not empty"
refused root-is-file "the root of the archive is not a folder"
refused pax-path-dotdot "entry '../x' $leave"
refused pax-linkpath "link 'h': entry '$up$dir/outside/canary' $leave"
refused control-characters "entry '../?[31mred?' $leave"
refused checksum "the file is not a tar archive, nor anything else that images come in"
refused huge-size "the archive holds more than 104857600 bytes"
refused attributes "the archive holds more than 10485760 bytes" 10M
refused targets "the archive holds more than 10485760 bytes" 10M
refused cut "the archive is damaged in 'cut': Truncated tar archive"

stays() { # stays NAME: installed, and CHECK, run in the rootfs, holds
	install "$1"
	is "$1 is installed" "$status" 0
	(cd "$rootfs" 2>/dev/null && eval "$2") && outside_is_untouched
	ok "... and stays inside: $2" $?
	imgadm delete $uuid
	seen="$seen $1"
}
stays ok-absolute '[ "$(cat ".$dir/outside/canary")" = evil ]'
stays ok-inner-link '[ "$(cat usr/bin/tool)" = evil ] && [ -L bin ]'
stays ok-devices '[ "$(ls)" = x ]'
stays ok-twice '[ "$(cat x)" = two ]'
stays ok-file-becomes-dir '[ -f x/y ]'
stays ok-link-becomes-dir '[ ! -L x ] && [ "$(cat x/canary)" = evil ]'
stays ok-dir-becomes-link '[ -L x ]'
stays ok-no-folders '[ -f a/b/c/d ]'
stays ok-trusted-xattr '[ "$(getfattr --only-values -n user.ok x 2>/dev/null)" = v ] && ! getfattr -d -m trusted x | grep -q opaque'
stays ok-old-time '[ -f x ]'
stays symlink-overwrite '[ ! -L out ] && [ "$(cat out)" = evil ]'
stays hardlink-then-symlink '[ ! -L h ] && [ -L l ]'
stays empty-name '[ -f x ]'

for f in "$corpus"/*.tar; do
	case " $seen " in *" $(basename "$f" .tar) "*) ;; *) echo "# not tried: $f"; false ;; esac
	[ $? -eq 0 ] || ok "every archive of the corpus was tried" 1
done
finish
