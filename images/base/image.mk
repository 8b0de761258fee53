# images/base/image.mk - the base zone image; see docs/base-image.md.
#
#	make images		build it if its inputs have changed
#	make images-force	build it anyway, with what the mirror has now

IMAGE_LEVEL	?= $(if $(filter release,$(PROFILE)),19,9)
IMAGE_CACHE	?= $(CACHE)/images/base
BASE_IMAGE	:= $(BUILD)/images/base.json $(BUILD)/images/base.tar.zst

# The build root's, so that the bytes do not depend on this machine's.
IMAGE_TOOLS	:= ZSTD="tools/strap/run $(BUILD)/strap/root zstd" \
		   BSDTAR="tools/strap/run $(BUILD)/strap/root env LC_ALL=C.UTF-8 bsdtar"

# The tools by which a zone asks the host, made by the build root's compiler.
MDATA		:= projects/mdata-client
MDATA_TREE	:= $(BUILD)/mdata-client

.PHONY: images images-force images-always images-programs
images: $(BASE_IMAGE)

images-programs: strap
	@rm -rf $(MDATA_TREE)/tree; mkdir -p $(MDATA_TREE)/build $(MDATA_TREE)/tree
	$(call say,MAKE,mdata-client)tools/strap/run -r $(CURDIR)/$(MDATA)=/src -w $(abspath $(MDATA_TREE))=/out \
		$(BUILD)/strap/root make -s -C /src CC=gcc BUILD=/out/build DESTDIR=/out/tree mandir= install

# The script itself sees, within milliseconds, whether there is anything to do, and
# leaves the files alone if not: what depends on them is not built again.
$(BUILD)/images/base.json: images-always images-programs strap
	$(call say,IMAGE,base)$(IMAGE_TOOLS) images/base/build $(if $(LOCKED),-L) -o $(@D) \
		-c $(IMAGE_CACHE) -p $(MDATA_TREE)/tree -z $(IMAGE_LEVEL)
$(BUILD)/images/base.tar.zst: $(BUILD)/images/base.json ;

images-force: images-programs strap
	$(IMAGE_TOOLS) images/base/build -f $(if $(LOCKED),-L) -o $(BUILD)/images -c $(IMAGE_CACHE) \
		-p $(MDATA_TREE)/tree -z $(IMAGE_LEVEL)
