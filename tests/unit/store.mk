$(call unit, test_store, store base)
$(call unit, test_image_manifest, img base)
