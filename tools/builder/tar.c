/* SPDX-License-Identifier: MIT */
/*
 * tar.c - headers as POSIX.1-2001 has them.
 *
 * Headers and small files gather in one buffer, so that many of them cost one
 * write; what is large goes from file to file within the kernel.
 */
#include "builder/tar.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fileio.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BLOCK    ((size_t)512)
#define BUFFER   ((size_t)1 << 20)
#define LARGE    ((uint64_t)256 << 10) /* a file from here on is copied within the kernel */
#define OCTAL_7  ((uint64_t)07777777)
#define OCTAL_11 ((uint64_t)077777777777)

struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char sum[8];
	char type;
	char target[100];
	char magic[6];
	char version[2];
	char user[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char unused[12];
};
_Static_assert(sizeof(struct header) == 512, "a tar header is one block");

struct tar {
	int fd;
	uint64_t mtime;
	size_t used;
	bool no_kernel_copy;
	char buffer[BUFFER];
};

struct tar *tar_new(int fd, uint64_t mtime)
{
	struct tar *t = xmalloc(sizeof(*t));

	t->fd = fd;
	t->mtime = mtime;
	t->used = 0;
	t->no_kernel_copy = false;
	return t;
}

void tar_free(struct tar *t)
{
	free(t);
}

void tar_free_p(struct tar **t)
{
	tar_free(*t);
}

static int flush(struct tar *t, struct err *e)
{
	int r = file_write_fd(t->fd, t->buffer, t->used);

	t->used = 0;
	if (r < 0) {
		errno = -r;
		return err_sys(e, "cannot write the archive");
	}
	return 0;
}

static int put(struct tar *t, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len > 0) {
		size_t n = BUFFER - t->used < len ? BUFFER - t->used : len;
		int r;

		memcpy(t->buffer + t->used, p, n);
		t->used += n;
		p += n;
		len -= n;
		if (t->used == BUFFER && (r = flush(t, e)) < 0)
			return r;
	}
	return 0;
}

static int pad(struct tar *t, uint64_t size, struct err *e)
{
	static const char zeros[BLOCK];

	return put(t, zeros, (size_t)(-size % BLOCK), e);
}

/* FIELD of SIZE bytes gets octal digits and a '\0'; the callers know that N fits. */
static void octal(char *field, size_t size, uint64_t n)
{
	field[--size] = '\0';
	while (size > 0) {
		field[--size] = (char)('0' + (n & 7));
		n >>= 3;
	}
}

/* Puts NAME into the two fields made for it, split at a slash. False: it does not fit. */
static bool split_name(struct header *h, const char *name, size_t len)
{
	const char *slash;
	size_t prefix;

	if (len <= sizeof(h->name)) {
		memcpy(h->name, name, len);
		return true;
	}
	if (len > sizeof(h->prefix) + 1 + sizeof(h->name))
		return false;

	/* The first slash that leaves little enough behind it; never a folder's final one. */
	slash = memchr(name + len - sizeof(h->name) - 1, '/', sizeof(h->name));
	prefix = slash ? (size_t)(slash - name) : 0;
	if (prefix == 0 || prefix > sizeof(h->prefix))
		return false;
	memcpy(h->prefix, name, prefix);
	memcpy(h->name, slash + 1, len - prefix - 1);
	return true;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts its own digits too. */
static void pax_record(struct buf *b, const char *key, const char *value, size_t len)
{
	size_t rest = strlen(key) + len + 3;
	size_t digits = 1;

	for (size_t limit = 10; rest + digits >= limit; limit *= 10)
		digits++;
	buf_addf(b, "%zu %s=", rest + digits, key);
	buf_add(b, value, len);
	buf_addc(b, '\n');
}

static void pax_number(struct buf *b, const char *key, uint64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)n);

	pax_record(b, key, text, (size_t)len);
}

static int put_header(struct tar *t, struct header *h, struct err *e)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned int sum = 0;

	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	octal(h->major, sizeof(h->major), 0);
	octal(h->minor, sizeof(h->minor), 0);
	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	octal(h->sum, 7, sum);
	return put(t, h, sizeof(*h), e);
}

static int put_pax(struct tar *t, const struct buf *records, struct err *e)
{
	struct header h = { .type = 'x' };
	int r;

	memcpy(h.name, "PaxHeaders", 10);
	octal(h.mode, sizeof(h.mode), 0644);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.size, sizeof(h.size), records->len);
	octal(h.mtime, sizeof(h.mtime), t->mtime > OCTAL_11 ? 0 : t->mtime);
	r = put_header(t, &h, e);
	if (r == 0)
		r = put(t, records->data, records->len, e);
	if (r == 0)
		r = pad(t, records->len, e);
	return r;
}

/* N into FIELD, or where it is over MAX into a pax record. */
static void number(char *field, size_t size, uint64_t n, uint64_t max, struct buf *pax,
		   const char *key)
{
	octal(field, size, n > max ? 0 : n);
	if (n > max)
		pax_number(pax, key, n);
}

static int put_item(struct tar *t, const struct tar_item *item, struct err *e)
{
	cleanup_buf struct buf name = BUF_INIT;
	cleanup_buf struct buf pax = BUF_INIT;
	struct header h = { .type = (char)item->type };
	int r = 0;

	buf_add(&name, item->path, item->path_len);
	if (item->type == TAR_FOLDER)
		buf_addc(&name, '/');
	if (!split_name(&h, name.data, name.len)) {
		memcpy(h.name, name.data, sizeof(h.name));
		pax_record(&pax, "path", name.data, name.len);
	}
	if (item->target_len > sizeof(h.target))
		pax_record(&pax, "linkpath", item->target, item->target_len);
	else if (item->target_len > 0)
		memcpy(h.target, item->target, item->target_len);

	octal(h.mode, sizeof(h.mode), item->mode);
	number(h.uid, sizeof(h.uid), item->uid, OCTAL_7, &pax, "uid");
	number(h.gid, sizeof(h.gid), item->gid, OCTAL_7, &pax, "gid");
	number(h.size, sizeof(h.size), item->size, OCTAL_11, &pax, "size");
	number(h.mtime, sizeof(h.mtime), t->mtime, OCTAL_11, &pax, "mtime");
	if (pax.len > 0)
		r = put_pax(t, &pax, e);
	return r < 0 ? r : put_header(t, &h, e);
}

/* -ENOSYS and its like when the kernel cannot copy between these two files; *LEFT is what
 * remains. */
static int copy_in_kernel(struct tar *t, int fd, uint64_t *left)
{
	while (*left > 0) {
		size_t want = *left < ((uint64_t)1 << 30) ? (size_t)*left : (size_t)1 << 30;
		ssize_t n = copy_file_range(fd, NULL, t->fd, NULL, want, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0; /* the end, or a kernel that does not tell: read() finds out
				   */
		*left -= (uint64_t)n;
	}
	return 0;
}

static bool is_no_way(int r)
{
	return r == -ENOSYS || r == -EXDEV || r == -EINVAL || r == -EOPNOTSUPP || r == -EPERM ||
	       r == -EBADF || r == -ETXTBSY;
}

static int copy_through_buffer(struct tar *t, int fd, uint64_t left, struct err *e)
{
	int r = 0;

	while (r == 0 && left > 0) {
		size_t room = BUFFER - t->used;
		ssize_t n = read(fd, t->buffer + t->used, left < room ? (size_t)left : room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read");
		if (n == 0)
			return err_set(e, -EIO, "got shorter while it was read");
		t->used += (size_t)n;
		left -= (uint64_t)n;
		if (t->used == BUFFER)
			r = flush(t, e);
	}
	return r;
}

static int put_content(struct tar *t, int fd, uint64_t size, struct err *e)
{
	uint64_t left = size;
	int r;

	if (size >= LARGE && !t->no_kernel_copy) {
		r = flush(t, e);
		if (r < 0)
			return r;
		r = copy_in_kernel(t, fd, &left);
		t->no_kernel_copy = is_no_way(r);
		if (r < 0 && !t->no_kernel_copy) {
			errno = -r;
			return err_sys(e, "cannot copy into the archive");
		}
	}
	r = copy_through_buffer(t, fd, left, e);
	return r < 0 ? r : pad(t, size, e);
}

int tar_add(struct tar *t, const struct tar_item *item, int fd, struct err *e)
{
	int r;

	assert(item->type == TAR_FILE || item->size == 0);
	r = put_item(t, item, e);
	if (r == 0 && item->size > 0)
		r = put_content(t, fd, item->size, e);
	return r;
}

int tar_finish(struct tar *t, struct err *e)
{
	static const char end[2 * BLOCK];
	int r = put(t, end, sizeof(end), e);

	return r < 0 ? r : flush(t, e);
}
