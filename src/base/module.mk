$(call library, base, alloc.c buf.c cli.c cli_complete.c cli_help.c cli_parse.c err.c fileio.c jv.c \
	lock.c log.c path.c proc.c remove.c uuid.c)
$(call needs, base, jansson)
