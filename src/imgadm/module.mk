$(call command, imgadm, main.c common.c cmd_list.c cmd_get.c cmd_install.c cmd_delete.c, \
	img store sys base)
