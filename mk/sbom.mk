# mk/sbom.mk - what the platform says it is made of, held against what it is made of.
#
#	make sbom-check		the rules of both formats, CycloneDX's published schema, and every
#				file of the image with its hashes; see docs/sbom.md

WORLD_GOALS += sbom-check

sbom-check: platform
	@tools/sbom/check $(OUTPUT)/platform-$(BUILDSTAMP) $(BUILD)/image/root.tar
