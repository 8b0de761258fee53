$(call library, base, alloc.c buf.c err.c fileio.c lock.c log.c path.c remove.c uuid.c)
