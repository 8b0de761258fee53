/* SPDX-License-Identifier: MIT */
#include "libsource/simplestreams.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NOBODY "00000000-0000-0000-0000-000000000000"
#define VERSION_MIN                                                               \
	8 /* YYYYMMDD: what is shorter is no version, for its own clients as well \
	   */
#define NAME_MAX_LEN 256
#define LISTS_MAX    64
#define VERSIONS_MAX 64 /* of a product, the newest */
#define IMAGES_MAX   20000

/* What an image may come as, the first that there is; and where its fingerprint stands. */
struct kind {
	const char *ftype;
	const char *combined;
	const char *compression;
	bool later; /* fetched only when there is nothing else */
};

static const struct kind trees[] = {
	{ "squashfs", "combined_squashfs_sha256", "none", true },
	{ "root.tar.xz", "combined_rootxz_sha256", "xz", false },
	{ NULL, NULL, NULL, false },
};

static const struct kind disks[] = {
	{ "disk-kvm.img", "combined_disk-kvm-img_sha256", "none", false },
	{ "uefi1.img", "combined_uefi1-img_sha256", "none", false },
	{ "disk1.img", "combined_disk1-img_sha256", "none", false },
	{ NULL, NULL, NULL, false },
};

/* A path below the server's: no other place is asked. */
static bool path_is_good(const char *path)
{
	if (!path || !*path || *path == '/' || strstr(path, "..") || strstr(path, "//") ||
	    strlen(path) > 1024)
		return false;
	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		if (!isalnum(*p) && !strchr("/._:+-~=@,", *p))
			return false;
	/* "name:" at its beginning would be a scheme. */
	return strcspn(path, ":") > strcspn(path, "/") || !strchr(path, ':');
}

int simplestreams_read_index(const char *text, size_t len, struct jv **ret_paths, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	const struct jv *index;
	struct jv *paths;
	int r = jv_parse(text, len, "index.json", &v, e);

	if (r < 0)
		return r;
	index = jv_get(v, "index");
	if (jv_type(index) != JV_OBJECT)
		return err_set(e, -EPROTO, "index.json: /index: must be an object");
	paths = jv_array();
	for (void *it = jv_iter(index); it && jv_len(paths) < LISTS_MAX;
	     it = jv_iter_next(index, it)) {
		const struct jv *one = jv_iter_value(it);
		const char *type = jv_get_string(one, "datatype");
		const char *path = jv_get_string(one, "path");

		if (type && strcmp(type, "image-downloads") == 0 && path_is_good(path))
			jv_push(paths, jv_string(path));
	}
	*ret_paths = paths;
	return 0;
}

/* ---- items ---------------------------------------------------------------- */

static const struct jv *find_item(const struct jv *items, const char *ftype)
{
	if (jv_type(items) != JV_OBJECT)
		return NULL;
	for (void *it = jv_iter(items); it; it = jv_iter_next(items, it)) {
		const char *own = jv_get_string(jv_iter_value(it), "ftype");

		if (own && strcmp(own, ftype) == 0)
			return jv_iter_value(it);
	}
	return NULL;
}

static bool is_sha256(const char *s)
{
	size_t n = 0;

	while (s && isxdigit((unsigned char)s[n]) && !isupper((unsigned char)s[n]))
		n++;
	return s && n == 64 && !s[n];
}

static bool is_whole(const struct jv *item)
{
	return item && is_sha256(jv_get_string(item, "sha256")) &&
	       path_is_good(jv_get_string(item, "path")) &&
	       jv_as_int(jv_get(item, "size"), -1) > 0;
}

/* The item to fetch. */
static const struct jv *choose(const struct jv *items, const struct kind *kinds,
			       const char **ret_compression)
{
	for (int later = 0; later < 2; later++)
		for (const struct kind *k = kinds; k->ftype; k++) {
			const struct jv *item = find_item(items, k->ftype);

			if (k->later != later || !is_whole(item))
				continue;
			*ret_compression = k->compression;
			return item;
		}
	return NULL;
}

/* Of the metadata and the file that the server's own clients would take. */
static const char *fingerprint(const struct jv *items, const struct kind *kinds)
{
	const struct jv *meta = find_item(items, "incus.tar.xz");

	if (!meta)
		meta = find_item(items, "lxd.tar.xz");
	for (const struct kind *k = kinds; k->ftype; k++) {
		const char *own = jv_get_string(meta, k->combined);

		if (!own && strcmp(k->ftype, "root.tar.xz") == 0)
			own = jv_get_string(meta, "combined_sha256");
		if (find_item(items, k->ftype) && is_sha256(own))
			return own;
	}
	return NULL;
}

/* ---- images --------------------------------------------------------------- */

struct version {
	const struct jv *product;
	const char *key;
	const struct jv *items;
	const char *base;
};

/* What a manifest does not allow becomes DOT. New. */
static char *tidy(const char *text, const char *allowed, char other)
{
	char *s = xstrndup(text, NAME_MAX_LEN);

	for (char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(allowed, *p))
			*p = other;
	return s;
}

static struct jv *published(const char *key)
{
	char text[40];
	unsigned int d[5] = { 0 };

	if (sscanf(key, "%4u%2u%2u_%2u:%2u", &d[0], &d[1], &d[2], &d[3], &d[4]) < 3 ||
	    d[1] < 1 || d[1] > 12 || d[2] < 1 || d[2] > 31 || d[3] > 23 || d[4] > 59)
		return NULL;
	(void)snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:00Z", d[0], d[1], d[2],
		       d[3], d[4]);
	return jv_string(text);
}

/* "a,b" and "/vm" behind each for a disk. New. */
static struct jv *aliases_of(const struct jv *product, bool disk)
{
	const char *list = jv_get_string(product, "aliases");
	struct jv *names = jv_array();

	for (const char *p = list ? list : ""; *p;) {
		size_t n = strcspn(p, ",");
		cleanup_free char *one = xstrndup(p, n);
		cleanup_free char *name = xasprintf("%s%s", one, disk ? "/vm" : "");

		if (n > 0 && n < NAME_MAX_LEN)
			jv_push(names, jv_string(name));
		p += n + (p[n] == ',');
	}
	return names;
}

static const char *text_of(const struct jv *v, const char *key)
{
	const char *s = jv_get_string(v, key);

	return s && strlen(s) < NAME_MAX_LEN ? s : "";
}

static struct jv *tags_of(const struct version *v, const char *print)
{
	static const char *const keys[] = { "os", "release", "variant", "arch" };
	struct jv *tags = jv_object();

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		cleanup_free char *key = xasprintf("simplestreams:%s", keys[i]);

		jv_set(tags, key, jv_string(text_of(v->product, keys[i])));
	}
	jv_set(tags, "simplestreams:serial", jv_string(v->key));
	jv_set(tags, "simplestreams:fingerprint", jv_string(print));
	return tags;
}

static struct jv *files_of(const struct jv *item, const char *compression)
{
	struct jv *files = jv_array(), *file = jv_object();

	jv_set(file, "size", jv_int(jv_as_int(jv_get(item, "size"), 0)));
	jv_set(file, "sha256", jv_string(jv_get_string(item, "sha256")));
	jv_set(file, "compression", jv_string(compression));
	jv_push(files, file);
	return files;
}

static void uuid_of(const char *print, char ret[static UUID_STR])
{
	(void)snprintf(ret, UUID_STR, "%.8s-%.4s-%.4s-%.4s-%.12s", print, print + 8, print + 12,
		       print + 16, print + 20);
}

static struct jv *manifest_of(const struct version *v, const struct jv *item, bool disk,
			      const char *compression, const char *print,
			      const struct jv *aliases)
{
	const char *alias = jv_as_string(jv_at(aliases, jv_len(aliases) - 1));
	cleanup_free char *name = tidy(alias ? alias : text_of(v->product, "os"), "._/ -", '-');
	cleanup_free char *version = tidy(v->key, "._/+-", '.');
	struct jv *m = jv_object(), *when = published(v->key);
	char uuid[UUID_STR];

	uuid_of(print, uuid);
	jv_set(m, "v", jv_int(2));
	jv_set(m, "uuid", jv_string(uuid));
	jv_set(m, "owner", jv_string(NOBODY));
	jv_set(m, "name", jv_string(*name ? name : "image"));
	jv_set(m, "version", jv_string(version));
	jv_set(m, "state", jv_string("active"));
	jv_set(m, "disabled", jv_bool(false));
	jv_set(m, "public", jv_bool(true));
	if (when)
		jv_set(m, "published_at", when);
	jv_set(m, "type", jv_string(disk ? "zvol" : "lx-dataset"));
	jv_set(m, "os", jv_string("linux"));
	jv_set(m, "files", files_of(item, compression));
	jv_set(m, "tags", tags_of(v, print));
	return m;
}

/* The root file system or the disk; false when the version lacks it. */
static bool add_image(const struct version *v, bool disk, struct jv *images)
{
	const struct kind *kinds = disk ? disks : trees;
	const char *compression, *print = fingerprint(v->items, kinds);
	const struct jv *item = choose(v->items, kinds, &compression);
	struct jv *image, *file, *files, *aliases;
	cleanup_free char *url = NULL;

	if (!item || !print || jv_len(images) >= IMAGES_MAX)
		return false;
	aliases = aliases_of(v->product, disk);
	image = jv_object();
	files = jv_array();
	file = jv_object();
	url = xasprintf("%s/%s", v->base, jv_get_string(item, "path"));
	jv_set(file, "url", jv_string(url));
	jv_push(files, file);
	jv_set(image, "manifest", manifest_of(v, item, disk, compression, print, aliases));
	jv_set(image, "files", files);
	jv_set(image, "aliases", aliases);
	jv_push(images, image);
	return true;
}

/* The greatest key below BEFORE, NULL: none. */
static const char *newest(const struct jv *versions, const char *before)
{
	const char *best = NULL;

	if (jv_type(versions) != JV_OBJECT)
		return NULL;
	for (void *it = jv_iter(versions); it; it = jv_iter_next(versions, it)) {
		const char *key = jv_iter_key(it);

		if (strlen(key) >= VERSION_MIN && strlen(key) < NAME_MAX_LEN &&
		    (!before || strcmp(key, before) < 0) && (!best || strcmp(key, best) > 0))
			best = key;
	}
	return best;
}

static void add_product(const struct jv *product, const char *base, bool all, struct jv *images)
{
	const struct jv *versions = jv_get(product, "versions");

	for (int disk = 0; disk < 2; disk++) {
		const char *key = newest(versions, NULL);
		bool found = false;

		for (int n = 0; key && n < VERSIONS_MAX && (all || !found);
		     n++, key = newest(versions, key)) {
			const struct version v = {
				.product = product,
				.key = key,
				.items = jv_get(jv_get(versions, key), "items"),
				.base = base,
			};

			found = add_image(&v, disk, images) || found;
		}
	}
}

int simplestreams_read_products(const char *text, size_t len, const char *base,
				const char *arch, bool all, struct jv *images, struct err *e)
{
	cleanup_jv struct jv *v = NULL;
	const struct jv *products;
	int r = jv_parse(text, len, "products", &v, e);

	if (r < 0)
		return r;
	products = jv_get(v, "products");
	if (jv_type(products) != JV_OBJECT)
		return err_set(e, -EPROTO, "products: /products: must be an object");
	for (void *it = jv_iter(products); it; it = jv_iter_next(products, it)) {
		const struct jv *product = jv_iter_value(it);
		const char *own = jv_get_string(product, "arch");

		if (own && strcmp(own, arch) == 0)
			add_product(product, base, all, images);
	}
	return 0;
}

struct jv *simplestreams_find(const struct jv *images, const char *name)
{
	for (size_t i = 0; i < jv_len(images); i++) {
		struct jv *image = jv_at(images, i);
		const struct jv *aliases = jv_get(image, "aliases");

		if (strcmp(jv_get_string(jv_get(image, "manifest"), "uuid"), name) == 0)
			return image;
		for (size_t k = 0; k < jv_len(aliases); k++)
			if (strcmp(jv_as_string(jv_at(aliases, k)), name) == 0)
				return image;
	}
	return NULL;
}
