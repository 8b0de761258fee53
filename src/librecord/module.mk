$(call library, record, \
	claim.c \
	fault.c \
	journal.c \
	record.c \
	record_shadow.c, \
	base sys net)
