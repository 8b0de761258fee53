$(call library, img, image.c manifest.c manifest_rules.c manifest_requirements.c manifest_values.c \
	extract.c sandbox.c tar.c tar_entry.c layer.c \
	decompress.c digest.c format.c pool.c stage.c install.c describe.c helper.c source.c source_ask.c download.c fetch.c \
	import.c import_plan.c import_run.c uses.c refresh.c leftovers.c \
	source_types.c source_auth.c imgapi.c docker.c registry.c registry_auth.c layout.c oci.c oci_disk.c oci_ref.c signature.c \
	simplestreams.c source_simplestreams.c spool.c raw.c btrfs.c btrfs_left.c btrfs_encoded.c \
	squashfs.c squashfs_file.c squashfs_meta.c squashfs_unpack.c qcow2.c \
	beneath.c disk.c zstream.c zstream_record.c zdecompress.c zap.c zfs.c zfs_volume.c zfs_objects.c zfs_attrs.c \
	zfs_tree.c zfs_state.c worker.c compress.c pack.c pack_tree.c pack_diff.c publish.c publish_imgapi.c push.c push_measure.c \
	oci_write.c, store http sys base)
$(call needs, img, libarchive libseccomp libcap libcrypto liblz4 liblzma libzstd zlib)
