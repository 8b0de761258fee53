# mk/kernel.mk - the kernel from Debian's source, in place of the one that Debian compiled
# (configure --kernel=source). docs/kernel.md.
#
#	make kernel.linux	the kernel and its modules alone

ifeq ($(filter debian source,$(KERNEL)),)
$(error KERNEL is '$(KERNEL)', it must be debian or source)
endif

WORLD_GOALS += kernel.linux
ifeq ($(KERNEL),source)
PARTS	+= kernel.linux
SELECT_NEEDS += kernel.linux
KERNEL_TREE := $(PROTO)/kernel.linux
endif

kernel.linux: strap
	@$(STEP) $(call inputs,$(STAMPS)/strap projects/kernel tools/kernel $(addprefix tools/extra/,fetch source.sh \
		patches.sh)) -k $(FLAVOUR) -k $(TARGET_MODE) -o $(PROTO)/$@ -o $(BUILD)/kernel.linux/vmlinuz \
		$@ -- tools/kernel/make
