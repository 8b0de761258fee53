# images/tiny/image.mk - the tiny zone image: busybox; see docs/tiny-image.md.
#
#	make image-tiny		build it if its inputs have changed; `make images` does, too

TINY_IMAGE := $(BUILD)/images/tiny.json $(BUILD)/images/tiny.tar.zst

.PHONY: image-tiny tiny-always
images: image-tiny
image-tiny: $(TINY_IMAGE)

# The script itself sees, within milliseconds, whether there is anything to do.
$(BUILD)/images/tiny.json: tiny-always strap
	$(call say,IMAGE,tiny)$(IMAGE_TOOLS) images/tiny/build -o $(@D) -r $(BUILD)/strap/root -z $(IMAGE_LEVEL)
$(BUILD)/images/tiny.tar.zst: $(BUILD)/images/tiny.json ;
