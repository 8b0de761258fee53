# mk/media.mk - what a platform is put on to boot a machine; see docs/media.md.
#
#	make iso usb netboot uki	one or more of them, after the platform itself
#
# What these may be told, on the command line or in config.mk:
#
#	CONSOLE=ttya		text, ttya, ttyb, ttyc or ttyd
#	BOOT_OPTIONS='...'	more boot options
#	MENU_SECONDS=10		until the first entry of the menu boots
#	OLDER='DIR DIR...'	more platforms for the menus
#	ROOM=MIB		room on the USB image (default: for one more platform)
#	VERITY=yes		verify the root image of the UKI block by block
#	BOOT_KEY=FILE BOOT_CERT=FILE	sign: the UKI for Secure Boot, the netboot tree for iPXE

WORLD_GOALS += iso usb netboot uki

CONSOLE	 ?= ttya
BOOT_OPTIONS ?=
MENU_SECONDS ?= 10
OLDER	 ?=
ROOM	 ?=
BOOT_KEY ?=
BOOT_CERT ?=
VERITY	 ?=

# A medium is made again when the platform is another, or is to boot another way.
medium_boot = -c '$(CONSOLE)' -o '$(BOOT_OPTIONS)'
medium_menu = -t '$(MENU_SECONDS)' $(addprefix -p ,$(OLDER))
medium_sign = $(if $(BOOT_KEY)$(BOOT_CERT),-K '$(BOOT_KEY)' -C '$(BOOT_CERT)')
medium_keys = $(foreach v,CONSOLE BOOT_OPTIONS MENU_SECONDS OLDER ROOM BOOT_KEY BOOT_CERT VERITY,-k '$($(v))')

# $(1) what, $(2) its options, $(3) what it leaves, below OUTPUT, $(4) more that it is made of
define medium
@$(STEP) $(call inputs,$(STAMPS)/platform tools/media tools/boot/words $(OLDER) $(BOOT_KEY) $(BOOT_CERT) $(4)) $(medium_keys) \
	-o $(OUTPUT)/$(3) $(1) -- tools/media/$(1) $(2) $(OUTPUT)/platform-$(BUILDSTAMP)
@printf '  %s\n' $(OUTPUT)/$(3)
endef

iso: platform
	$(call medium,iso,$(medium_boot) $(medium_menu),platform-$(BUILDSTAMP).iso)

usb: platform
	$(call medium,usb,$(medium_boot) $(medium_menu) $(if $(ROOM),-r '$(ROOM)'),platform-$(BUILDSTAMP).usb)

# Loaders for machines that know PXE alone, unless EXTRA leaves them out.
loaders	:= $(filter extra.ipxe,$(EXTRA_GOALS))
netboot: platform $(loaders)
	$(call medium,netboot,$(medium_boot) $(medium_menu) $(medium_sign) $(if $(loaders),-l \
		$(BUILD)/strap.extra/ipxe),netboot-$(BUILDSTAMP),$(addprefix $(STAMPS)/,$(loaders)))

uki: platform
	$(call medium,uki,$(medium_boot) $(medium_sign) $(if $(VERITY),-V),platform-$(BUILDSTAMP).efi)
