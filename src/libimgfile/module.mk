$(call library, imgfile, compress.c compression.c decompress.c describe.c extract.c format.c gunzip.c \
	pack.c pack_diff.c pack_tree.c, format sandbox digest base)
$(call needs, imgfile, libarchive libisal)
