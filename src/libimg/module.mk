$(call library, img, image.c manifest.c manifest_rules.c extract.c sandbox.c tar.c tar_entry.c \
	decompress.c digest.c install.c, store sys base)
$(call needs, img, libarchive libseccomp libcap libcrypto)
