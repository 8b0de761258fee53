/* SPDX-License-Identifier: MIT */
#include "imgadm/create.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "libmanifest/manifest.h"

#include <fcntl.h>
#include <string.h>

/* What an image made from another one is like that one in. */
static const char *const inherited[] = {
	"type",         "os",          "requirements",       "users",
	"billing_tags", "traits",      "generate_passwords", "inherited_directories",
	"nic_driver",   "disk_driver", "cpu_type",           "image_size",
};

static int read_given(struct creation *c, struct jv **ret)
{
	const char *path = cli_get(c->call, "m");
	struct err e = { 0 };
	int r = 0;

	if (!path)
		*ret = jv_object();
	else
		r = imgadm_load_json(path, ret, &e);
	if (r < 0)
		return imgadm_fail(c->call, "InvalidManifest", e.msg);
	if (jv_type(*ret) != JV_OBJECT)
		return imgadm_fail(c->call, "InvalidManifest", "a manifest is an object");
	return 0;
}

/* Is VALUE JSON, then that; else it is a text, as a version always is: 1.0 is not 1. */
static struct jv *parse_value(const char *field, const char *value)
{
	static const char *const texts[] = { "name", "version", "description" };

	cleanup_free char *text = xasprintf("[%s]", value);
	cleanup_jv struct jv *list = NULL;
	struct err ignored;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(field, texts[i]) == 0)
			return jv_string(value);
	if (jv_parse(text, strlen(text), "value", &list, &ignored) == 0 && jv_len(list) == 1)
		return jv_copy(jv_at(list, 0));
	return jv_string(value);
}

static int take_fields(struct creation *c, struct jv *given)
{
	for (int i = 1; i < cli_operands(c->call); i++) {
		const char *word = cli_operand(c->call, i);
		const char *equals = strchr(word, '=');
		cleanup_free char *field = NULL;

		if (!equals || equals == word)
			return cli_wrong_use(c->call, "'%s' is not FIELD=VALUE", word);
		field = xstrndup(word, (size_t)(equals - word));
		jv_set(given, field, parse_value(field, equals + 1));
	}
	return 0;
}

static void inherit(struct creation *c, struct jv *m)
{
	cleanup_free char *line =
		xasprintf("Inheriting from origin image %s (%s %s)", c->origin.uuid,
			  image_name(&c->origin), image_version(&c->origin));

	session_say(&c->session, line);
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++) {
		struct jv *value = jv_get(c->origin.manifest, inherited[i]);

		if (value && !jv_get(m, inherited[i]))
			jv_set(m, inherited[i], jv_copy(value));
	}
}

/* An image for one brand is none for another. */
static void require_brand(struct creation *c, struct jv *m)
{
	const char *brand = jv_get_string(c->record, "brand");
	struct jv *req = jv_get(m, "requirements");

	if (!brand || strcmp(brand, "lx") != 0 || jv_get_string(req, "brand"))
		return;
	if (jv_type(req) != JV_OBJECT) {
		jv_set(m, "requirements", jv_object());
		req = jv_get(m, "requirements");
	}
	jv_set(req, "brand", jv_string(brand));
}

static int check(struct creation *c)
{
	cleanup_free struct manifest_problems *p = xcalloc(1, sizeof(*p));
	struct err e = { 0 };

	if (manifest_check(c->manifest, MANIFEST_MINIMAL, p))
		return 0;
	(void)manifest_problems_set(p, &e);
	return imgadm_fail(c->call, "ManifestValidation", e.msg);
}

int create_make_manifest(struct creation *c)
{
	cleanup_jv struct jv *given = NULL;
	cleanup_free char *text = NULL;
	struct jv *m = jv_object();
	int r;

	c->manifest = m;
	r = read_given(c, &given);
	if (r == 0)
		r = take_fields(c, given);
	if (r != 0)
		return r;
	jv_set(m, "v", jv_int(2));
	jv_set(m, "uuid", jv_string(c->uuid));
	for (void *it = jv_iter(given); it; it = jv_iter_next(given, it))
		if (strcmp(jv_iter_key(it), "v") != 0 && strcmp(jv_iter_key(it), "uuid") != 0 &&
		    strcmp(jv_iter_key(it), "files") != 0)
			jv_set(m, jv_iter_key(it), jv_copy(jv_iter_value(it)));
	if (c->origin.manifest)
		inherit(c, m);
	require_brand(c, m);
	(void)jv_del(m, "origin");
	if (c->incremental)
		jv_set(m, "origin", jv_string(c->origin.uuid));
	text = jv_dump(m, 2);
	(void)fprintf(c->session.words, "Manifest:\n%s\n", text);
	return check(c);
}

void create_set_file(struct creation *c, const struct pack_result *file)
{
	cleanup_free char *diff_id = xasprintf("sha256:%s", file->diff_id);
	struct jv *files = jv_array(), *f = jv_object();

	jv_set(f, "sha1", jv_string(file->sha1));
	jv_set(f, "size", jv_int((int64_t)file->size));
	jv_set(f, "compression", jv_string(compression_name(c->compression)));
	jv_set(f, "sha256", jv_string(file->sha256));
	jv_set(f, "uncompressedDigest", jv_string(diff_id));
	if (c->incremental)
		jv_set(f, "whiteouts", jv_bool(true));
	jv_push(files, f);
	jv_set(c->manifest, "files", files);
}
