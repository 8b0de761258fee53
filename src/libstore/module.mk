$(call library, store, store.c loop.c btrfs/driver.c btrfs/image.c btrfs/clones.c btrfs/vm.c btrfs/snapshot.c \
	btrfs/pool.c btrfs/ioctl.c btrfs/quota.c, base)
