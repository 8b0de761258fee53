# SPDX-License-Identifier: MIT
#
# lib.bash - what the groups about manifests share; see run for the contract.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fixtures=$1/manifests
[ -d "$fixtures" ] || exit 77

agree() { printf 'agree %s\n' "$1"; }
listed() { printf 'listed %s %s\n' "$1" "$2"; }
differ() { printf 'differ %s: %s\n' "$1" "$2"; }

# What is special about some manifests: lines "FACT FILE LINE PATH".
facts() { awk -f "$here/manifest-facts.awk" "$@"; }

# has_fact FACTS NAME
has_fact() { printf '%s\n' "$1" | grep -q "^$2 "; }

# refusal_rule FACTS NAMES: the rule under which manifests of which FACTS were told are
# refused, or nothing. NAMES are the facts that count where the case stands.
refusal_rule()
{
	local fact

	for fact in $2; do
		has_fact "$1" "$fact" || continue
		case $fact in
		control) echo manifest-control ;;
		grammar) echo manifest-one-grammar ;;
		path) echo manifest-path ;;
		empty) echo manifest-empty ;;
		again) echo manifest-listed-twice ;;
		clash | below) echo manifest-clash ;;
		orphan) echo archive-parent ;;
		hardlink) echo archive-hard-link ;;
		esac
		return
	done
}

# Does the file of messages $1 name a place in a manifest, as "FILE:LINE:" or "FILE:"?
names_place() { grep -qE '\.manifest:([0-9]+:)* ' "$1"; }

# The paths of "listed again" warnings, in ours ($1) and in the original's form ($2).
our_warnings() { sed -n "s/^.*: warning: '\([^']*\)' is listed again.*/\1/p" "$1" | sort; }
their_warnings()
{
	sed -n "s/^WARNING: duplicate manifest entry for '\(.*\)'$/\1/p" "$1" |
		sed 's/=.*//; s:/$::' | sort
}

# Entries as they read with one blank between words, and without what a comment says.
plain() { sed 's/#.*//' "$1" | awk '{ $1 = $1; print }'; }
