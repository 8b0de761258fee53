# mk/extra.mk - the components of projects/extra: other people's software, built from a
# source that is kept outside of the repository, with patches of ours. docs/extra.md.
#
#	make extra		all of them
#	make extra.NAME		one, and what it needs
#
# One whose manifest names something is a part of the image; of the others nothing
# ships, they are there to build with. EXTRA names those that are built.

EXTRA	?= $(patsubst projects/extra/%/Makefile,%,$(wildcard projects/extra/*/Makefile))
EXTRA_GOALS := $(addprefix extra.,$(EXTRA))
EXTRA_SHIPS := $(if $(EXTRA),$(shell grep -lE '^[fdsh] ' $(wildcard $(EXTRA:%=projects/extra/%/manifest)) /dev/null))
PARTS	+= $(patsubst projects/extra/%/manifest,extra.%,$(EXTRA_SHIPS))
WORLD	+= extra $(EXTRA_GOALS)
BOOT_NEEDS += $(filter extra.erofs-utils,$(EXTRA_GOALS))
WORLD_GOALS += extra

extra: $(EXTRA_GOALS)

# What a component needs is written in its Makefile, and nowhere else.
extra_needs = $(filter-out \#%,$(shell sed -n 's/\#.*//; s/^NEEDS[ \t]*[:?+]*=//p' projects/extra/$(1)/Makefile))
define extra_rule
extra.$(1): strap $(addprefix extra.,$(call extra_needs,$(1)))
	@$$(STEP) $$(call inputs,$$(STAMPS)/strap projects/extra/$(1) projects/extra/extra.mk tools/extra \
		$(addprefix $$(STAMPS)/extra.,$(call extra_needs,$(1)))) -k '$$(FORCE_STRAP_REBUILD)' \
		-o $$(PROTO)/extra.$(1) extra.$(1) -- tools/extra/make $$(if $$(FORCE_STRAP_REBUILD),-n) $(1)
endef
$(foreach one,$(EXTRA),$(eval $(call extra_rule,$(one))))

extra.%:
	@echo "extra: there is no 'projects/extra/$*/Makefile'; it is named in: $$(grep -lE \
		'^NEEDS[^#]*[= ]$*( |$$)' projects/extra/*/Makefile | paste -sd' ')" >&2; false
