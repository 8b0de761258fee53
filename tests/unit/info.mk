$(call unit, test_events, vm query payload record base)
$(call unit, test_vm_state, vm query payload record base)
$(call unit, test_vm_index, vm query payload record sys base)
