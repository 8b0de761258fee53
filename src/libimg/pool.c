/* SPDX-License-Identifier: MIT */
#include "libimg/pool.h"

#include "libimg/image.h"
#include "libstore/store.h"

#include <stdio.h>

#define LOCK_PATIENCE_MS 1000 /* then the waiting is told */

int image_pool_open(const struct host *h, struct store **ret, struct err *e)
{
	cleanup_close int fd = host_dir_existing(h, HOST_POOL, e);

	if (fd < 0)
		return fd == -ENOENT
			       ? err_set(e, fd,
					 "there is no pool at '%s/" HOST_POOL "'; make one "
					 "with mkpool",
					 h->root)
			       : fd;
	return store_open(fd, ret, e);
}

void image_clean_partials(const struct host *h, struct store *s)
{
	char(*uuids)[UUID_STR] = NULL;
	size_t count = 0;

	if (store_image_partials(s, &uuids, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		cleanup_close int lock = image_lock_exclusive(h, uuids[i], 0, NULL);
		struct err e;

		/* What cannot be cleaned now is tried again by the next. */
		if (lock >= 0 && store_image_abort(s, uuids[i], &e) < 0)
			continue;
	}
	free(uuids);
}

bool image_is_installed(const struct host *h, const char *uuid)
{
	cleanup_image struct image img = { 0 };

	return image_load(h, uuid, &img, NULL) == 0;
}

int image_lock_patiently(const struct host *h, const char *uuid,
			 void (*note)(void *data, const char *line), void *data, struct err *e)
{
	char line[96];
	int fd = image_lock_exclusive(h, uuid, LOCK_PATIENCE_MS, e);

	if (fd != -EBUSY)
		return fd;
	(void)snprintf(line, sizeof(line), "Waiting for image %s import lock", uuid);
	if (note)
		note(data, line);
	return image_lock_exclusive(h, uuid, -1, e);
}
