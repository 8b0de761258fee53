/* SPDX-License-Identifier: MIT */
#include "libformat/squashfs/squashfs_private.h"

#include "libformat/spool.h"

#include <string.h>

#define PLAIN    0x8000U
#define EXTENDED 7U /* what is added to a type for an inode with more fields */

uint16_t squash_get16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t squash_get32(const unsigned char *p)
{
	return squash_get16(p) | (uint32_t)squash_get16(p + 2) << 16;
}

uint64_t squash_get64(const unsigned char *p)
{
	return squash_get32(p) | (uint64_t)squash_get32(p + 4) << 32;
}

int squash_bad(struct err *e, const char *what)
{
	return err_set(e, -EINVAL, "the squashfs file system %s", what);
}

/* ---- blocks --------------------------------------------------------------- */

static int load(struct squash *s, struct squash_meta *m, uint64_t at, struct err *e)
{
	unsigned char head[2], packed[SQUASH_META];
	size_t len;
	int r = spool_read(s->fd, at, head, sizeof(head), e);

	m->at = 0;
	if (r < 0)
		return r;
	len = squash_get16(head) & ~PLAIN;
	if (len == 0 || len > sizeof(packed))
		return squash_bad(e, "has a metadata block of an impossible size");
	r = spool_read(s->fd, at + sizeof(head), packed, len, e);
	if (r < 0)
		return r;
	if (squash_get16(head) & PLAIN) {
		memcpy(m->data, packed, len);
		m->len = len;
	} else if (!squash_unpack(s->how, packed, len, m->data, sizeof(m->data), &m->len)) {
		return squash_bad(e, "has a damaged metadata block");
	}
	m->at = at;
	m->next = at + sizeof(head) + len;
	return 0;
}

static int find(struct squash *s, uint64_t at, struct squash_meta **ret, struct err *e)
{
	struct squash_meta *m = &s->meta[(at * 0x9e3779b97f4a7c15ULL >> 32) % SQUASH_META_KEPT];

	*ret = m;
	return m->at == at && at != 0 ? 0 : load(s, m, at, e);
}

int squash_read(struct squash *s, struct squash_at *at, void *data, size_t len, struct err *e)
{
	unsigned char *out = data;

	while (len > 0) {
		struct squash_meta *m;
		size_t n;
		int r = find(s, at->block, &m, e);

		if (r < 0)
			return r;
		if (at->offset > m->len || m->len == 0)
			return squash_bad(e, "points beyond a metadata block");
		if (at->offset == m->len) {
			*at = (struct squash_at){ m->next, 0 };
			continue;
		}
		n = m->len - at->offset < len ? m->len - at->offset : len;
		memcpy(out, m->data + at->offset, n);
		out += n;
		len -= n;
		at->offset += (uint32_t)n;
	}
	return 0;
}

int squash_entry(struct squash *s, uint64_t table, uint64_t number, size_t size, void *data,
		 struct err *e)
{
	uint64_t each = SQUASH_META / size;
	struct squash_at at;
	unsigned char p[8];
	int r;

	if (table > s->size)
		return squash_bad(e, "points beyond its end");
	r = spool_read(s->fd, table + number / each * 8, p, sizeof(p), e);
	if (r < 0)
		return r;
	at = (struct squash_at){ squash_get64(p), (uint32_t)(number % each * size) };
	return squash_read(s, &at, data, size, e);
}

/* ---- inodes --------------------------------------------------------------- */

static int read_id(struct squash *s, uint32_t number, uint32_t *ret, struct err *e)
{
	unsigned char p[4];
	int r;

	if (number >= s->ids)
		return squash_bad(e, "has an inode of an unknown owner");
	r = squash_entry(s, s->id_table, number, sizeof(p), p, e);
	*ret = r < 0 ? 0 : squash_get32(p);
	return r;
}

static void take_dir(struct squash *s, bool more, const unsigned char *p,
		     struct squash_inode *i)
{
	i->list.block = s->list_table + squash_get32(p + (more ? 8 : 0));
	i->list.offset = squash_get16(p + (more ? 18 : 10));
	i->size = more ? squash_get32(p + 4) : squash_get16(p + 8);
	i->links = 1;
	i->xattr = more ? squash_get32(p + 20) : SQUASH_NONE;
}

static void take_file(bool more, const unsigned char *p, struct squash_inode *i)
{
	i->start = more ? squash_get64(p) : squash_get32(p);
	i->size = more ? squash_get64(p + 8) : squash_get32(p + 12);
	i->links = more ? squash_get32(p + 24) : 1;
	i->frag = squash_get32(p + (more ? 28 : 4));
	i->frag_at = squash_get32(p + (more ? 32 : 8));
	i->xattr = more ? squash_get32(p + 36) : SQUASH_NONE;
}

/* What follows the head of an inode, by its type. */
static int take_rest(struct squash *s, bool more, struct squash_at at, struct squash_inode *i,
		     struct err *e)
{
	unsigned char p[40];
	size_t len = 4;
	int r;

	if (i->type == SQUASH_DIR)
		len = more ? 24 : 16;
	else if (i->type == SQUASH_FILE)
		len = more ? 40 : 16;
	else if (i->type == SQUASH_LINK)
		len = 8;
	r = squash_read(s, &at, p, len, e);
	if (r < 0)
		return r;
	i->rest = at;
	if (i->type == SQUASH_DIR) {
		take_dir(s, more, p, i);
	} else if (i->type == SQUASH_FILE) {
		take_file(more, p, i);
	} else {
		i->links = squash_get32(p);
		i->size = i->type == SQUASH_LINK ? squash_get32(p + 4) : 0;
		i->xattr = SQUASH_NONE; /* nothing of these may have one that is kept */
	}
	return 0;
}

int squash_inode_read(struct squash *s, struct squash_at at, struct squash_inode *ret,
		      struct err *e)
{
	struct squash_inode i = { 0 };
	unsigned char p[16];
	unsigned int type;
	int r = squash_read(s, &at, p, sizeof(p), e);

	if (r < 0)
		return r;
	type = squash_get16(p);
	if (type == 0 || type > 2 * EXTENDED)
		return squash_bad(e, "has an inode of an unknown type");
	i.type = (enum squash_type)(type > EXTENDED ? type - EXTENDED : type);
	i.mode = squash_get16(p + 2) & 07777U;
	i.mtime = squash_get32(p + 8);
	i.number = squash_get32(p + 12);
	if (i.number == 0 || i.number > s->inodes)
		return squash_bad(e, "has an inode of an impossible number");
	r = read_id(s, squash_get16(p + 4), &i.uid, e);
	if (r == 0)
		r = read_id(s, squash_get16(p + 6), &i.gid, e);
	if (r == 0)
		r = take_rest(s, type > EXTENDED, at, &i, e);
	*ret = i;
	return r;
}
