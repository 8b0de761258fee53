$(call command, nictagadm, main.c cmd_change.c cmd_show.c props.c tags.c, vm net sys base)
