$(call library, ipc, ipc.c, base)
