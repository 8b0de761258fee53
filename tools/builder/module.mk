$(call library, pack, report.c manifest.c parse.c merge.c accounts.c search.c output.c tar.c archive.c \
	inventory.c text.c, base)
$(call needs, pack, libcrypto)
$(call command, builder, main.c, pack base)
