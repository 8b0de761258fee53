/* SPDX-License-Identifier: MIT */
#include "imgadm/create.h"

#include "base/alloc.h"
#include "librecord/record.h"

#include <string.h>

static int load(struct creation *c, const char *uuid)
{
	struct err e = { 0 };
	int r = record_load(c->host, uuid, &c->record, &e);

	if (r == -ENOENT) {
		cleanup_free char *msg = xasprintf("vm \"%s\" not found", uuid);

		return imgadm_fail(c->call, "VmNotFound", msg);
	}
	return r < 0 ? imgadm_fail(c->call, "FileSystem", e.msg) : 0;
}

/* How many VMs have this alias; the last one's UUID. A record that cannot be read has none. */
static int count_named(const struct host *h, const char *alias, char ret[static UUID_STR],
		       struct err *e)
{
	cleanup_free record_uuid *uuids = NULL;
	size_t count = 0;
	int r = record_list(h, &uuids, &count, e), found = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		cleanup_jv struct jv *record = NULL;
		const char *its;

		if (record_load(h, uuids[i], &record, NULL) < 0)
			continue;
		its = jv_get_string(record, "alias");
		if (!its || strcmp(its, alias) != 0)
			continue;
		memcpy(ret, uuids[i], UUID_STR);
		found++;
	}
	return r < 0 ? r : found;
}

int create_load_vm(struct creation *c)
{
	const char *word = cli_operand(c->call, 0);
	cleanup_free char *msg = NULL;
	struct err e = { 0 };
	char uuid[UUID_STR];
	int found;

	if (uuid_is_valid(word))
		return load(c, word);
	found = count_named(c->host, word, uuid, &e);
	if (found < 0)
		return imgadm_fail(c->call, "FileSystem", e.msg);
	if (found == 1)
		return load(c, uuid);
	if (found == 0) {
		msg = xasprintf("invalid uuid: \"%s\", and no VM has this alias", word);
		return imgadm_fail(c->call, "InvalidUUID", msg);
	}
	msg = xasprintf("'%s' is the alias of %d VMs; give the UUID", word, found);
	return imgadm_fail(c->call, "InvalidArgument", msg);
}
