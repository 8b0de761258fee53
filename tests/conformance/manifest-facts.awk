# SPDX-License-Identifier: MIT
#
# manifest-facts.awk - what is special about manifests, told from their text
# alone: lines "FACT FILE LINE PATH".
#
#	control   a control character in a line
#	grammar   a line that is no entry
#	path      a path that is absolute, or has an empty, "." or ".." part, or is too long
#	again     a path listed again, other than the same folder in the same way
#	same      the same folder in the same way, in other words
#	clash     a path listed again where one of the two is a link, or the links differ
#	below     something listed below what is no folder
#	orphan    something whose parent is not listed
#	hardlink  a hard link to what is not listed, or is a folder
#	spacing   blanks other than one between words
#	comment   a comment behind an entry
#	slash     a folder with a final '/'
#	empty     no entry at all in a file

function fact(name, path) { print name, FILENAME, FNR, path }

function is_octal(mode,    value, i)
{
	if (mode !~ /^[0-7]+$/)
		return 0
	for (i = 1; i <= length(mode); i++)
		value = value * 8 + substr(mode, i, 1)
	return value <= 4095
}

function bad_path(path, root,    n, part, i)
{
	if (root && path == ".")
		return 0
	if (path == "" || length(path) > 4095)
		return 1
	n = split(path, part, "/")
	for (i = 1; i <= n; i++)
		if (part[i] == "" || part[i] == "." || part[i] == ".." || length(part[i]) > 255)
			return 1
	return 0
}

# How line L relates to the one that listed PATH before.
function compare(path, l, key, mode,    same_folder)
{
	same_folder = kind[path] == "d" && l == "d" && attr[path] == mode
	if (same_folder && text[path] != $0)
		fact("same", path)
	else if (same_folder)
		return
	else if ((kind[path] ~ /[df]/ && l ~ /[df]/) || (target[path] != "" && word[path] == key))
		fact("again", path)
	else
		fact("clash", path)
}

function add(path, l, key, goal, mode)
{
	if (path in kind)
		compare(path, l, key, mode)
	kind[path] = l
	word[path] = key
	target[path] = goal
	attr[path] = mode
	text[path] = $0
	place[path] = FILENAME " " FNR
}

{
	line = $0
	sub(/\r$/, "", line)
	before = line
	sub(/#.*/, "", line)
	if (line ~ /[\001-\010\013-\037\177]/) {
		fact("control", "-")
		next
	}
	n = split(line, w, /[ \t]+/)
	# Blanks at the ends give empty words.
	first = n && w[1] == "" ? 2 : 1
	if (n && w[n] == "")
		n--
	n -= first - 1
	if (n < 1)
		next
	for (i = 1; i <= n; i++)
		w[i] = w[i + first - 1]
	if (before != line)
		fact("comment", w[2])

	l = w[1]
	if (l ~ /^[df]$/) {
		if (n != 5 || !is_octal(w[3])) {
			fact("grammar", w[2])
			next
		}
		path = w[2]
		if (l == "d" && length(path) > 1 && path ~ /\/$/) {
			fact("slash", path)
			sub(/\/$/, "", path)
		}
		if (line != l " " w[2] " " w[3] " " w[4] " " w[5])
			fact("spacing", path)
		goal = ""
		mode = w[3]
		sub(/^0+/, "", mode)
		mode = mode " " w[4] " " w[5]
	} else if (l ~ /^[sh]$/ && n == 2 && w[2] ~ /^[^=]+=[^=]+$/) {
		path = w[2]
		sub(/=.*/, "", path)
		goal = w[2]
		sub(/.*=/, "", goal)
		mode = ""
		if (line != l " " w[2])
			fact("spacing", path)
	} else {
		fact("grammar", w[2])
		next
	}
	has_entry[FILENAME] = 1
	if (bad_path(path, l == "d") || (l == "h" && bad_path(goal, 0)) || length(goal) > 4095)
		fact("path", path)
	else
		add(path, l, w[2], goal, mode)
}

END {
	for (i = 1; i < ARGC; i++)
		if (!(ARGV[i] in has_entry))
			print "empty", ARGV[i], 0, "-"
	for (path in kind) {
		parent = path
		while (sub(/\/[^\/]*$/, "", parent)) {
			if (!(parent in kind))
				print "orphan", place[path], path
			else if (kind[parent] != "d")
				print "below", place[path], path
		}
		if (kind[path] == "h" && (!(target[path] in kind) || kind[target[path]] == "d"))
			print "hardlink", place[path], path
	}
}
