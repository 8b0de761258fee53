# SPDX-License-Identifier: MIT
#
# patches.sh - a folder of patches. Sourced by unpack and by tools/kernel/source.
#
# They are applied in the order of its `series`, else of their names, each without fuzz. One
# that does not fit ends it, with its name, file and hunk; so does one that `series` forgets.
#
# reads	strip (folders that the names in patches have too many: 1); die is the caller's

# patches_of FOLDER LABEL: their names, one a line, in the order of use.
patches_of() (
	[ -d "$1" ] || exit 0
	cd "$1"
	patches_all=$(for file in *.patch *.diff; do [ ! -e "$file" ] || echo "$file"; done | sort)
	if [ ! -e series ]; then
		[ -z "$patches_all" ] || echo "$patches_all"
		exit
	fi
	patches_named=$(sed 's/#.*//; s/[ \t].*//; /^$/d' series)
	# Debian's folder holds some that are for other uses.
	[ "$2" = debian/patches ] || for file in $patches_all; do
		echo "$patches_named" | grep -qxF "$file" || die "$2/$file: is not in $2/series"
	done
	[ -z "$patches_named" ] || echo "$patches_named"
)

# patch_apply TREE FILE NAME
patch_apply() {
	[ -r "$2" ] || die "$3: is not there"
	if patches_out=$(patch -d "$1" -p"${strip:-1}" -F0 --batch --forward --no-backup-if-mismatch -r - < "$2" 2>&1); then
		echo "   $3"
		return
	fi
	{
		echo "$patches_out" | sed 's/^/  /'
		echo "$patches_out" | awk -v me="${0##*/}" -v patch="$3" '
		/^patching file|^checking file|^.*can.t find file/ { file = $3 }
		/^Hunk #[0-9]+ FAILED/ { printf "%s: %s: hunk %s of %s does not fit, at line %d\n", me, patch, $2, file, $5; told = 1 }
		/^Reversed .or previously applied/ { printf "%s: %s: is in the source already\n", me, patch; told = 1 }
		/^can.t find file to patch/ { printf "%s: %s: names a file that the source does not have (line %d of its input)\n", me, patch, $NF; told = 1 }
		END { if (!told) printf "%s: %s: is no patch that can be applied\n", me, patch }'
	} >&2
	exit 1
}

# patches_apply TREE FOLDER LABEL
patches_apply() {
	patches_list=$(patches_of "$2" "$3")
	for patches_name in $patches_list; do
		patch_apply "$1" "$2/$patches_name" "$3/$patches_name"
	done
}
