/* SPDX-License-Identifier: MIT */
/*
 * listing_docker.c - images that came from container registries: what they are called there.
 */
#include "imgadm/listing.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <string.h>

#define TAG       "docker:tag:"
#define ROW       "docker_tag" /* of a row: the tag that it is for */
#define SHORT_LEN 12

static const char *tag_of(const struct image *img, const char *key)
{
	return jv_get_string(jv_get(img->manifest, "tags"), key);
}

/* Names of tags, in their order, with commas. New, or NULL. */
static char *all_tags(const struct image *img)
{
	const struct jv *tags = jv_get(img->manifest, "tags");
	struct buf b = BUF_INIT;

	for (void *it = jv_iter(tags); it; it = jv_iter_next(tags, it))
		if (strncmp(jv_iter_key(it), TAG, strlen(TAG)) == 0)
			buf_addf(&b, "%s%s", b.len ? "," : "", jv_iter_key(it) + strlen(TAG));
	return b.len ? buf_take(&b) : NULL;
}

/* Twelve digits, without the name of the hash. */
static char *short_id(const struct image *img)
{
	const char *id = tag_of(img, "docker:id");
	const char *colon = id ? strchr(id, ':') : NULL;

	return id ? xstrndup(colon ? colon + 1 : id, SHORT_LEN) : NULL;
}

bool listing_is_docker(const char *field)
{
	static const char *const fields[] = { "docker_id",   "docker_short_id", "docker_repo",
					      "docker_tags", "repository",      "tag",
					      "image_id" };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(fields[i], field) == 0)
			return true;
	return false;
}

bool listing_docker_field(const struct image *img, const char *field, char **ret)
{
	if (!listing_is_docker(field))
		return false;
	if (strcmp(field, "docker_id") == 0)
		*ret = xstrdup(tag_of(img, "docker:id"));
	else if (strcmp(field, "docker_tags") == 0)
		*ret = all_tags(img);
	else if (strcmp(field, "tag") == 0)
		*ret = jv_get(img->manifest, ROW) ? xstrdup(jv_get_string(img->manifest, ROW))
						  : all_tags(img);
	else if (strcmp(field, "docker_repo") == 0 || strcmp(field, "repository") == 0)
		*ret = xstrdup(tag_of(img, "docker:repo"));
	else
		*ret = short_id(img);
	return true;
}

/* ---- a row a tag ----------------------------------------------------------------- */

static void add_rows(struct image_list *rows, const struct image *img)
{
	const struct jv *tags = jv_get(img->manifest, "tags");

	for (void *it = jv_iter(tags); it; it = jv_iter_next(tags, it)) {
		const char *key = jv_iter_key(it);
		struct image *row;

		if (strncmp(key, TAG, strlen(TAG)) != 0)
			continue;
		rows->items = xrealloc_array(rows->items, rows->count + 1, sizeof(*row));
		row = &rows->items[rows->count++];
		*row = (struct image){ .manifest = jv_copy(img->manifest),
				       .meta = jv_copy(img->meta) };
		memcpy(row->uuid, img->uuid, UUID_STR);
		jv_set(row->manifest, ROW, jv_string(key + strlen(TAG)));
	}
}

void listing_select_docker(struct listing *l, bool each_tag)
{
	struct image_list rows = { .unreadable = l->images.unreadable };

	for (size_t i = 0; i < l->images.count; i++) {
		const struct image *img = &l->images.items[i];
		cleanup_free char *tags = all_tags(img);

		if (!tags)
			continue; /* a layer of another one */
		if (each_tag) {
			add_rows(&rows, img);
			continue;
		}
		rows.items = xrealloc_array(rows.items, rows.count + 1, sizeof(*img));
		rows.items[rows.count] = (struct image){ .manifest = jv_ref(img->manifest),
							 .meta = jv_ref(img->meta) };
		memcpy(rows.items[rows.count++].uuid, img->uuid, UUID_STR);
	}
	image_list_done(&l->images);
	l->images = rows;
}
