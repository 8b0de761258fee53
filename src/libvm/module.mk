$(call library, vm, \
	console_tail.c \
	frames.c \
	receive.c \
	transfer.c \
	transfer_child.c \
	vm_archive.c \
	vm_capture.c \
	vm_check.c \
	vm_claims.c \
	vm_clear.c \
	vm_console.c \
	vm_create.c \
	vm_delete.c \
	vm_index.c \
	vm_object.c \
	vm_power.c \
	vm_prepare.c \
	vm_receive.c \
	vm_recover.c \
	vm_reprovision.c \
	vm_send.c \
	vm_snapshot.c \
	vm_store.c \
	vm_update.c \
	zone_files.c \
	zoneadmd.c, \
	base sys ipc store net img record payload query)
