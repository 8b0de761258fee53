# images/tiny/image.mk - the tiny zone image: busybox; see docs/tiny-image.md.
#
#	make image-tiny		build it if its inputs have changed; `make images` does, too

.PHONY: image-tiny
images: image-tiny
image-tiny: strap
	@$(STEP) $(call inputs,$(STAMPS)/strap images/tiny) $(patsubst %,-o $(BUILD)/images/tiny.%,json tar.zst key) \
		image-tiny -- env $(IMAGE_TOOLS) images/tiny/build -o $(BUILD)/images -r $(BUILD)/strap/root \
		-z $(IMAGE_LEVEL)
