# What can be tried outside a platform is a library, for the tests.
$(call library, hostparts, disks.c pool_find.c seed.c shadow.c, base)
$(call command, platform, main.c password.c pool_mount.c zones.c, hostparts vm store sys boot base)
$(call needs, platform, libbtrfsutil -lcrypt)
