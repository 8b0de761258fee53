$(call command, platform, main.c disks.c pool_find.c pool_mount.c seed.c password.c \
	shadow.c zones.c, store sys boot base)
$(call needs, platform, libbtrfsutil -lcrypt)
