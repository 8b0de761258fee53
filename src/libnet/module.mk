$(call library, net, address.c mac.c rtnl.c link.c bridge.c nictag.c nictag_file.c nictag_up.c \
	filter.c filter_ports.c filter_rule.c guard.c inside.c nft.c nft_rule.c port.c, sys base)
$(call needs, net, libmnl)
