$(call fuzz, fuzz_nictags, net base)
