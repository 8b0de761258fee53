/* SPDX-License-Identifier: MIT */
/*
 * cmd_vacuum.c - vacuum: delete what nothing needs. A chain goes from its leaf: once the
 * image is chosen that was made from another, that other is free as well.
 */
#include "imgadm/vacuum.h"

#include "base/alloc.h"
#include "libimg/install.h"
#include "libimg/uses.h"

#include <stdio.h>
#include <string.h>

struct vacuum {
	const struct cli_call *call;
	struct vacuum_rule rule;
	struct image_list images;
	struct image_uses uses;
	enum vacuum_stays *stays; /* one an image */
	bool *chosen;
	size_t *order; /* of deleting */
	size_t count;
	struct jv *list; /* with -j */
};

static bool is_chosen(const struct vacuum *v, const char *uuid)
{
	for (size_t i = 0; i < v->images.count; i++)
		if (v->chosen[i] && strcmp(v->images.items[i].uuid, uuid) == 0)
			return true;
	return false;
}

/* Who keeps IMAGE; NULL: nobody who stays. */
static const struct image_use *keeper(const struct vacuum *v, const char *image)
{
	for (size_t i = 0; i < v->uses.count; i++) {
		const struct image_use *use = &v->uses.items[i];

		if (strcmp(use->image, image) != 0)
			continue;
		if (use->kind != IMAGE_USE_ORIGIN || !is_chosen(v, use->user))
			return use;
	}
	return NULL;
}

static void choose(struct vacuum *v)
{
	size_t before;

	v->stays = vacuum_rule_apply(&v->rule, &v->images, time(NULL));
	v->chosen = xcalloc(v->images.count + 1, sizeof(*v->chosen));
	v->order = xcalloc(v->images.count + 1, sizeof(*v->order));
	do {
		before = v->count;
		for (size_t i = 0; i < v->images.count; i++) {
			if (v->chosen[i] || v->stays[i] != VACUUM_STAYS_NOT ||
			    keeper(v, v->images.items[i].uuid))
				continue;
			v->chosen[i] = true;
			v->order[v->count++] = i;
		}
	} while (v->count > before);
}

static char *title(const struct image *img)
{
	return xasprintf("%s (%s@%s)", img->uuid, image_name(img),
			 image_version(img) ? image_version(img) : "");
}

/* Why the image stays; NULL: it does not. New. */
static char *reason(const struct vacuum *v, size_t at)
{
	const struct image *img = &v->images.items[at];
	const struct image_use *use = keeper(v, img->uuid);

	if (use && use->kind == IMAGE_USE_CLONE)
		return xasprintf("VM %s is a clone of it", use->user);
	if (use && use->kind == IMAGE_USE_ORIGIN)
		return xasprintf("image %s has it as its origin", use->user);
	if (use)
		return xasprintf("the record of VM %s names it", use->user);
	switch (v->stays[at]) {
	case VACUUM_STAYS_YOUNG:
		return xasprintf("it was installed in the last %d days", v->rule.days);
	case VACUUM_STAYS_UNDATED:
		return xstrdup("when it was installed is not known");
	case VACUUM_STAYS_NEWEST:
		return xasprintf("it is one of the newest %d of its name", v->rule.keep);
	case VACUUM_STAYS_NOT:
	default:
		return NULL;
	}
}

static void print_reasons(const struct vacuum *v)
{
	for (size_t i = 0; i < v->images.count; i++) {
		cleanup_free char *t = title(&v->images.items[i]);
		cleanup_free char *why = v->chosen[i] ? NULL : reason(v, i);

		if (why)
			(void)fprintf(stderr, "keeping image %s: %s\n", t, why);
	}
}

static bool confirm(const struct vacuum *v)
{
	char answer[16] = "";

	(void)printf("This will delete the following images:\n");
	for (size_t i = 0; i < v->count; i++) {
		cleanup_free char *t = title(&v->images.items[v->order[i]]);

		(void)printf("    %s\n", t);
	}
	if (v->count == 1)
		(void)printf("Delete this image? [y/N] ");
	else
		(void)printf("Delete these %zu images? [y/N] ", v->count);
	(void)fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin) || (answer[0] != 'y' && answer[0] != 'Y')) {
		(void)puts(answer[0] ? "Aborting" : "\nAborting");
		return false;
	}
	return true;
}

static void note_deleted(const struct vacuum *v, const char *uuid, bool dry)
{
	struct jv *o = jv_object();

	jv_set(o, "uuid", jv_string(uuid));
	jv_set(o, "deleted", jv_bool(!dry));
	jv_push(v->list, o);
}

static int delete_all(struct vacuum *v, const struct host *h)
{
	bool dry = cli_has(v->call, "dry-run");
	int status = 0;

	for (size_t i = 0; i < v->count; i++) {
		const struct image *img = &v->images.items[v->order[i]];
		cleanup_free char *t = title(img);
		struct err e = { 0 };
		int r = dry ? 0 : image_delete(h, img->uuid, &e);

		if (r < 0 && r != -ENOENT) {
			(void)fflush(stdout);
			(void)fprintf(stderr, "Error deleting image %s: %s\n", t, e.msg);
			status = EXIT_FAILURE;
		} else if (v->list) {
			note_deleted(v, img->uuid, dry);
		} else {
			(void)printf("%sDeleted image %s\n", dry ? "[dry-run] " : "", t);
		}
	}
	return status;
}

static int vacuum(struct vacuum *v, const struct host *h)
{
	struct err e = { 0 };
	int r = image_list_load(h, v->rule.days > 0, &v->images, &e);

	if (r == 0 && v->images.unreadable)
		/* It may be the origin of others, or have one. */
		r = err_set(&e, -EIO,
			    "%zu images cannot be read, so that what they need is "
			    "unknown; one of them: %s",
			    v->images.unreadable, v->images.error.msg);
	if (r == 0)
		r = image_uses_load(h, true, &v->uses, &e);
	if (r < 0)
		return imgadm_fail(v->call, "FileSystem", e.msg);
	choose(v);
	if (cli_has(v->call, "verbose"))
		print_reasons(v);
	if (v->count == 0)
		return 0;
	if (!cli_has(v->call, "force") && !cli_has(v->call, "dry-run") && !confirm(v))
		return EXIT_FAILURE;
	return delete_all(v, h);
}

int cmd_vacuum(struct cli_call *call, struct err *e ATTR_UNUSED)
{
	struct vacuum v = { .call = call, .list = cli_has(call, "json") ? jv_array() : NULL };
	struct host h = { .fd = -1 };
	int r;

	if (v.list && !cli_has(call, "force") && !cli_has(call, "dry-run")) {
		jv_unref(v.list);
		return cli_wrong_use(call, "-j asks nothing: give -f or -n with it");
	}
	r = vacuum_rule_read(call, &v.rule);
	if (r != 0) {
		jv_unref(v.list);
		return r;
	}
	r = imgadm_begin(call, &h);
	if (r == 0) {
		r = vacuum(&v, &h);
		if (v.list)
			imgadm_print_json(v.list);
	}
	jv_unref(v.list);
	image_list_done(&v.images);
	image_uses_done(&v.uses);
	free(v.stays);
	free(v.chosen);
	free(v.order);
	host_close(&h);
	return r;
}
