$(call static_command, init, main.c modules.c root.c verify.c, boot base)
$(call needs, init, libcrypto)
