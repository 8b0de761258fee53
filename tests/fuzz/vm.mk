$(call fuzz, fuzz_filter, vm base)
$(call fuzz, fuzz_payload, vm base)
$(call fuzz, fuzz_record, vm base)
$(call fuzz, fuzz_update, vm base)
