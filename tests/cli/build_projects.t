#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Local projects and what the parts of the platform install: the contract, and who is
# told of when it is broken.
. "$(dirname "$0")/build_tree.bash"
make_tree "$work/tree"

build live
is "a tree without local projects is built" 0
ran "boot core platform sbom select strap target"
ok "each step once" $?

mkdir -p projects/local/motd/etc
echo "rack 4" > projects/local/motd/etc/motd
echo "about" > projects/local/motd/README
echo "f etc/motd 0644 root root" > projects/local/motd/manifest
build live
is "a folder with a manifest is a project" 0
ran "boot platform sbom"
ok "and only what follows from it is made again" $?
[ "$(tar -xOf build/image/root.tar etc/motd)" = "rack 4" ]
ok "its file is in the image" $?
[ -e build/log/local.motd.log ]
ok "it has a log of its own" $?

echo stray > projects/local/motd/etc/stray
build live
is "a file that no manifest names is refused" 2
says "by component, file and manifest" err \
	"local.motd: 'etc/stray' is installed and not in 'projects/local/motd/manifest'"
echo "etc/str*	# for later" > projects/local/motd/unshipped
build live
is "or named as what stays out" 0
rm projects/local/motd/etc/stray
build live
is "until it is gone" 2
says "then that line is at fault" err "local.motd: projects/local/motd/unshipped:1: 'etc/str*' names nothing"
rm projects/local/motd/unshipped
echo "f etc/none 0644 root root" >> projects/local/motd/manifest
build live
is "a line without a file is refused" 2
says "by component, file and line" err "local.motd: projects/local/motd/manifest:2: 'etc/none' was not installed"
rm -r projects/local/motd
build live
is "a project that is gone is gone" 0
! tar -tf build/image/root.tar | grep -q motd && [ ! -e build/proto/local.motd ]
ok "from the image as well" $?

mkdir projects/local/tool
cat > projects/local/tool/Makefile <<-'END'
	.RECIPEPREFIX := >
	world:
	> echo jobs $(MAX_JOBS) > tool
	install:
	> mkdir -p $(DESTDIR)/usr/lib && cp tool $(DESTDIR)/usr/lib/tool
END
printf 'd usr/lib 0755 root root\nf usr/lib/tool 0755 root root\n' > projects/local/tool/manifest
build live JOBS=3
is "a project with a Makefile is built" 0
[ "$(cat build/proto/local.tool/usr/lib/tool)" = "jobs 3" ] && [ ! -e projects/local/tool/tool ]
ok "in a copy, with MAX_JOBS and DESTDIR" $?
git -C projects/local/tool init -q
git -C projects/local/tool -c user.email=t@dais.test -c user.name=t commit -qm one --allow-empty
build live
ran "boot platform sbom"
ok "its commit is one of those that the image tells of" $?
grep -q '"repo":"tool","rev":"[0-9a-f]*"' build/proto/stamp/etc/version/build
ok "by its name" $?
echo x > projects/local/tool/.git/index.new
build live
is "what git does in it is no change" 0
ran ""
ok "and builds nothing" $?

# The targets of Makefile.joyent alone: neither Makefile nor manifest has to be there.
rm projects/local/tool/manifest
cat > projects/local/tool/Makefile.joyent <<-'END'
	.RECIPEPREFIX := >
	.PHONY: manifest
	world:
	> echo joyent > tool
	install:
	> mkdir -p $(DESTDIR)/usr/lib && cp tool $(DESTDIR)/usr/lib/tool
	manifest:
	> printf 'd usr/lib 0755 root root\nf usr/lib/tool 0755 root root\n' > $(DESTDIR)/$(DESTNAME)
END
build live
is "Makefile.joyent goes first and may make the manifest" 0
[ "$(cat build/proto/local.tool/usr/lib/tool)" = joyent ] && [ -s build/manifest/local.tool.manifest ]
ok "really" $?
sed -i 's/lib.tool 0755 root root.n/lib\/other 0755 root root\\n/' projects/local/tool/Makefile.joyent
build live
is "what such a manifest has wrong is refused" 2
says "at its place" err "local.tool: build/manifest/local.tool.manifest:2: 'usr/lib/other' was not installed"

broken() # broken NAME TEXT: with the Makefile on standard input
{
	rm -f projects/local/tool/Makefile*
	cat > projects/local/tool/Makefile
	build local
	is "$1" 2
	says "and is told so" err "local project 'tool': projects/local/tool$2"
}
broken "a project without 'world' breaks the contract" "/Makefile: has no rule for 'world'" <<-'END'
	.RECIPEPREFIX := >
	install:
END
broken "and one without 'install'" "/Makefile: has no rule for 'install'" <<-'END'
	.RECIPEPREFIX := >
	world:
END
broken "and one whose 'install' fails" "/Makefile: 'install' failed" <<-'END'
	.RECIPEPREFIX := >
	world:
	install:
	> false
END
broken "and one without a manifest" ": has no file 'manifest', and 'Makefile' makes none by 'manifest'" <<-'END'
	.RECIPEPREFIX := >
	world:
	install:
END
: > projects/local/tool/manifest
broken "and one whose manifest is empty" ": its 'manifest' is empty" <<-'END'
	.RECIPEPREFIX := >
	world:
	install:
END
rm projects/local/tool/*
build local
is "and an empty folder" 2
says "likewise" err "projects/local/tool: it has neither 'Makefile' nor 'manifest'"
done_testing
