#!/bin/bash
# SPDX-License-Identifier: MIT
#
# make update: this repository and every cloned project, all of them or none.
. "$(dirname "$0")/build_tree.bash"
export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1
git config --file "$work/gitconfig" user.name test
git config --file "$work/gitconfig" user.email test@dais.test
git config --file "$work/gitconfig" init.defaultBranch master
git config --file "$work/gitconfig" protocol.file.allow always

commit() # commit DIR FILE TEXT
{
	echo "$3" > "$1/$2"
	git -C "$1" add "$2"
	git -C "$1" commit -qm "$2 $3"
}

at() # at DIR: its commit
{
	git -C "$1" rev-parse HEAD
}

make_tree "$work/up"
git init -q "$work/tool"
printf 'world:\ninstall:\n' > "$work/tool/Makefile"
git -C "$work/tool" add Makefile
commit "$work/tool" a one
cd "$work" && git clone -q up tree && git clone -q tool tree/projects/local/tool && cd tree || exit 1
tree=$work/tree

run make update
is "update with nothing new succeeds" 0
says "and says so" out "dais: nothing new"
says "of every repository" out "local/tool: nothing new"

commit "$work/up" new text
commit "$work/tool" a two
commit projects/local/tool mine kept
run make update
is "what came is taken" 0
grep -qE '^  dais: [0-9a-f]+ -> [0-9a-f]+, 1 commit$' "$work/out"
ok "of this repository" $?
[ -e new ] && [ "$(cat projects/local/tool/a) $(cat projects/local/tool/mine)" = "two kept" ]
ok "and below local commits" $?
git -C projects/local/tool merge-base --is-ancestor '@{upstream}' HEAD
ok "which are rebased" $?
[ -z "$(git -C projects/local/tool status --porcelain)" ] && [ "$(git -C projects/local/tool worktree list | wc -l)" -eq 1 ]
ok "and nothing is left about" $?

# From here on something is wrong with the project, and our own must not move.
commit "$work/up" new text2
commit "$work/tool" a three
mine=$(at .) theirs=$(at projects/local/tool)
unmoved() # unmoved NAME TEXT
{
	run make update
	is "$1 stops it" 2
	says "with the reason" err "$2"
	says "and its end" err "nothing was updated"
	[ "$(at .) $(at projects/local/tool)" = "$mine $theirs" ] &&
		[ "$(git -C projects/local/tool worktree list | wc -l)" -eq 1 ]
	ok "and nothing has moved" $?
}
echo dirty >> projects/local/tool/a
unmoved "a dirty tree" "local/tool: there are changes that are not committed"
git -C projects/local/tool checkout -q a
echo "# dirty" >> Makefile
unmoved "a dirty tree of our own" "dais: there are changes that are not committed"
git checkout -q Makefile
git -C projects/local/tool checkout -q --detach
unmoved "a commit without a branch" "local/tool: no branch is checked out"
git -C projects/local/tool checkout -q master
git -C projects/local/tool branch -q --unset-upstream
unmoved "a branch that follows none" "local/tool: its branch follows none"
git -C projects/local/tool branch -q --set-upstream-to=origin/master
mv "$work/tool" "$work/away"
unmoved "a lost origin" "local/tool: cannot be fetched"
mv "$work/away" "$work/tool"
commit projects/local/tool a other
theirs=$(at projects/local/tool)
unmoved "a conflict" "local/tool: your commits do not go on top of what came: a"
git -C projects/local/tool reset -q --hard HEAD~1
theirs=$(at projects/local/tool)
commit "$work/tool" way theirs
echo ours > projects/local/tool/way
unmoved "an unknown file in the way" "local/tool: a file that git does not know is in the way"
[ "$(cat projects/local/tool/way)" = ours ]
ok "and that file is as it was" $?
rm projects/local/tool/way
mkdir -p projects/local/tool/.git/rebase-merge
unmoved "a rebase under way" "local/tool: a merge or rebase is under way"
rmdir projects/local/tool/.git/rebase-merge

# The last moment: the second repository refuses after the first was moved.
touch projects/local/tool/.git/index.lock
unmoved "one that cannot be moved" "nothing was updated"
rm projects/local/tool/.git/index.lock

run make update
is "and when all is well it goes on" 0
[ "$(cat new) $(cat projects/local/tool/a)" = "text2 three" ]
ok "with all that came in the meantime" $?

# Killed between fetch and move: what it worked in is swept up by the next.
git -C projects/local/tool worktree add -q --detach "$work/left" HEAD && rm -rf "$work/left"
run make update
[ "$status" -eq 0 ] && [ "$(git -C projects/local/tool worktree list | wc -l)" -eq 1 ]
ok "what a killed update left is swept up" $?

exec 8> .update.lock
flock 8
run make update
is "two at once are refused" 2
says "by a clear word" err "another update is under way"
exec 8>&-

mkdir projects/local/plain
printf 'update:\n\ttouch asked\n' > projects/local/plain/Makefile
run make update
[ "$status" -eq 0 ] && [ -e projects/local/plain/asked ]
ok "a project without git is asked by its target" $?
done_testing
