$(call unit, test_store, store base)
$(call unit, test_image_manifest, img base)
$(call unit, test_http, http base)
$(call unit, test_source, img http sys base)
