#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make sign: sums of a platform and their signature, verified as docs/signing.md says.
. "$(dirname "$0")/build_lib.bash"
command -v openssl > /dev/null || { echo "1..0 # SKIP no openssl"; exit 0; }
unset SIGN_KEY

o=$work/output name=platform-20260401T093000Z
mkdir -p "$o/$name/images"
echo kernel > "$o/$name/kernel"
echo zone > "$o/$name/images/base zone.tar"
echo tgz > "$o/$name.tgz"
(umask 077; openssl genpkey -algorithm ed25519 -out "$work/key.pem") 2> /dev/null
openssl pkey -in "$work/key.pem" -pubout -out "$work/key.pub"

sign() # sign KEY
{
	(cd "$work" && SIGN_KEY=$1 "$top/tools/image/sign" "output/$name")
}
verify() # the command of the document
{
	(cd "$o" && openssl pkeyutl -verify -rawin -pubin -inkey "$work/key.pub" \
		-in $name.sha256sums -sigfile $name.sha256sums.sig &&
	sha256sum -c --quiet $name.sha256sums)
}
untouched() # nothing was written beside the platform
{
	[ "$(ls -A "$o" | paste -sd' ')" = "$name $name.tgz" ]
}

run sign ""
is "without a key it is not done" 1
says "and said" err "sign: not signed: SIGN_KEY names no key"
untouched
ok "and nothing is written" $?
run sign nothing.pem
says "a key that is not there is named" err "not signed: cannot read the key 'nothing.pem'"
chmod 640 "$work/key.pem"
run sign key.pem
says "a key that others may read is refused" err "chmod 600 'key.pem'"
chmod 600 "$work/key.pem"
(umask 077; openssl genpkey -algorithm x25519 -out "$work/other.pem"; echo no > "$work/no.pem") 2> /dev/null
run sign other.pem
says "so is another kind of key" err "'$work/other.pem' is not an Ed25519 key"
run sign no.pem
says "and what is none" err "'$work/no.pem' is no key of OpenSSL or minisign"
untouched
ok "and still nothing is written" $?

run sign key.pem
is "with a key, by a relative name, it is done" 0 "  $o/$name.sha256sums.sig"
[ "$(wc -l < "$o/$name.sha256sums")" -eq 3 ]
ok "over every file and the archive" $?
run verify
is "the documented commands verify it" 0
cp "$o/$name.sha256sums.sig" "$work/first"
run sign "$work/key.pem"
cmp -s "$work/first" "$o/$name.sha256sums.sig"
ok "the same bytes have the same signature" $?

echo other > "$o/$name/kernel"
run verify
[ "$status" -ne 0 ]
ok "a changed file is found" $?
(cd "$o" && sha256sum "$name/kernel" "$name.tgz" > $name.sha256sums)
run verify
[ "$status" -ne 0 ]
ok "so are changed sums" $?
run sign key.pem
run verify
is "signed anew it is good again" 0

if command -v minisign > /dev/null; then
	minisign -G -W -f -p "$work/m.pub" -s "$work/m.key" > /dev/null 2>&1
	ok "minisign makes a key without a password" $?
	chmod 600 "$work/m.key"
	run sign m.key
	is "a key of minisign does as well" 0 "  $o/$name.sha256sums.minisig"
	run minisign -V -p "$work/m.pub" -m "$o/$name.sha256sums"
	is "and its signature is good" 0
	[ ! -e "$o/$name.sha256sums.sig" ]
	ok "the other kind's, of older sums, is gone" $?
else
	ok "a key of minisign does as well # SKIP 'minisign' is not installed" 0
fi
[ -z "$(find "$o" -name '.sign*')" ]
ok "nothing is left behind" $?

done_testing
