# SPDX-License-Identifier: MIT
#
# A kernel of a few modules for the small tree of build_tree.bash: a Makefile with the goals
# of the real one that the build asks for, and the two packages that it is fetched as.
# shellcheck source=build_tree.bash

deb() # deb NAME VERSION TREE: a package, into sources/, and its lines in `source`
{
	mkdir -p "$3/DEBIAN"
	printf '%s\n' "Package: $1" "Version: $2" "Architecture: all" "Maintainer: none" "Description: none" > "$3/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$3" "sources/$1_$2_all.deb" > /dev/null
	printf '%s\n' "deb $1 $2" "$(sha256sum < "sources/$1_$2_all.deb" | cut -d' ' -f1) $1_$2_all.deb"
}

# Kconfig has a symbol a line, and what it depends on; `compiled` gets what was compiled.
# Make's own recipes begin with >, as an indented text here loses its tabs.
kernel_makefile()
{
	cat <<'END'
.RECIPEPREFIX := >
SRC := $(CURDIR)
olddefconfig:
> cd $(O) && awk 'FILENAME == ARGV[1] { needs[$$1] = $$2; known[$$1] = 1; next } \
>	{ split($$0, h, "="); n = substr(h[1], 8) } /^CONFIG_/ { value[n] = h[2]; order[++c] = n } \
>	END { for (i = 1; i <= c; i++) { n = order[i]; if (known[n] && (needs[n] == "" || needs[n] in value)) \
>	print "CONFIG_" n "=" value[n]; else if (known[n]) print "# CONFIG_" n " is not set" } }' \
>	$(SRC)/Kconfig .config > .config.done && mv .config.done .config
> echo olddefconfig >> $(O)/compiled
names = $(shell sed -n 's/^CONFIG_\(.*\)=m$$/\1/p' $(O)/.config | tr A-Z a-z)
release = @RELEASE@$(shell sed -n 's/^CONFIG_LOCALVERSION="\(.*\)"/\1/p' $(O)/.config)
to = $(INSTALL_MOD_PATH)/lib/modules/$(release)
bzImage:
> mkdir -p $(O)/arch/x86/boot $(O)/include/config
> echo "kernel $(release) $(KBUILD_BUILD_VERSION_TIMESTAMP) by $(KBUILD_BUILD_USER)" > $(O)/arch/x86/boot/bzImage
> echo $(release) > $(O)/include/config/kernel.release
> cp $(SRC)/outside.mk $(O)/Makefile
modules: bzImage $(names:%=$(O)/%.ko)
$(O)/%.ko: $(SRC)/%.s
> gcc -c -x assembler -o $@ $<
> echo $* >> $(O)/compiled
modules_install:
> mkdir -p $(to)/kernel
> ln -s $(O) $(to)/build
> for n in $(names); do cp $(O)/$$n.ko $(to)/kernel/ && echo kernel/$$n.ko; done > $(to)/modules.order
> touch $(to)/modules.builtin $(to)/modules.builtin.modinfo
END
}

make_kernel() # make_kernel VERSION NAME: projects/kernel/linux of VERSION, called VERSION-NAME
{
	local version=$1 dir=projects/kernel/linux src=$work/src/linux-source-$1 name
	cp -r "$top"/tools/kernel tools/
	[ -d tools/extra ] || cp -r "$top"/tools/extra tools/
	cp "$top/tools/core/apt.sh" tools/core/
	cp "$top"/mk/kernel.mk mk/
	mkdir -p sources build/strap "$src"
	echo 1 > build/strap/complete
	export SOURCES=$PWD/sources
	printf '%s\n' LOCALVERSION MODULES ALPHA BETA 'GAMMA BETA' ATA_GENERIC WIREGUARD DEBUG_LIST > "$src/Kconfig"
	for name in alpha beta gamma ata_generic wireguard; do
		printf '.section .modinfo,"a"\n.asciz "license=GPL"\n.asciz "alias=pci:v00001111d0000%s*"\n' \
			"$(printf '%s' "$name" | cksum | cut -c1-4)" > "$src/$name.s"
	done
	kernel_makefile | sed "s/@RELEASE@/$version/" > "$src/Makefile"
	# What a module from outside is made by; its source is a text of a modinfo.
	printf '%s\n' '.RECIPEPREFIX := >' modules: \
		"> cd \$(M) && sed 's/.*\"\(.*\)\"/.section .modinfo,\"a\"\\n.asciz \"\1\"/' mine.c | gcc -c -x assembler -o mine.ko -" \
		> "$src/outside.mk"
	mkdir -p "$work/deb/usr/src" "$work/cfg/usr/src/linux-config-$version" "$dir"/config.d/{virtual,debug}
	tar -C "$work/src" --mtime=@1 -cJf "$work/deb/usr/src/linux-source-$version.tar.xz" "linux-source-$version"
	printf '%s\n' CONFIG_MODULES=y CONFIG_ALPHA=m CONFIG_BETA=m '# CONFIG_GAMMA is not set' CONFIG_ATA_GENERIC=m \
		'CONFIG_LOCALVERSION=""' | xz > "$work/cfg/usr/src/linux-config-$version/config.small.xz"
	{
		deb "linux-source-$version" "$version-1" "$work/deb"
		deb "linux-config-$version" "$version-1" "$work/cfg"
	} > "$dir/source"
	printf '%s\n' '# what it starts from' 'config config.small.xz' 'modules named' > "$dir/base.virtual"
	printf '%s\n' 'config config.small.xz' 'modules all' > "$dir/base.metal"
	cp "$top/$dir/core-rules" "$dir/"
	printf '%s\n' '# ours' "CONFIG_LOCALVERSION=\"-$2\"" > "$dir/config.d/00-site.config"
	echo CONFIG_ALPHA=m > "$dir/config.d/virtual/10-modules.config"
	printf '%s\n' CONFIG_DEBUG_LIST=y "CONFIG_LOCALVERSION=\"-$2-debug\"" > "$dir/config.d/debug/10-debug.config"
}
