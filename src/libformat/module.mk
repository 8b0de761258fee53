$(call library, format, input.c spool.c xattr.c \
	btrfs/btrfs.c btrfs/btrfs_encoded.c btrfs/btrfs_left.c \
	disk/disk.c disk/qcow2.c disk/raw.c \
	squashfs/squashfs.c squashfs/squashfs_file.c squashfs/squashfs_meta.c squashfs/squashfs_unpack.c \
	tar/layer.c tar/tar.c tar/tar_entry.c \
	zfs/zap.c zfs/zdecompress.c zfs/zfs.c zfs/zfs_attrs.c zfs/zfs_objects.c zfs/zfs_state.c \
	zfs/zfs_tree.c zfs/zfs_volume.c zfs/zstream.c zfs/zstream_record.c, store digest base)
$(call needs, format, libarchive liblz4 liblzma libzstd zlib)
