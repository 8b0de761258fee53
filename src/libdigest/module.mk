$(call library, digest, digest.c signature.c, base)
$(call needs, digest, libcrypto)
