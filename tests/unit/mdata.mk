$(call unit, test_mdata, mdata base)
$(call unit, test_mdata_change, mdata base)
