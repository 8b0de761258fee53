/* SPDX-License-Identifier: MIT */
#include "libmanifest/manifest_private.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fileio.h"
#include "base/jv.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool manifest_is_disk(const struct jv *m)
{
	const char *type = jv_get_string(m, "type");

	return type && strcmp(type, "zvol") == 0;
}

int manifest_problems_set(const struct manifest_problems *p, struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (size_t i = 0; i < p->count; i++)
		buf_addf(&b, "%s%s (%s)", i ? ", " : "", p->items[i].field,
			 p->items[i].msg[0] ? p->items[i].msg : p->items[i].code);
	return err_set(e, -EINVAL, "invalid manifest: %s", buf_str(&b));
}

/* ---- version 1 ------------------------------------------------------------ */

static bool ends_with(const char *s, const char *end)
{
	size_t a = strlen(s), b = strlen(end);

	return a >= b && strcmp(s + a - b, end) == 0;
}

/* Version 1 knew these two by the file's name; whatever else there was went as plain. */
static const char *compression_of_path(const char *path)
{
	if (path && ends_with(path, ".gz"))
		return "gzip";
	if (path && ends_with(path, ".bz2"))
		return "bzip2";
	return "none";
}

static struct jv *upgrade_files(const struct jv *files)
{
	struct jv *list = jv_array();

	for (size_t i = 0; i < jv_len(files); i++) {
		const struct jv *old = jv_at(files, i);
		const char *path = jv_get_string(old, "path");
		struct jv *file = jv_copy(old);

		if (!path || !*path)
			path = jv_get_string(old, "url");
		if (jv_type(file) == JV_OBJECT && !jv_get(file, "compression"))
			jv_set(file, "compression", jv_string(compression_of_path(path)));
		if (jv_type(file) == JV_OBJECT) {
			(void)jv_del(file, "path");
			(void)jv_del(file, "url");
		}
		jv_push(list, file);
	}
	return list;
}

static void upgrade_published(struct jv *m)
{
	const char *at = jv_get_string(m, "published_at");
	cleanup_free char *longer = NULL;

	if (!at || !*at)
		at = jv_get_string(m, "created_at");
	if (!at || !*at)
		return;
	/* "2011-01-01T00:00Z" */
	if (strlen(at) == 17 && at[16] == 'Z')
		longer = xasprintf("%.16s:00Z", at);
	else
		longer = xstrdup(at);
	jv_set(m, "published_at", jv_string(longer));
}

static void upgrade_access(struct jv *m)
{
	struct jv *to = jv_get(m, "restricted_to_uuid");
	const struct jv *disabled = jv_get(m, "disabled");
	const char *word = jv_as_string(disabled);
	bool off = !value_is_empty(disabled) && !(word && strcmp(word, "false") == 0);
	struct jv *acl;

	jv_set(m, "public", jv_bool(value_is_empty(to)));
	if (!value_is_empty(to)) {
		acl = jv_array();
		jv_push(acl, jv_copy(to));
		jv_set(m, "acl", acl);
	}
	jv_set(m, "disabled", jv_bool(off));
	jv_set(m, "state", jv_string(off ? "disabled" : "active"));
}

static void upgrade_from_1(struct jv *m)
{
	static const char *const dropped[] = {
		"creator_uuid", "restricted_to_uuid", "vendor_uuid",   "creator_name",
		"cloud_name",   "creator_admin",      "platform_type", "created_at",
		"updated_at",   "owner_uuid",         "_url",
	};
	const struct jv *size = jv_get(m, "image_size");
	double n;

	jv_set(m, "owner", jv_copy(jv_get(m, "creator_uuid")));
	upgrade_access(m);
	upgrade_published(m);
	if (jv_type(jv_get(m, "files")) == JV_ARRAY)
		jv_set(m, "files", upgrade_files(jv_get(m, "files")));
	/* A text that is no number stays, and is told of when the manifest is checked. */
	if (jv_as_string(size) && !value_is_empty(size) && value_is_number(size, &n))
		jv_set(m, "image_size",
		       fabs(n) < 0x1p53 && n >= floor(n) && n <= floor(n) ? jv_int((int64_t)n)
									  : jv_real(n));
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		(void)jv_del(m, dropped[i]);
	jv_set(m, "v", jv_int(2));
}

int manifest_upgrade(struct jv *m, struct err *e)
{
	const struct jv *v = jv_get(m, "v");
	double n;

	if (!value_is_empty(v) && (!value_is_number(v, &n) || n >= 2))
		return 0;
	if (value_is_empty(jv_get(m, "creator_uuid")))
		return err_set(e, -EINVAL,
			       value_is_empty(v)
				       ? "manifest does not have a \"v\" field"
				       : "a manifest of version 1 needs a \"creator_uuid\"");
	upgrade_from_1(m);
	return 0;
}

/* ---- reading -------------------------------------------------------------- */

static int bad(struct err *e, const char *source)
{
	int r = err_wrap(e, -EBADMSG, "%s", source);

	if (e)
		e->code = -EBADMSG;
	return r;
}

int manifest_parse(const char *text, size_t len, const char *source, struct jv **ret_manifest,
		   struct err *e)
{
	struct manifest_problems *problems = NULL;
	cleanup_jv struct jv *m = NULL;
	int r;

	r = jv_parse(text, len, source, &m, e);
	if (r < 0) {
		if (e)
			e->code = -EBADMSG; /* the message names the place already */
		return -EBADMSG;
	}
	if (jv_type(m) != JV_OBJECT)
		return err_set(e, -EBADMSG, "%s: a manifest is an object, not %s", source,
			       jv_type_name(jv_type(m)));
	r = manifest_upgrade(m, e);
	if (r < 0)
		return bad(e, source);
	problems = xcalloc(1, sizeof(*problems));
	r = manifest_check(m, MANIFEST_MINIMAL, problems) ? 0
							  : manifest_problems_set(problems, e);
	free(problems);
	if (r < 0)
		return r;
	*ret_manifest = take_ptr(m);
	return 0;
}

int manifest_load(int dirfd, const char *path, struct jv **ret_manifest, struct err *e)
{
	cleanup_free char *text = NULL;
	size_t len;
	int r = file_read_all(dirfd, path, IMAGE_MANIFEST_MAX, &text, &len, e);

	return r < 0 ? r : manifest_parse(text, len, path, ret_manifest, e);
}
