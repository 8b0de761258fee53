$(call library, base, alloc.c buf.c err.c fileio.c jv.c lock.c log.c path.c proc.c remove.c uuid.c)
$(call needs, base, jansson)
