$(call command, vmadm, main.c common.c cmd_check.c cmd_create.c cmd_list.c cmd_power.c cmd_snapshot.c, \
	vm img net sys base)
