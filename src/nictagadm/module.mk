$(call command, nictagadm, main.c cmd_change.c cmd_show.c props.c tags.c, vm query payload record net sys base)
