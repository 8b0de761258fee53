# mk/world.mk - from packages and sources to a platform image.
#
#	strap ──▶ target, extra, local ──┐
#	core ──▶ select ─────────────────┼──▶ root ──▶ boot ──▶ platform
#	overlay ─────────────────────────┘
#
# Every step goes through tools/image/step, which knows by the hash of the inputs
# whether there is something to do. Removing $(BUILD)/stamp/NAME does that step
# again, and all that follow from it. EXPLAIN=1 tells why a step runs.
#
# Other mk/*.mk add to this by three lists:
#
#	WORLD_GOALS += NAME	a goal that needs what is set up here
#	PARTS += KIND.NAME	a component of the image: a goal of that name that leaves
#				$(STAMPS)/KIND.NAME and the tree $(PROTO)/KIND.NAME; its
#				manifest is where tools/projects/list looks
#	WORLD += NAME		a goal that `make world` reaches too
#	BOOT_NEEDS += NAME	a goal that the packing of the image needs
#	SELECT_NEEDS += NAME	a goal that brings what else would be taken from the core

SUITE	 ?= trixie
FLAVOUR	 ?= virtual
KERNEL	 ?= debian
PROFILE	 ?= dev
CACHE	 ?= cache
OUTPUT	 ?= output
export PASSWORD_HASH PRIMARY_COMPILER BUILD CACHE SUITE EXPLAIN V DAIS_MIRROR DAIS_SECURITY_MIRROR

BUILDER	 ?= $(B)/bin/builder
STAMPS	 := $(BUILD)/stamp
PROTO	 := $(BUILD)/proto
STEP	 := tools/image/step
CORE	 := projects/core
LISTS	 := $(CORE)/packages.common $(CORE)/packages.$(FLAVOUR) $(if $(FIRMWARE),$(CORE)/packages.firmware)
LOCK	 := $(CORE)/lock.$(FLAVOUR)$(if $(FIRMWARE),-firmware)
export COMPONENTS := main$(if $(FIRMWARE), non-free-firmware)
inputs	 = $(addprefix -f ,$(1))

# Passes that leave nothing but a verdict: configure -s and -l.
VERDICTS := $(addprefix shadow.,$(subst $(comma), ,$(SHADOW_COMPILERS))) $(if $(STATIC_ANALYSIS),lint)

# configure -d: our programs with sanitizers and assertions, and a name that says so.
TARGET_MODE := $(if $(filter dev,$(MODE)),debug,release)
export TARGET_MODE

# Projects of the site, if there are any.
LOCALS	:= $(patsubst projects/%/,%,$(wildcard projects/local/*/))
LOCALS	:= $(subst /,.,$(LOCALS))

WORLD_GOALS := world kernel-headers live sbom sign strap target local core select images image-tiny image-debian-disk image-test images-force lock \
	platform root boot-archive image-sbom boot platform-test
WORLD	:= strap select target $(VERDICTS)
PARTS	:=

# Where the kernel's modules are, before those of others.
KERNEL_TREE := $(PROTO)/core

# The fragments that others add, such as mk/extra.mk.
FRAGMENTS := $(filter-out $(addprefix mk/,build.mk flags.mk world.mk install.mk check.mk test.mk \
	conformance.mk),$(sort $(wildcard mk/*.mk)))
-include $(FRAGMENTS)

PARTS	+= $(LOCALS) $(if $(filter debug,$(TARGET_MODE)),debug.runtime)
export PARTS

.PHONY: $(WORLD_GOALS) $(WORLD) $(PARTS)

ifneq ($(filter $(WORLD_GOALS) $(WORLD) $(PARTS) shadow.% lint print-%,$(MAKECMDGOALS)),)

# The user's word, else configure's, else what this machine can bear.
JOBS	 := $(or $(MAX_JOBS),$(JOBS))
ifneq ($(if $(JOBS),$(if $(subst 0,,$(JOBS)),$(shell echo '$(JOBS)' | tr -d 0-9),zero)),)
$(error MAX_JOBS is '$(JOBS)', it must be a number above 0)
endif
JOBS	 := $(or $(JOBS),$(shell tools/optimize-jobs))
export JOBS

# Packages are unpacked by one process each, so steps go side by side.
# make -jN wins, which is not in MAKEFLAGS while this is read.
asked	:= $(shell echo "$$MAKEFLAGS"; tr '\0' ' ' < /proc/$$PPID/cmdline 2>/dev/null)
ifeq ($(findstring jobserver,$(asked))$(filter -j% --jobs%,$(asked)),)
MAKEFLAGS += -j$(JOBS)
endif

# Under which the steps note their times, for the total at the end.
RUN	:= $(shell echo $$PPID)
BEGAN	:= $(shell date +%s%N)
export RUN

# Times in the image are those of the commit, never of the build.
ifeq ($(SOURCE_DATE_EPOCH),)
SOURCE_DATE_EPOCH := $(or $(shell git log -1 --format=%ct 2>/dev/null),1754697600)
endif
export SOURCE_DATE_EPOCH
BUILDSTAMP := $(shell date -u -d @$(SOURCE_DATE_EPOCH) +%Y%m%dT%H%M%SZ)$(if $(filter source,$(KERNEL)),-kernel)$(if $(filter debug,$(TARGET_MODE)),-debug)
export BUILDSTAMP FLAVOUR PROFILE OUTPUT PROTO KERNEL KERNEL_TREE

world: $(WORLD) $(PARTS)
	@tools/image/total $(BEGAN)

# A build root that is no longer what was made is made again; CHECK=full reads all of
# it to find that out. FORCE_STRAP_REBUILD=yes builds with one of this build's own.
strap:
	@[ ! -e $(STAMPS)/strap ] || tools/strap/check $(if $(filter full,$(CHECK)),-f) $(BUILD)/strap || \
		rm -f $(STAMPS)/strap
	@$(STEP) $(call inputs,$(addprefix tools/strap/,make run check packages lock)) -k $(SUITE) \
		-k '$(FORCE_STRAP_REBUILD) $(LOCKED)' -o $(BUILD)/strap/root/usr strap -- tools/strap/make \
		$(if $(LOCKED),-L) $(if $(filter full,$(CHECK)),-F) \
		$(if $(FORCE_STRAP_REBUILD),-b $(BUILD)/strap.own) -l $(BUILD)/strap

target: strap
	@$(STEP) $(call inputs,$(STAMPS)/strap src mk man Makefile tools/builder tools/image/target tools/bldenv \
		projects/dais) -k "$(PRIMARY_COMPILER)" -k $(TARGET_MODE) \
		-o $(PROTO)/dais target -- tools/image/target

# Our sources once more by another compiler, of whose work only the warnings count.
$(sort $(filter shadow.%,$(VERDICTS) $(MAKECMDGOALS))): shadow.%:
	@command -v '$*' > /dev/null || { echo "there is no compiler '$*' on this machine" >&2; exit 1; }
	@$(STEP) $(call inputs,src tools/builder mk/build.mk mk/flags.mk Makefile) \
		-k "$$($* --version 2>/dev/null | head -n 1)" $@ -- \
		$(MAKE) --no-print-directory CC=$* CFLAGS=-Werror BUILD=$(BUILD)/shadow/$* MODE=release \
		CONFIG=/dev/null all libraries

lint:
	@$(STEP) $(call inputs,src tools mk/check.mk) lint -- $(MAKE) --no-print-directory CI=true check-cppcheck

# Drivers of the site are compiled against the platform's own kernel.
DRIVERS	:= $(patsubst projects/local/%/Kbuild,local.%,$(wildcard projects/local/*/Kbuild))
$(DRIVERS): kernel-headers
kernel-headers: core $(SELECT_NEEDS)
	@$(STEP) $(call inputs,$(STAMPS)/core $(addprefix $(STAMPS)/,$(SELECT_NEEDS)) tools/projects/kernel) -k '$(KERNEL)' -o $(BUILD)/kernel/version \
		kernel-headers -- tools/projects/kernel

# A project may build against what the extra ones installed.
local: $(LOCALS)
$(LOCALS): local.%: strap $(BUILDER) $(filter extra.%,$(PARTS))
	@$(STEP) $(call inputs,$(STAMPS)/strap $(addprefix $(STAMPS)/,$(filter extra.%,$(PARTS))) \
		projects/local/$* tools/projects $(if $(filter $@,$(DRIVERS)),$(STAMPS)/kernel-headers)) \
		-k '$(PRIMARY_COMPILER)' -o $(PROTO)/$@ $@ -- tools/projects/local $(BUILDER) $*

# What a debug build needs at run time, and what makes it talk.
debug.runtime: strap
	@$(STEP) $(call inputs,$(STAMPS)/strap tools/image/debug) -o $(PROTO)/$@ $@ -- tools/image/debug

core:
	@$(STEP) $(call inputs,$(LISTS) $(LOCK) $(addprefix tools/core/,apt.sh assemble fetch make resolve)) \
		-k "$(LISTS)" -k "$(LOCKED)" -k $(SUITE) -o $(BUILD)/core/root.tar \
		core -- tools/core/make $(if $(LOCKED),-L) -l $(LOCK) -o $(BUILD)/core $(LISTS)

# Who brings something in place of Debian's has that left out by rules of its own.
RULES	:= $(CORE)/rules $(wildcard $(foreach p,$(PARTS),projects/$(firstword $(subst ., ,$p))/$(patsubst \
	kernel.%,%,$(patsubst extra.%,%,$(patsubst local.%,%,$p)))/core-rules))
select: core strap $(SELECT_NEEDS)
	@$(STEP) $(call inputs,$(STAMPS)/core $(addprefix $(STAMPS)/,$(SELECT_NEEDS)) $(RULES) tools/core/select \
		tools/core/ship) -k '$(KERNEL)' \
		-o $(PROTO)/core -o $(BUILD)/manifest/core.manifest \
		select -- tools/core/ship $(RULES)

root: select target $(PARTS) $(BUILDER)
	@$(STEP) $(call inputs,$(STAMPS)/select $(STAMPS)/target $(BUILDER) overlay tools/image/root \
		tools/image/drivers tools/image/depmod $(CORE)/drivers tools/image/mancheck tools/checks \
		$(addprefix $(STAMPS)/,$(PARTS)) tools/projects projects/dais) -k $(BUILDSTAMP) -k '$(PASSWORD_HASH)' \
		-k "$$(tools/image/gitstatus)" -o $(BUILD)/image/root.tar \
		root -- tools/image/root $(BUILDER)

boot-archive: root $(BOOT_NEEDS)
	@$(STEP) $(call inputs,$(STAMPS)/root $(CORE)/early tools/image/boot tools/image/boot-archive \
		tools/image/modules $(addprefix $(STAMPS)/,$(BOOT_NEEDS))) -k $(PROFILE) -o $(BUILD)/image/boot_archive \
		boot -- tools/image/boot

# What the image is made of, while the boot archive is packed.
image-sbom: root images
	@$(STEP) $(call inputs,$(STAMPS)/root $(BUILD)/images/base.key tools/sbom) -k $(BUILDSTAMP) \
		-o $(BUILD)/image/sbom.spdx.json -o $(BUILD)/image/sbom.cdx.json \
		sbom -- tools/sbom/make $(BUILD)/image

platform: boot-archive image-sbom images $(VERDICTS)
	@$(STEP) $(call inputs,$(STAMPS)/boot $(STAMPS)/sbom $(BUILD)/images/base.key tools/image/platform) \
		-k $(BUILDSTAMP) -k $(PROFILE) -o $(OUTPUT)/platform-$(BUILDSTAMP) \
		-o $(OUTPUT)/platform-$(BUILDSTAMP).tgz platform -- tools/image/platform $(BUILDER)

live: platform
	@tools/image/total $(BEGAN) $(OUTPUT)/platform-$(BUILDSTAMP)
	@printf '  %s\n' $(OUTPUT)/platform-$(BUILDSTAMP)

# What the image is made of, which is a part of every platform.
sbom: platform
	@printf '  %s\n' $(addprefix $(OUTPUT)/platform-$(BUILDSTAMP)/sbom.,spdx.json cdx.json)

# Sums of it all, signed with the key SIGN_KEY.
sign: platform
	@SIGN_KEY='$(SIGN_KEY)' tools/image/sign $(OUTPUT)/platform-$(BUILDSTAMP)

# The locks as the mirror has the packages today; look at the difference, then
# commit it.
lock:
	tools/core/resolve -o tools/strap/lock tools/strap/packages
	for f in virtual metal; do \
		COMPONENTS=main tools/core/resolve -o $(CORE)/lock.$$f \
			$(CORE)/packages.common $(CORE)/packages.$$f && \
		COMPONENTS='main non-free-firmware' tools/core/resolve -o $(CORE)/lock.$$f-firmware \
			$(CORE)/packages.common $(CORE)/packages.$$f $(CORE)/packages.firmware || exit 1; \
	done

images:

endif

# Reached only where there is no such part.
local.%:
	@echo "there is no project '$*': 'projects/local/$*' is not a folder" >&2; exit 1
