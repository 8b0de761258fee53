$(call fuzz, fuzz_image_manifest, img base)
$(call fuzz, fuzz_tar_extract, img base)
$(call fuzz, fuzz_imgapi, img http base)
$(call fuzz, fuzz_stream, store base)
