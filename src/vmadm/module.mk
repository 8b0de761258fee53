$(call command, vmadm, \
	main.c \
	answer.c \
	cmd_check.c \
	cmd_console.c \
	cmd_create.c \
	cmd_info.c \
	cmd_list.c \
	cmd_power.c \
	cmd_snapshot.c \
	common.c \
	debug.c, \
	vm img net sys base)
