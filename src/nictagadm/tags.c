/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "librecord/record.h"
#include "nictagadm/nictagadm.h"

#include <stdio.h>
#include <string.h>

int tags_open(struct tags *t, const struct cli_call *call, bool change, struct err *e)
{
	int r;

	r = host_open(&t->host, call ? cli_get(call, "root") : NULL, e);
	if (r < 0)
		return r;
	if (call && cli_has(call, "v")) {
		cleanup_free char *path = host_path(&t->host, HOST_ETC, NICTAG_FILE);

		fprintf(stderr, "+ Using config file: %s\n", path);
	}
	if (change) {
		t->lock = nictag_lock(&t->host, e);
		if (t->lock < 0)
			return err_wrap(e, t->lock, "cannot lock the nic tags");
	}
	return nictag_load(&t->host, &t->tags, &t->count, e);
}

void tags_done(struct tags *t)
{
	free(t->tags);
	close_p(&t->lock);
	host_close(&t->host);
}

int tags_store(const struct tags *t, struct err *e)
{
	return nictag_store(&t->host, t->tags, t->count, e);
}

struct nictag *tags_find(const struct tags *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->tags[i].name, name) == 0)
			return &t->tags[i];
	return NULL;
}

void tags_add(struct tags *t, const struct nictag *tag)
{
	t->tags = xrealloc_array(t->tags, t->count + 1, sizeof(*t->tags));
	t->tags[t->count++] = *tag;
}

void tags_remove(struct tags *t, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->tags[i].name, name) != 0)
			t->tags[kept++] = t->tags[i];
	t->count = kept;
}

const struct nictag *tags_sharing(const struct tags *t, const struct nictag *tag)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->tags[i].name, tag->name) != 0 &&
		    strcmp(t->tags[i].bridge, tag->bridge) == 0)
			return &t->tags[i];
	return NULL;
}

const struct nictag *tags_on_link(const struct tags *t, const char *name, const char *mac)
{
	for (size_t i = 0; i < t->count; i++)
		if ((name[0] && strcmp(t->tags[i].link, name) == 0) ||
		    (mac[0] && strcmp(t->tags[i].mac, mac) == 0))
			return &t->tags[i];
	return NULL;
}

static bool uses_tag(const struct jv *record, const char *name)
{
	const struct jv *nics = jv_get(record, "nics");

	for (size_t i = 0; i < jv_len(nics); i++) {
		const char *tag = jv_get_string(jv_at(nics, i), "nic_tag");

		if (tag && strcmp(tag, name) == 0)
			return true;
	}
	return false;
}

int tags_each_vm(const struct tags *t, const char *name, void (*fn)(const char *uuid),
		 struct err *e)
{
	cleanup_free record_uuid *uuids = NULL;
	size_t count = 0;
	int users = 0, r;

	r = record_list(&t->host, &uuids, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		cleanup_jv struct jv *record = NULL;

		r = record_load(&t->host, uuids[i], &record, e);
		if (r == -ENOENT) /* deleted since */
			continue;
		if (r < 0)
			return r;
		if (!uses_tag(record, name))
			continue;
		users++;
		if (fn)
			fn(uuids[i]);
	}
	return users;
}
