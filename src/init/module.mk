# What can be tried without being pid 1 is a library, for the tests.
$(call library, early, identity.c loop.c modules.c root.c verify.c verity.c, base)
$(call needs, early, libcrypto)
$(call static_command, init, main.c, early boot base)
