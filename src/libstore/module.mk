$(call library, store, store.c loop.c btrfs/driver.c btrfs/image.c btrfs/clones.c btrfs/vm.c btrfs/snapshot.c btrfs/send.c btrfs/stream.c btrfs/apply.c \
	btrfs/pool.c btrfs/ioctl.c btrfs/quota.c, base)
