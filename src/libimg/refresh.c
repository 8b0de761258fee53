/* SPDX-License-Identifier: MIT */
#include "libimg/refresh.h"

#include "base/jv.h"
#include "libimg/image.h"
#include "libimg/pool.h"
#include "libstore/store.h"

#include <string.h>

static bool stays(const char *key)
{
	static const char *const fixed[] = { "v", "uuid", "origin", "files", "type" };

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (strcmp(key, fixed[i]) == 0)
			return true;
	return false;
}

struct change {
	struct buf *text;
	size_t count;
};

static void note(struct change *c, const char *parent, const char *key)
{
	buf_addf(c->text, "%s%s%s%s", c->count++ ? ", " : "", parent, *parent ? "." : "", key);
}

/* The members of requirements are told one by one, as those of the manifest are. */
static void compare(struct change *c, const char *parent, const struct jv *old,
		    const struct jv *new)
{
	for (void *it = jv_iter(new); it; it = jv_iter_next(new, it)) {
		const char *key = jv_iter_key(it);
		const struct jv *a = jv_get(old, key), *b = jv_iter_value(it);

		if (!*parent && stays(key))
			continue;
		if (!*parent && a && strcmp(key, "requirements") == 0)
			compare(c, key, a, b);
		else if (!a || !jv_equal(a, b))
			note(c, parent, key);
	}
	for (void *it = jv_iter(old); it; it = jv_iter_next(old, it))
		if (!jv_get(new, jv_iter_key(it)) && (*parent || !stays(jv_iter_key(it))))
			note(c, parent, jv_iter_key(it));
}

/* NEW with what is fixed taken from OLD. */
static struct jv *merge(const struct jv *old, const struct jv *new)
{
	static const char *const fixed[] = { "origin", "files", "type" };
	struct jv *m = jv_copy(new);

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		const struct jv *was = jv_get(old, fixed[i]);

		if (was)
			jv_set(m, fixed[i], jv_copy(was));
		else
			(void)jv_del(m, fixed[i]);
	}
	return m;
}

static int write_manifest(const struct host *h, const char *uuid, const struct jv *m,
			  struct err *e)
{
	cleanup_store struct store *s = NULL;
	cleanup_close int dir = -1;
	int r = image_pool_open(h, &s, e);

	if (r < 0)
		return r;
	dir = store_image_dir(s, uuid, false, e);
	return dir < 0 ? dir : jv_store(dir, "manifest.json", m, e);
}

int image_refresh(const struct host *h, const char *uuid, const struct jv *manifest, bool dry,
		  struct buf *changed, size_t *ret_count, bool *ret_missing, struct err *e)
{
	cleanup_close int lock = image_lock_exclusive(h, uuid, -1, e);
	cleanup_image struct image img = { 0 };
	cleanup_jv struct jv *m = NULL;
	struct change c = { .text = changed };
	int r;

	if (lock < 0)
		return lock;
	r = image_load(h, uuid, &img, e);
	if (r == -ENOENT)
		return r;
	m = r < 0 ? jv_copy(manifest) : merge(img.manifest, manifest);
	if (r == 0)
		compare(&c, "", img.manifest, m);
	*ret_missing = r < 0;
	*ret_count = c.count;
	if (dry || (r == 0 && c.count == 0))
		return 0;
	return write_manifest(h, uuid, m, e);
}
