# images/base/image.mk - the base zone image; see docs/base-image.md.
#
#	make images		build it if its inputs have changed
#	make images-force	build it anyway, with what the mirror has now

IMAGE_LEVEL	?= $(if $(filter release,$(PROFILE)),19,3)
IMAGE_CACHE	?= $(CACHE)/images/base

# The build root's, so that the bytes do not depend on this machine's.
IMAGE_TOOLS	:= ZSTD="tools/strap/run $(BUILD)/strap/root zstd" \
		   BSDTAR="tools/strap/run $(BUILD)/strap/root env LC_ALL=C.UTF-8 bsdtar"

# The tools by which a zone asks the host, made by the build root's compiler.
MDATA		:= projects/mdata-client
MDATA_TREE	:= $(BUILD)/mdata-client
MDATA_MAKE	:= sh -c 'rm -rf $(MDATA_TREE)/tree; mkdir -p $(MDATA_TREE)/build $(MDATA_TREE)/tree && \
		   exec tools/strap/run -r $(CURDIR)/$(MDATA)=/src -w $(abspath $(MDATA_TREE))=/out \
		   $(BUILD)/strap/root make -s -C /src CC=gcc BUILD=/out/build DESTDIR=/out/tree mandir= install'

.PHONY: images images-force image-base images-programs
images: image-base

images-programs: strap
	@$(STEP) $(call inputs,$(STAMPS)/strap $(MDATA)) -o $(MDATA_TREE)/tree mdata-client -- $(MDATA_MAKE)

# The script has a key of its own, of what goes in: where that is the same it leaves the
# files alone, and what depends on them is not built again.
BASE_BUILD	:= images/base/build $(if $(LOCKED),-L) -o $(BUILD)/images -c $(IMAGE_CACHE) \
		   -p $(MDATA_TREE)/tree -z $(IMAGE_LEVEL)
image-base: images-programs strap
	@$(STEP) $(call inputs,$(addprefix $(STAMPS)/,strap mdata-client) images/base images/debian.sh) \
		$(patsubst %,-o $(BUILD)/images/base.%,json tar.zst key) image-base -- \
		env $(IMAGE_TOOLS) $(BASE_BUILD)

images-force: images-programs strap
	$(IMAGE_TOOLS) $(BASE_BUILD) -f
