# SPDX-License-Identifier: MIT
# extra.mk - how a component of projects/extra is built; docs/extra.md tells of it.
#
# A component's Makefile sets some of these and includes this file last:
#
#	VER		NAME-VERSION, which is the folder within the tarball
#	LICENCE		an SPDX expression, for the list of what the platform is made of
#	VARIANTS	64 (default), 32, strap: what is built
#	SYSTEM		autotools (default), meson or make: how it wants to be built
#	NEEDS		components that are built first; their trees are at /proto/extra.NAME,
#			what they have for the build root at /opt/extra/NAME
#	OPTIONS		for ./configure, meson setup, or make; OPTIONS.32 and so on as well
#	CONFIGURE COMPILE INSTALL	other commands than those of SYSTEM
#	DEBIAN		yes: Debian's patches go first, the tarball with them is in `source`
#	PATCHSTRIP	folders that the names in patches have too many (1)
#
# In there AUTOGEN makes ./configure where the tarball has none, V is the variant, W its work folder, and PREFIX LIBDIR DEST CC CFLAGS LDFLAGS
# are the variant's. Targets: unpack configure all install clean about. Outside of
# the build root each of them goes in there by itself; DESTDIR is then where `install`
# puts the tree.

.DEFAULT_GOAL := all
GOALS	 := unpack configure all install clean
.PHONY: $(GOALS) about world
NAME	 := $(notdir $(CURDIR))
VARIANTS ?= 64
LICENCE	 ?= NOASSERTION
ifneq ($(filter-out 64 32 strap,$(VARIANTS)),)
$(error $(NAME): VARIANTS are of 64, 32 and strap, not '$(VARIANTS)')
endif
ifeq ($(VER),)
$(error $(NAME): its Makefile sets no VER, the folder within the tarball)
endif

about:
	@printf '%s\n' 'version $(patsubst $(NAME)-%,%,$(VER))' 'licence $(LICENCE)' 'variants $(VARIANTS)'

# What local projects call it.
world: all

ifneq ($(INSIDE),yes)

TOP	 := $(abspath $(CURDIR)/../../..)
.NOTPARALLEL:
$(GOALS):
	@cd $(TOP) && tools/extra/build $(if $(DESTDIR),-d '$(abspath $(DESTDIR))') $(NAME) $@

else

SYSTEM	 ?= autotools
PATCHSTRIP ?= 1
COMMON	 := -O2 -pipe -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wformat -Werror=format-security

W	 = /obj/$(VER)-$(V)
CC	 = $(CC.$(V))
CC.64	 ?= gcc
CC.32	 ?= gcc -m32
CC.strap ?= gcc
CFLAGS	 = $(COMMON) -ffile-prefix-map=$(W)=/usr/src/$(VER) $(CFLAGS.$(V))
LDFLAGS	 = -Wl,-z,relro,-z,now,--build-id=none $(LDFLAGS.$(V))
PREFIX	 = $(if $(filter strap,$(V)),/opt/extra/$(NAME),/usr)
LIBDIR	 = $(LIBDIR.$(V))
LIBDIR.64 := /usr/lib/x86_64-linux-gnu
LIBDIR.32 := /usr/lib32
LIBDIR.strap = $(PREFIX)/lib
DEST	 = $(if $(filter strap,$(V)),/stage,/dest)
ENV	 = CC='$(CC)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)'
# For a tarball without ./configure: the names are those that Debian's links stand for.
AUTOGEN	 = { ACLOCAL=$(notdir $(wildcard /usr/bin/aclocal-*)) AUTOMAKE=$(notdir $(wildcard /usr/bin/automake-*)) \
	autoreconf -fi > autogen.log 2>&1 || { cat autogen.log; false; }; }
OPTS	 = $(OPTIONS) $(OPTIONS.$(V))

ifeq ($(SYSTEM),autotools)
CONFIGURE ?= $(ENV) ./configure --prefix=$(PREFIX) --libdir=$(LIBDIR) --sysconfdir=/etc --localstatedir=/var $(OPTS)
COMPILE	 ?= $(MAKE)
INSTALL	 ?= $(MAKE) DESTDIR=$(DEST) install
else ifeq ($(SYSTEM),meson)
CONFIGURE ?= $(ENV) meson setup --wrap-mode=nodownload --buildtype=plain --prefix=$(PREFIX) --libdir=$(LIBDIR) \
	--sysconfdir=/etc --localstatedir=/var $(OPTS) work
COMPILE	 ?= ninja -C work -j $(MAX_JOBS)
INSTALL	 ?= DESTDIR=$(DEST) meson install -C work --no-rebuild
else ifeq ($(SYSTEM),make)
CONFIGURE ?= :
COMPILE	 ?= $(MAKE) $(ENV) $(OPTS)
INSTALL	 ?= $(MAKE) $(ENV) $(OPTS) DESTDIR=$(DEST) PREFIX=$(PREFIX) prefix=$(PREFIX) install
else
$(error $(NAME): SYSTEM is autotools, meson or make, not '$(SYSTEM)')
endif

# A tree of other inputs is not built on: it is made anew, and then used for as long
# as they are the same. Half of one never looks whole, as .unpacked comes last.
define variant
.PHONY: unpack.$(1) configure.$(1) all.$(1) install.$(1)
unpack.$(1) configure.$(1) all.$(1) install.$(1): V := $(1)
unpack.$(1):
	@[ "$$$$(cat $$(W)/.unpacked 2>/dev/null)" = '$(KEY)' ] || { \
		/tools/unpack $(if $(DEBIAN),-d) -p $(PATCHSTRIP) -n $(VER) -o $$(W) /src/$(NAME) && \
		echo '$(KEY)' > $$(W)/.unpacked; }
configure.$(1): unpack.$(1)
	@[ -e $$(W)/.configured ] || { echo "== $(VER)-$(1): configure"; \
		cd $$(W) && { $$(CONFIGURE); } && touch .configured; }
all.$(1): configure.$(1)
	@echo "== $(VER)-$(1): compile"
	+@cd $$(W) && { $$(COMPILE); }
install.$(1): all.$(1)
	@echo "== $(VER)-$(1): install"
	+@cd $$(W) && { $$(INSTALL); }
endef
$(foreach v,$(VARIANTS),$(eval $(call variant,$(v))))

unpack configure all: %: $(foreach v,$(VARIANTS),%.$(v))

# One after the other: they may share folders of the tree.
install: $(foreach v,$(VARIANTS),install.$(v))
.NOTPARALLEL: install

clean:
	rm -rf $(foreach v,$(VARIANTS),/obj/$(VER)-$(v) /obj/$(VER)-$(v).new)

endif
