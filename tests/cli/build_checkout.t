#!/bin/bash
# SPDX-License-Identifier: MIT
#
# configure-projects and configure-branches: what is cloned, and on which branch.
. "$(dirname "$0")/build_tree.bash"
export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1
git config --file "$work/gitconfig" user.name test
git config --file "$work/gitconfig" user.email test@dais.test
git config --file "$work/gitconfig" init.defaultBranch master

# Three repositories beside each other: ours, and two projects.
make_tree "$work/hub/dais"
for name in motd tool; do
	git init -q "$work/hub/$name.git"
	cd "$work/hub/$name.git" || exit 1
	echo "f etc/$name 0644 root root" > manifest
	mkdir etc && echo "$name" > etc/$name
	git add -A && git commit -qm "start of $name"
	git branch feature/x && git branch other
done
git checkout -q -b hidden && echo pull > etc/tool && git commit -qam "pull request" &&
	git update-ref refs/pull/7/head HEAD && git checkout -q master && git branch -qD hidden
git clone -q "$work/hub/dais" "$work/tree"
cd "$work/tree" || exit 1

list() # list LINE...: have these projects
{
	printf '%s\n' "$@" > list
	run tools/projects/checkout list
}
on() # on DIR BRANCH
{
	[ "$(git -C "projects/$1" symbolic-ref --short HEAD)" = "$2" ] && [ -z "$(git -C "projects/$1" status --porcelain)" ]
}

list "# a comment" "" "  local/motd : master : file://$work/hub/motd.git  " "local/tool:feature/x:origin"
is "projects are cloned" 0
on local/motd master && on local/tool feature/x
ok "each on its branch" $?
says "an address may have colons; the commit is told" out "local/motd: master at "
says "with its subject" out "start of motd"
[ "$(git -C projects/local/tool remote get-url origin)" = "$work/hub/tool.git" ]
ok "origin is beside ours" $?
list "local/motd:other:" "local/tool:PR-7:"
is "another branch is checked out" 0
on local/motd other && on local/tool PR-7 && [ "$(cat projects/local/tool/etc/tool)" = pull ]
ok "that of a pull request as well" $?
git -C projects/local/tool rev-parse -q --verify '@{upstream}' > "$work/out"
ok "which it follows" $?
git -C "$work/hub/motd.git" branch late
list "local/motd:late:"
[ "$status" -eq 0 ] && on local/motd late
ok "a branch that is new there is fetched" $?
echo edit >> projects/local/motd/etc/motd
list "local/motd:late:"
is "a dirty tree is no error" 0
says "but told" err "local/motd: warning: there are changes that are not committed"
git -C projects/local/motd checkout -q .
list "local/motd:late:file:///nowhere"
is "what is there is not cloned again" 0

refused() # refused NAME TEXT LINE...
{
	local name=$1 text=$2
	shift 2
	list "$@"
	[ "$status" -ne 0 ] && grep -qF -- "$text" "$work/err" && [ ! -e projects/local/new ] && [ ! -e projects/local/new.new ]
	ok "refused: $name" $?
}
refused "a line without its colons, by number" "list:2: 'local/new' is not PATH:BRANCH:URL" \
	"local/new:master:file://$work/hub/tool.git" "local/new"
refused "a path that leads out" "'../new' is not a path below" "../new:master:"
refused "a folder of our own" "'projects/dais' is a folder of this repository" "dais:master:"
refused "a branch that is an option" "is not the name of a branch" "local/new:-f:"
refused "an address that is an option" "'--upload-pack=x' is not an address" "local/new:master:--upload-pack=x"
refused "a project twice" "list:2: 'local/new' is listed twice" "local/new:master:" "local/new:other:"
refused "a repository that is not there" "list:1: cannot clone" "local/new:master:file://$work/none"
refused "a branch that is not there" "has no branch 'none'" "local/new:none:file://$work/hub/tool.git"
refused "a pull request that is not there" "has no branch 'PR-9'" "local/new:PR-9:file://$work/hub/tool.git"
mkdir -p projects/local/plain
refused "a folder that git does not keep" "'projects/local/plain' is there, and is not a git" "local/plain:master:"
rmdir projects/local/plain
git remote remove origin
refused "origin, without one of our own" "which has none: name its address" "local/new:master:origin"

branches() # branches LINE...
{
	printf '%s\n' "$@" > branches
	run tools/projects/branches branches
}
branches "# all" "motd: master  # for now" "" "local/tool : other"
is "branches are changed" 0
on local/motd master && on local/tool other
ok "as the file says" $?
branches "smartos-live: x" "dais: y" "motd: other"
[ "$status" -eq 0 ] && on local/motd other && [ "$(grep -c 'is yours to change' "$work/err")" -eq 2 ]
ok "our own is only warned of" $?
git -C projects/local/tool checkout -q other
for line in "none: master|there is no project 'none'" "motd: nobranch|'motd' has no branch 'nobranch'" \
	"motd|is not NAME: BRANCH" "../dais: master|is not the name of a project" "plain: master|is not a git repository"; do
	mkdir -p projects/local/plain
	branches "tool: master" "${line%%|*}"
	[ "$status" -ne 0 ] && grep -qF "branches:2: " "$work/err" && grep -qF -- "${line#*|}" "$work/err" && on local/tool other
	ok "refused, before anything is changed: ${line%%|*}" $?
done
rmdir projects/local/plain

# With configure, to the image.
git -C projects/local/motd checkout -q master
rm -rf projects/local/*/
cp "$top/configure" "$top/default.configure-projects" .
mkdir -p tools/core && cp "$top/tools/core/host-packages" tools/core/
script=tools/apt-sources
tree=$work/tree script $script <<-'END'
	#!/bin/sh
END
mkdir -p "$work/bin"
printf '#!/bin/sh\necho installed\n' > "$work/bin/dpkg-query"
chmod +x "$work/bin/dpkg-query"
PATH=$work/bin:$PATH
run ./configure --tools-only
is "the list that comes along is empty" 0
[ ! -e projects/local/motd ]
ok "and clones nothing" $?
echo "local/motd:master:file://$work/hub/motd.git" > configure-projects
echo "motd: other" > configure-branches
run ./configure --tools-only
is "configure clones what a list of one's own names" 0
on local/motd other
ok "and puts it on the branch that is wished for" $?
mkdir -p build
build live
is "it is built" 0
[ "$(tar -xOf build/image/root.tar etc/motd)" = motd ]
ok "and is in the image" $?
build live EXPLAIN=1
ran ""
ok "once" $?
run ./configure --tools-only --profile=release
build live EXPLAIN=1
ran "boot platform"
ok "another profile by configure makes what packs again, no more" $?
run ./configure --tools-only --profile=release -j5 -S
build live
ran ""
ok "the number of jobs nothing" $?
echo "motd: none" > configure-branches
cp config.mk before
run ./configure --tools-only
is "a branch that is not there ends configure" 1
says "with its line" err "configure-branches:1: 'motd' has no branch 'none'"
cmp -s config.mk before
ok "and nothing is written" $?
rm configure-branches

# Another compiler's opinion: this one dislikes a word that the first does not mind.
cat > "$work/bin/clang-99" <<-'END'
	#!/bin/sh
	for last; do :; done
	[ "$1" = --version ] && echo "a compiler" && exit
	[ ! -f "$last" ] || ! grep -n dubious "$last" || { echo "$last: warning: dubious" >&2; exit 1; }
	exec gcc "$@"
END
chmod +x "$work/bin/clang-99"
mkdir -p src/x
echo 'int x_dubious;' > src/x/x.c
echo '$(call library, x, x.c,)' > src/x/module.mk
run ./configure --tools-only --profile=release -s clang99
is "a shadow compiler is taken" 0
build live
is "and its warning fails the build" 2
says "with the place" err "src/x/x.c: warning: dubious"
echo 'int x_sure;' > src/x/x.c
build live EXPLAIN=1
is "without a warning it is built" 0
says "after what changed" out "shadow.clang-99 because"
run ./configure --tools-only --profile=release
build live EXPLAIN=1
[ "$status" -eq 0 ] && ! grep -q shadow "$work/out" && ran ""
ok "without the shadow nothing is made again" $?
done_testing
