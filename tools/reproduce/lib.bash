# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154  # top: set by who sources this
#
# lib.bash - copies of the tree and of the cache, for a build elsewhere.

# The tree as it lies here, changes and projects included, as a clone in $1, whose
# folders and files get the umask of the caller.
copy_tree() {
	local to=$1
	if git -C "$top" rev-parse --git-dir > /dev/null 2>&1; then
		git clone -q --depth 1 "file://$top" "$to"
		(cd "$top" && git ls-files -d -z) | (cd "$to" && xargs -0r rm -f --)
		(cd "$top" && git ls-files -mo --exclude-standard --deduplicate -z |
			while IFS= read -r -d '' file; do
				[ ! -e "$file" ] && [ ! -L "$file" ] || printf '%s\0' "$file"
			done | tar -c --null --no-recursion -T -) | tar -C "$to" --no-same-permissions -x
	else
		mkdir -p "$to"
		(cd "$top" && tar -c --exclude=./build --exclude=./output --exclude=./cache .) |
			tar -C "$to" --no-same-permissions -x
	fi
	# What git does not know, and the build does.
	(cd "$top" && { ls -d config.mk projects/local/* 2> /dev/null || :; } |
		sed '/\/README.md$/d' | tar -c -T -) | tar -C "$to" --no-same-permissions -x
}

# link_cache FROM TO WHO NAME...: folders of a cache, as one that WHO can write to. Files are
# links where they can be: nobody writes to one that is whole.
link_cache() {
	local from=$1 to=$2 who=$3 name
	shift 3
	mkdir -p "$to"
	for name in "$@"; do
		[ ! -d "$from/$name" ] || cp -al "$from/$name" "$to/$name" 2> /dev/null || {
			rm -rf "${to:?}/$name"
			cp -a --reflink=auto "$from/$name" "$to/$name"
		}
	done
	[ -z "$who" ] || find "$to" -type d -exec chown "$who" {} +
}
