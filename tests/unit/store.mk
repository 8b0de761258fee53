$(call unit, test_store, store base)
