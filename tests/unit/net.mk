$(call unit, test_address, net base)
$(call unit, test_nictag, net sys base)
$(call unit, test_nictag_up, net base)
$(call needs, test_nictag_up, libmnl)
