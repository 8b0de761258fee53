# images/debian-disk/image.mk - a disk for virtual machines; see docs/disk-image.md.
#
#	make image-debian-disk	build it if its inputs have changed

DISK_IMAGE := $(BUILD)/images/debian-disk.json $(BUILD)/images/debian-disk.raw.zst

.PHONY: image-debian-disk disk-always
image-debian-disk: $(DISK_IMAGE)

$(BUILD)/images/debian-disk.json: disk-always strap
	$(call say,IMAGE,debian-disk)$(IMAGE_TOOLS) STRAP_ROOT=$(BUILD)/strap/root images/debian-disk/build \
		$(if $(LOCKED),-L) -o $(@D) -c $(CACHE)/images/debian-disk -z $(IMAGE_LEVEL)
$(BUILD)/images/debian-disk.raw.zst: $(BUILD)/images/debian-disk.json ;
