$(call unit, test_events, vm base)
$(call unit, test_vm_state, vm base)
$(call unit, test_vm_index, vm sys base)
