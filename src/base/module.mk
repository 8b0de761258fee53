$(call library, base, err.c fileio.c)
