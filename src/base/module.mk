$(call library, base, alloc.c buf.c cli.c cli_complete.c cli_help.c cli_parse.c clock.c crc32c.c err.c fileio.c \
	jv.c jv_skim.c lock.c log.c notify.c path.c proc.c progress.c remove.c table.c uuid.c)
$(call needs, base, jansson)

# Apart, so that only daemons need libsystemd: it cannot be linked statically.
$(call library, event, event.c, base)
$(call needs, event, libsystemd)
