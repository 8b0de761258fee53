/* SPDX-License-Identifier: MIT */
#include "libvm/vm_store.h"

#include "base/jv.h"
#include "libpayload/prop.h"
#include "librecord/record.h"
#include "libvm/zoneadmd.h"

#include <unistd.h>

int vm_store_open(const struct host *h, struct store **ret_store, struct err *e)
{
	cleanup_close int poolfd = host_dir_existing(h, HOST_POOL, e);

	if (poolfd == -ENOENT)
		return err_set(e, -ENOENT,
			       "there is no pool '%s/" HOST_POOL "'; mkpool(8) makes one",
			       h->root);
	return poolfd < 0 ? poolfd : store_open(poolfd, ret_store, e);
}

int vm_need_zone(const struct jv *record, const char *what, struct err *e)
{
	if (brand_from_name(jv_get_string(record, "brand")) & BRANDS_HARDWARE)
		return err_set(e, -ENOTSUP, "%s", what);
	return 0;
}

int vm_start_locked(const struct vm_host *vh, const char *uuid, struct vm_report *rep,
		    struct err *e)
{
	cleanup_jv struct jv *warnings = NULL;
	int r = zoneadmd_start_vm(vh->host, vh->zoneadmd, uuid, &warnings, e);

	for (size_t i = 0; i < jv_len(warnings); i++)
		if (jv_as_string(jv_at(warnings, i)))
			vm_report_warn(rep, "%s", jv_as_string(jv_at(warnings, i)));
	return r;
}

struct jv *vm_snapshots(struct store *store, const char *uuid)
{
	cleanup_free struct store_snapshot *list = NULL;
	struct jv *all = jv_array();
	size_t count = 0;

	if (!store || store_snapshot_list(store, uuid, &list, &count, NULL) < 0)
		return all;
	for (size_t i = 0; i < count; i++) {
		struct jv *item = jv_object();

		jv_set(item, "name", jv_string(list[i].name));
		jv_set(item, "created_at", jv_int(list[i].created_ns / 1000000000));
		jv_push(all, item);
	}
	return all;
}
