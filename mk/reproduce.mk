# mk/reproduce.mk - the same bytes each time? See docs/reproducible.md.
#
#	make reproduce		builds twice with everything varied, and compares every byte
#	make reproduce-quick	builds what there is once more, from the same packages, build
#				root and core: a minute
#
# REPRODUCE='GOAL...' is what is built: the platform and all media, if not said otherwise.

WORLD_GOALS += reproduce reproduce-quick
REPRODUCE ?= live $(if $(wildcard mk/media.mk),iso usb netboot uki)

# Neither jobs nor folders of this make are for those that are started.
reproduce_run = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BUILDER \
	$(foreach v,LOCKED FIRMWARE CONSOLE BOOT_OPTIONS MENU_SECONDS ROOM VERITY,$(v)='$($(v))') \
	$(if $(filter command,$(origin BUILDER)),BUILDER='$(BUILDER)') tools/reproduce/run

reproduce:
	@$(reproduce_run) $(REPRODUCE)

reproduce-quick: $(REPRODUCE)
	@$(reproduce_run) -qn $(REPRODUCE)
