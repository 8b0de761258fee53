$(call library, net, address.c mac.c rtnl.c link.c bridge.c nictag.c nictag_file.c nictag_up.c, sys base)
$(call needs, net, libmnl)
