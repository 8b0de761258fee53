# What can be tried outside a platform is a library, for the tests.
$(call library, hostparts, disks.c pool_find.c seed.c shadow.c, base)
$(call command, platform, main.c password.c pool_mount.c uplinks.c zones.c, hostparts vm query payload record net store sys boot base)
$(call needs, platform, libbtrfsutil -lcrypt)
