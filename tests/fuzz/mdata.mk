$(call fuzz, fuzz_mdata, mdata base)
$(call fuzz, fuzz_mdata_frame, mdata base)
