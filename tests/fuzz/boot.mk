$(call fuzz, fuzz_boot, early boot base)
$(call fuzz, fuzz_pool, hostparts base)
