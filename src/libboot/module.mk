$(call library, boot, cmdline.c, base)
