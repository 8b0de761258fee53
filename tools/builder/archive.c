/* SPDX-License-Identifier: MIT */
#include "builder/archive.h"

#include "builder/output.h"
#include "builder/tar.h"

#include <string.h>

static void describe(const struct entry *en, struct tar_item *item)
{
	static const enum tar_type types[] = {
		[KIND_FOLDER] = TAR_FOLDER,
		[KIND_FILE] = TAR_FILE,
		[KIND_SYMLINK] = TAR_SYMLINK,
		[KIND_HARDLINK] = TAR_HARDLINK,
	};

	/* A hard link has its target's mode and owner: what unpacks it may set them. */
	const struct entry *of = en->link ? en->link : en;

	*item = (struct tar_item){
		.type = types[en->kind],
		.path = en->key,
		.path_len = en->path_len,
		.mode = of->kind == KIND_SYMLINK ? 0777 : of->mode,
		.uid = of->uid,
		.gid = of->gid,
	};
	if (en->link) {
		item->target = en->link->key;
		item->target_len = en->link->path_len;
	} else if (en->target) {
		item->target = en->target;
		item->target_len = strlen(en->target);
	}
}

/* Once there is an error the archive is lost, but the rest is still looked for. */
static int add_file(const struct entry *en, const struct search *s, struct tar *t,
		    struct report *r, struct err *e)
{
	cleanup_close int fd = -1;
	struct err why = { 0 };
	struct tar_item item;
	struct stat st;
	int res;

	fd = search_open(s, en->key, &st, NULL, &why);
	if (fd < 0) {
		report_error(r, en->at, "%s", why.msg);
		return 0;
	}
	if (r->errors > 0)
		return 0;

	describe(en, &item);
	item.size = (uint64_t)st.st_size;
	res = tar_add(t, &item, fd, e);
	return res < 0 ? err_wrap(e, res, "'%s'", en->key) : 0;
}

static int add_entry(const struct entry *en, const struct search *s, struct tar *t,
		     struct report *r, struct err *e)
{
	struct tar_item item;

	if (en->kind == KIND_FILE)
		return add_file(en, s, t, r, e);
	if (r->errors > 0)
		return 0;
	describe(en, &item);
	return tar_add(t, &item, -1, e);
}

static int add_all(const struct manifest *m, const struct search *s, struct tar *t,
		   struct report *r, struct err *e)
{
	for (int links = 0; links < 2; links++) {
		for (size_t i = 0; i < m->sorted_count; i++) {
			const struct entry *en = m->sorted[i];
			int res;

			if ((en->kind == KIND_HARDLINK) != links)
				continue;
			res = add_entry(en, s, t, r, e);
			if (res < 0)
				return res;
		}
	}
	return 0;
}

int archive_write(const struct manifest *m, const struct search *s, uint64_t mtime,
		  const char *path, struct report *r, struct err *e)
{
	cleanup_output struct output out = OUTPUT_INIT;
	cleanup_tar struct tar *t = NULL;
	int res;

	res = output_open(&out, path, e);
	if (res < 0)
		return res;
	t = tar_new(out.fd, mtime);
	res = add_all(m, s, t, r, e);
	if (res < 0 || r->errors > 0)
		return res;
	res = tar_finish(t, e);
	return res < 0 ? res : output_commit(&out, e);
}
