# tests/images/test.mk - images that are not built for every test run.
#
#	make image-test		build the disk image, boot it by BIOS and by UEFI, build it again

.PHONY: image-test
image-test: image-debian-disk
	@BUILD=$(BUILD) CACHE=$(CACHE) LEVEL=$(IMAGE_LEVEL) tests/run images tests/images/debian_disk.t
