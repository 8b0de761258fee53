/* SPDX-License-Identifier: MIT */
#include "libformat/zfs/zfs.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libformat/zfs/zfs_private.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define META "meta"

static int open_stage(struct zfs *z, struct err *e)
{
	if (mkdirat(z->rootfd, ZFS_STAGE, 0700) < 0)
		return err_sys(e, "cannot create the folder '%s'", ZFS_STAGE);
	z->stagefd = path_open_beneath(z->rootfd, ZFS_STAGE, O_RDONLY | O_DIRECTORY);
	if (z->stagefd < 0)
		return err_sys(e, "cannot open the folder '%s'", ZFS_STAGE);
	z->metafd = openat(z->stagefd, META, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (z->metafd < 0)
		return err_sys(e, "cannot create a file");
	return unlinkat(z->stagefd, META, 0) < 0 ? err_sys(e, "cannot remove a file") : 0;
}

/* The names in the tree stay, these here go. */
static int remove_stage(struct zfs *z, struct err *e)
{
	struct timespec times[2];
	struct stat st;

	if (fstat(z->rootfd, &st) < 0)
		return err_sys(e, "cannot look at the image's root");
	times[0] = times[1] = st.st_mtim;
	zfs_close_data(z);
	for (size_t i = 0; i < z->table_cap; i++) {
		char name[32];

		zfs_data_name(z->table[i].number, name);
		if (z->table[i].has_data && unlinkat(z->stagefd, name, 0) < 0 &&
		    errno != ENOENT)
			return err_sys(e, "cannot remove a file");
	}
	if (unlinkat(z->rootfd, ZFS_STAGE, AT_REMOVEDIR) < 0)
		return err_sys(e, "cannot remove the folder '%s'", ZFS_STAGE);
	/* That was a change of the root, whose time is the image's. */
	if (z->head.type == ZSTREAM_FILESYSTEM && futimens(z->rootfd, times) < 0)
		return err_sys(e, "cannot set a time");
	return 0;
}

int zfs_begin(void *data, const struct zstream_head *head, struct err *e)
{
	struct zfs *z = data;
	int r;

	if (z->loading)
		return zfs_check_base(z->in, &z->head, head, e);
	z->head = *head;
	r = zfs_check_base(z->in, head, NULL, e);
	if (r == 0)
		r = open_stage(z, e);
	if (r == 0)
		r = zfs_load_state(z, e);
	if (r < 0)
		return r;
	if (head->type == ZSTREAM_ZVOL) {
		z->sink.ops = &zfs_volume_ops;
		return zfs_begin_volume(z, e);
	}
	return z->in->basefd >= 0 ? zfs_unbuild(z, e) : 0;
}

static int finish(struct zfs *z, struct err *e)
{
	int r;

	if (z->head.type == ZSTREAM_ZVOL) {
		r = zfs_end_volume(z, e);
		return r < 0 ? r : remove_stage(z, e);
	}
	r = zfs_build(z, e);
	if (r == 0)
		r = zfs_save_state(z, e);
	return r < 0 ? r : remove_stage(z, e);
}

int zfs_write(struct image_input *in, int rootfd, const struct extract_limits *limits,
	      struct extract_counts *ret_counts, struct err *e)
{
	struct zfs z = { .in = in,
			 .limits = limits,
			 .rootfd = rootfd,
			 .stagefd = -1,
			 .metafd = -1,
			 .datafd = -1,
			 .disk = { .fd = -1 } };
	int r;

	z.sink = (struct zstream_sink){ &zfs_object_ops, &z };
	r = zstream_read(in, &z.sink, e);
	if (r == 0)
		r = finish(&z, e);
	if (r == 0)
		*ret_counts = z.counts;
	zfs_close_data(&z);
	disk_close(&z.disk);
	close_p(&z.metafd);
	close_p(&z.stagefd);
	free(z.table);
	free(z.registry);
	return r;
}
