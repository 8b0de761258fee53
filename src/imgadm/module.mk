$(call command, imgadm, main.c common.c listing.c listing_docker.c session.c sources.c cmd_ancestry.c cmd_avail.c cmd_check.c cmd_create.c create_manifest.c create_output.c create_vm.c \
	cmd_delete.c cmd_get.c cmd_import.c import_layout.c cmd_install.c cmd_list.c cmd_publish.c cmd_show.c cmd_sources.c \
	cmd_sources_edit.c cmd_update.c cmd_vacuum.c vacuum.c target.c, vm query payload record img publish source oci imgfile manifest net store http sys base)
