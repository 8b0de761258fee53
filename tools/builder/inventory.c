/* SPDX-License-Identifier: MIT */
#include "builder/inventory.h"

#include "base/alloc.h"

#include <fts.h>
#include <openssl/evp.h>
#include <string.h>

#define READ_SIZE ((size_t)256 << 10)

struct paths {
	char **list;
	size_t count;
	size_t cap;
};

static void paths_done(struct paths *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->list[i]);
	free(p->list);
}

static void paths_add(struct paths *p, const char *path)
{
	if (p->count == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 256;
		p->list = xrealloc_array(p->list, p->cap, sizeof(*p->list));
	}
	p->list[p->count++] = xstrdup(path);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void fts_close_p(FTS **fts)
{
	if (*fts)
		(void)fts_close(*fts);
}

/* One visit of fts. PREFIX is the length of the folder's own name. */
static int visit(const struct manifest *m, const FTSENT *ent, size_t prefix,
		 struct paths *found, struct err *e)
{
	const char *path = ent->fts_path + prefix;

	if (ent->fts_info == FTS_ERR || ent->fts_info == FTS_DNR || ent->fts_info == FTS_NS) {
		errno = ent->fts_errno;
		return err_sys(e, "cannot read '%s'", ent->fts_path);
	}
	if (ent->fts_info == FTS_D || ent->fts_info == FTS_DP)
		return 0;
	path += strspn(path, "/");
	if (!manifest_find(m, path, strlen(path)))
		paths_add(found, path);
	return 0;
}

static int walk(const struct manifest *m, const char *dir, struct paths *found, struct err *e)
{
	cleanup_with(fts_close_p) FTS *fts = NULL;
	char *roots[] = { (char *)dir, NULL };
	FTSENT *ent;

	fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	if (!fts)
		return err_sys(e, "cannot walk through '%s'", dir);
	for (errno = 0; (ent = fts_read(fts)); errno = 0) {
		int r = visit(m, ent, strlen(dir), found, e);

		if (r < 0)
			return r;
	}
	return errno ? err_sys(e, "cannot walk through '%s'", dir) : 0;
}

int inventory_unlisted(const struct manifest *m, const struct search *s, FILE *out,
		       struct err *e)
{
	cleanup_with(paths_done) struct paths found = { 0 };

	for (size_t i = 0; i < s->count; i++) {
		int r = walk(m, s->dirs[i].name, &found, e);

		if (r < 0)
			return r;
	}
	if (found.count > 0)
		qsort(found.list, found.count, sizeof(*found.list), by_bytes);
	for (size_t i = 0; i < found.count; i++)
		if (i == 0 || strcmp(found.list[i], found.list[i - 1]) != 0)
			fprintf(out, "%s\n", found.list[i]);
	return 0;
}

struct sum {
	char hex[2 * EVP_MAX_MD_SIZE + 1];
};

static void md_free_p(EVP_MD_CTX **ctx)
{
	EVP_MD_CTX_free(*ctx);
}

static int sum_fd(int fd, struct sum *ret_sum, struct err *e)
{
	cleanup_with(md_free_p) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	cleanup_free char *data = xmalloc(READ_SIZE);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	bool good = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
	ssize_t n = 1;

	while (good && n > 0) {
		n = read(fd, data, READ_SIZE);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return err_sys(e, "cannot read");
		else
			good = EVP_DigestUpdate(ctx, data, (size_t)n) == 1;
	}
	if (!good || EVP_DigestFinal_ex(ctx, digest, &len) != 1)
		return err_set(e, -EIO, "cannot compute SHA-256");
	for (unsigned int i = 0; i < len; i++)
		(void)snprintf(ret_sum->hex + (size_t)2 * i, 3, "%02x", digest[i]);
	return 0;
}

static int sum_file(const struct entry *en, const struct search *s, struct sum *ret_sum,
		    struct report *r, struct err *e)
{
	cleanup_close int fd = -1;
	struct err why = { 0 };
	struct stat st;
	int res;

	fd = search_open(s, en->key, &st, NULL, &why);
	if (fd < 0) {
		report_error(r, en->at, "%s", why.msg);
		return 0;
	}
	if (r->errors > 0)
		return 0;
	res = sum_fd(fd, ret_sum, e);
	return res < 0 ? err_wrap(e, res, "'%s'", en->key) : 0;
}

/* sha256sum marks a line whose name needs escapes with a backslash at its start. */
static void print_sum(const struct sum *sum, const struct entry *en, FILE *out)
{
	bool escape = memchr(en->key, '\\', en->path_len);

	fprintf(out, "%s%s  ./", escape ? "\\" : "", sum->hex);
	for (size_t i = 0; i < en->path_len; i++) {
		if (en->key[i] == '\\')
			fputc('\\', out);
		fputc(en->key[i], out);
	}
	fputc('\n', out);
}

int inventory_sums(const struct manifest *m, const struct search *s, FILE *out,
		   struct report *r, struct err *e)
{
	cleanup_free struct sum *sums = xcalloc(m->count + 1, sizeof(*sums));

	for (size_t i = 0; i < m->sorted_count; i++) {
		const struct entry *en = m->sorted[i];
		int res = 0;

		if (en->kind == KIND_FILE)
			res = sum_file(en, s, &sums[en - m->entries], r, e);
		if (res < 0)
			return res;
	}
	if (r->errors > 0)
		return 0;
	for (size_t i = 0; i < m->sorted_count; i++) {
		const struct entry *en = m->sorted[i];
		const struct entry *of = en->link ? en->link : en;

		if (of->kind == KIND_FILE)
			print_sum(&sums[of - m->entries], en, out);
	}
	return 0;
}
