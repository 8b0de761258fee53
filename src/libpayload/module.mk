$(call library, payload, \
	filesystem.c \
	payload.c \
	payload_addresses.c \
	payload_check.c \
	payload_disks.c \
	payload_limits.c \
	payload_merge.c \
	payload_merge_nics.c \
	payload_nics.c \
	payload_update.c \
	problems.c \
	prop.c \
	prop_check.c \
	prop_general.c \
	prop_hardware.c \
	prop_manual.c \
	prop_nics.c \
	prop_output.c \
	prop_schema.c, \
	base sys net record)
