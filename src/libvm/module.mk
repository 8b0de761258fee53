$(call library, vm, \
	claim.c fault.c filesystem.c journal.c js_regex.c payload.c payload_addresses.c payload_check.c payload_disks.c \
	payload_limits.c payload_merge.c payload_merge_nics.c payload_nics.c payload_update.c problems.c prop.c prop_check.c prop_general.c \
	prop_hardware.c prop_nics.c prop_output.c record.c record_skim.c vm_check.c vm_claims.c vm_create.c vm_delete.c \
	vm_console.c vm_fields.c vm_filter.c vm_needs.c vm_object.c vm_power.c vm_recover.c vm_snapshot.c vm_reprovision.c vm_store.c \
	vm_update.c zone_files.c \
	zoneadmd.c, \
	base sys ipc store net img)
