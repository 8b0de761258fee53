$(call unit, test_manifest_parse, pack base)
$(call unit, test_manifest_merge, pack base)
$(call unit, test_manifest_accounts, pack base)
$(call unit, test_manifest_archive, pack base)
