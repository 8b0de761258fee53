$(call library, query, \
	js_regex.c \
	vm_diff.c \
	vm_event.c \
	vm_fields.c \
	vm_filter.c \
	vm_needs.c \
	vm_rows.c \
	vm_state.c \
	vminfo.c, \
	base sys ipc net record payload)
