$(call fuzz, fuzz_image_manifest, img base)
$(call fuzz, fuzz_tar_extract, img base)
$(call fuzz, fuzz_imgapi, img http base)
