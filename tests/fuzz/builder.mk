$(call fuzz, fuzz_manifest, pack base)
