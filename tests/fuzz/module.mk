$(call fuzz, fuzz_ipc, ipc base)
$(call fuzz, fuzz_jv, base)
