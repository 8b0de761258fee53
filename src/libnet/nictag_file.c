/* SPDX-License-Identifier: MIT */
/*
 * nictag_file.c - nictags.json, read strictly and replaced whole.
 */
#include "base/alloc.h"
#include "base/fileio.h"
#include "base/jv.h"
#include "base/lock.h"
#include "libnet/nictag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX (256 * 1024)

/* Another command changes tags within milliseconds. */
#define LOCK_WAIT_MS 10000

static int bad(const char *where, const char *what, struct err *e)
{
	return err_set(e, -EINVAL, "%s: %s", where, what);
}

static int read_link_name(const struct jv *v, const char *where, char ret[static IFNAMSIZ],
			  struct err *e)
{
	const char *text = jv_as_string(v);

	if (!text || !nictag_link_name_is_valid(text))
		return bad(where, "must be the name of an interface, at most 15 characters", e);
	(void)snprintf(ret, IFNAMSIZ, "%s", text);
	return 0;
}

static int read_link(const struct jv *v, const char *where, struct nictag *tag, struct err *e)
{
	return read_link_name(v, where, tag->link, e);
}

static int read_bridge(const struct jv *v, const char *where, struct nictag *tag, struct err *e)
{
	return read_link_name(v, where, tag->bridge, e);
}

static int read_mac(const struct jv *v, const char *where, struct nictag *tag, struct err *e)
{
	const char *text = jv_as_string(v);

	if (!text || mac_normalise(text, tag->mac, NULL) < 0 || !mac_is_unicast(tag->mac))
		return bad(where, "must be a MAC address of one station", e);
	return 0;
}

static int read_address(const struct jv *v, const char *where, struct nictag *tag,
			struct err *e)
{
	const char *text = jv_as_string(v);
	struct addr a;

	if (!text || addr_parse_prefix(text, &a, NULL) < 0 || !addr_is_unicast(&a) ||
	    a.prefix == 0)
		return bad(where, "must be ADDRESS/PREFIX, as in \"10.99.0.1/24\"", e);
	addr_format_prefix(&a, tag->address);
	return 0;
}

static int read_mtu(const struct jv *v, const char *where, struct nictag *tag, struct err *e)
{
	int64_t mtu = jv_as_int(v, 0);

	if (mtu < NICTAG_MTU_MIN || mtu > NICTAG_MTU_MAX)
		return bad(where, "must be an integer of 1500 to 9000", e);
	tag->mtu = (unsigned int)mtu;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(const struct jv *v, const char *where, struct nictag *tag, struct err *e);
} members[] = {
	{ "address", read_address }, { "bridge", read_bridge }, { "link", read_link },
	{ "mac", read_mac },         { "mtu", read_mtu },
};

static int read_member(const char *key, const struct jv *v, const char *where,
		       struct nictag *tag, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (strcmp(members[i].name, key) == 0)
			return members[i].read(v, where, tag, e);
	return bad(where, "is not known; members are address, bridge, link, mac, mtu", e);
}

static int read_tag(const char *source, const char *name, const struct jv *v,
		    struct nictag *ret_tag, struct err *e)
{
	char where[256];
	int r;

	(void)snprintf(where, sizeof(where), "%.100s: /%.40s", source, name);
	if (!nictag_name_is_valid(name))
		return bad(where, "is no tag name: letters, digits and '_', at most 31 of them",
			   e);
	if (jv_type(v) != JV_OBJECT)
		return bad(where, "must be an object", e);
	nictag_init(ret_tag, name);
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it)) {
		(void)snprintf(where, sizeof(where), "%.100s: /%.40s/%.40s", source, name,
			       jv_iter_key(it));
		r = read_member(jv_iter_key(it), jv_iter_value(it), where, ret_tag, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Two tags that would meet in one bridge though nobody said so: their hashes are equal. */
static int check_apart(const char *source, const struct nictag *tags, size_t count,
		       struct err *e)
{
	const struct nictag *new = &tags[count];

	for (size_t i = 0; i < count; i++) {
		if (strcmp(tags[i].bridge, new->bridge) == 0 && !nictag_is_guest(new) &&
		    !nictag_is_guest(&tags[i]))
			return err_set(e, -EINVAL,
				       "%.100s: /%s: has the same bridge '%s' as /%s; "
				       "choose another name",
				       source, new->name, new->bridge, tags[i].name);
	}
	return 0;
}

int nictag_parse(const char *text, size_t len, const char *source, struct nictag **ret_tags,
		 size_t *ret_count, struct err *e)
{
	cleanup_free struct nictag *tags = NULL;
	cleanup_jv struct jv *v = NULL;
	size_t count = 0;
	int r;

	r = jv_parse(text, len, source, &v, e);
	if (r < 0)
		return r;
	if (jv_type(v) != JV_OBJECT)
		return bad(source, "must be an object of tags", e);
	if (jv_len(v) > NICTAG_COUNT_MAX)
		return bad(source, "has more than 1024 tags", e);
	tags = xcalloc(jv_len(v) + 1, sizeof(*tags));
	for (void *it = jv_iter(v); it; it = jv_iter_next(v, it), count++) {
		r = read_tag(source, jv_iter_key(it), jv_iter_value(it), &tags[count], e);
		if (r < 0)
			return r;
		r = check_apart(source, tags, count, e);
		if (r < 0)
			return r;
	}
	*ret_tags = take_ptr(tags);
	*ret_count = count;
	return 0;
}

int nictag_load(const struct host *h, struct nictag **ret_tags, size_t *ret_count,
		struct err *e)
{
	cleanup_free char *path = host_path(h, HOST_ETC, NICTAG_FILE);
	cleanup_close int dir = -1;
	cleanup_free char *text = NULL;
	size_t len;
	int r;

	dir = host_dir_existing(h, HOST_ETC, e);
	r = dir < 0 ? dir : file_read_all(dir, NICTAG_FILE, FILE_MAX, &text, &len, e);
	if (r == -ENOENT) {
		*ret_tags = NULL;
		*ret_count = 0;
		return 0;
	}
	if (r < 0)
		return err_wrap(e, r, "%s", path);
	return nictag_parse(text, len, path, ret_tags, ret_count, e);
}

static struct jv *tag_value(const struct nictag *tag)
{
	struct jv *v = jv_object();

	if (tag->mac[0])
		jv_set(v, "mac", jv_string(tag->mac));
	if (tag->link[0])
		jv_set(v, "link", jv_string(tag->link));
	if (nictag_is_guest(tag))
		jv_set(v, "bridge", jv_string(tag->bridge));
	if (tag->mtu != NICTAG_MTU_MIN)
		jv_set(v, "mtu", jv_int(tag->mtu));
	if (tag->address[0])
		jv_set(v, "address", jv_string(tag->address));
	return v;
}

int nictag_store(const struct host *h, const struct nictag *tags, size_t count, struct err *e)
{
	cleanup_jv struct jv *v = jv_object();
	cleanup_close int dir = -1;
	int r;

	dir = host_dir(h, HOST_ETC, 0755, e);
	if (dir < 0)
		return dir;
	for (size_t i = 0; i < count; i++) {
		r = check_apart(NICTAG_FILE, tags, i, e);
		if (r < 0)
			return r;
		jv_set(v, tags[i].name, tag_value(&tags[i]));
	}
	return jv_store(dir, NICTAG_FILE, v, e);
}

int nictag_lock(const struct host *h, struct err *e)
{
	cleanup_close int dir = -1;

	dir = host_dir(h, HOST_LOCKS, 0755, e);
	if (dir < 0)
		return dir;
	return lock_take(dir, "nictags", LOCK_EXCLUSIVE, LOCK_WAIT_MS, e);
}
