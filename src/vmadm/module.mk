$(call command, vmadm, \
	main.c \
	answer.c \
	cmd_check.c \
	cmd_clear.c \
	cmd_console.c \
	cmd_create.c \
	cmd_events.c \
	cmd_info.c \
	cmd_list.c \
	cmd_power.c \
	cmd_schema.c \
	cmd_send.c \
	cmd_snapshot.c \
	cmd_update.c \
	cmd_validate.c \
	common.c \
	debug.c \
	payload_host.c, \
	vm query payload record img net sys base)
