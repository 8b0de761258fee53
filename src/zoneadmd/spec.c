/* SPDX-License-Identifier: MIT */
/*
 * spec.c - from a VM's record to what run.h starts.
 *
 * vmadm checked the record when it was written, but a file can be edited: what
 * would do harm here is checked again, and the error names the property.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/path.h"
#include "librecord/record.h"
#include "libvm/zoneadmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

/* Below this are the host's own users and the ranges that it hands out to people. */
#define ID_BASE_MIN 65536
#define ID_BASE_MAX 4000000000LL

void zone_spec_done(struct zone_spec *s)
{
	for (size_t i = 0; i < RUN_NICS_MAX; i++)
		free(s->ips[i]);
	for (size_t i = 0; i < ZONE_MOUNTS_MAX; i++)
		free(s->sources[i]);
	free(s->data);
	free(s->snapshots);
	free(s->rootfs);
	free(s->console_log);
	jv_unref(s->record);
}

static uint64_t positive(const struct jv *record, const char *property)
{
	int64_t n = jv_get_int(record, property, 0);

	return n > 0 ? (uint64_t)n : 0;
}

static int take_ids(struct zone_spec *s, struct err *e)
{
	int64_t base = jv_get_int(s->record, "idmap_base", 0);

	if (base < ID_BASE_MIN || base > ID_BASE_MAX || base % RECORD_ID_COUNT)
		return err_set(
			e, -EINVAL,
			"idmap_base: %lld is not a multiple of %u from %u on; the record "
			"was damaged",
			(long long)base, RECORD_ID_COUNT, ID_BASE_MIN);
	s->run.id_base = (uint32_t)base;
	s->run.id_count = RECORD_ID_COUNT;
	return 0;
}

static void take_limits(struct zone_spec *s)
{
	const struct jv *r = s->record;
	uint64_t memory = positive(r, "max_physical_memory");
	uint64_t swap = positive(r, "max_swap");

	s->run.memory_bytes = memory * MIB;
	s->run.swap_bytes = swap > memory ? (swap - memory) * MIB : 0;
	s->run.locked_bytes = positive(r, "max_locked_memory") * MIB;
	s->run.tmpfs_bytes = positive(r, "tmpfs") * MIB;
	s->run.cpu_cap = (uint32_t)positive(r, "cpu_cap");
	s->run.cpu_shares = (uint32_t)positive(r, "cpu_shares");
	s->run.max_processes = (uint32_t)positive(r, "max_lwps");
	s->run.io_weight = (uint32_t)positive(r, "zfs_io_priority");
	s->run.shm_bytes = positive(r, "max_shm_memory") * MIB;
	s->run.shm_ids = (uint32_t)positive(r, "max_shm_ids");
	s->run.sem_ids = (uint32_t)positive(r, "max_sem_ids");
	s->run.msg_ids = (uint32_t)positive(r, "max_msg_ids");
	s->run.console_log_bytes = positive(r, "zlog_max_size");
}

static const char **take_ips(const struct jv *nic)
{
	const struct jv *ips = jv_get(nic, "ips");
	const char **list = xcalloc(jv_len(ips) + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < jv_len(ips); i++)
		if (jv_as_string(jv_at(ips, i)))
			list[n++] = jv_as_string(jv_at(ips, i));
	return list;
}

/* Two NICs with one number would be one link. */
static int check_link(const struct zone_spec *s, size_t index, struct err *e)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(s->host_names[i], s->host_names[index]) == 0)
			return err_set(e, -EINVAL,
				       "nics[%zu]: its interface has the number of nics[%zu]",
				       index, i);
	return 0;
}

static int take_nic(struct zone_spec *s, const char *uuid, size_t index, struct err *e)
{
	const struct jv *nic = jv_at(jv_get(s->record, "nics"), index);
	struct run_nic *n = &s->nics[index];
	int r;

	n->name = jv_get_string(nic, "interface");
	n->mac = jv_get_string(nic, "mac");
	if (!n->name || !n->mac)
		return err_set(e, -EINVAL, "nics[%zu]: 'interface' or 'mac' is missing", index);
	r = zoneadmd_nic_link(uuid, nic, s->host_names[index], e);
	if (r < 0)
		return err_wrap(e, r, "nics[%zu]", index);
	n->host_name = s->host_names[index];
	n->mtu = (unsigned int)positive(nic, "mtu");
	n->vlan_id = (unsigned int)positive(nic, "vlan_id");
	s->ips[index] = take_ips(nic);
	n->ips = s->ips[index];
	/* One default route: of the NIC that is marked. */
	if (jv_get_bool(nic, "primary", false))
		n->gateway = jv_as_string(jv_at(jv_get(nic, "gateways"), 0));
	return check_link(s, index, e);
}

static int take_nics(struct zone_spec *s, const char *uuid, struct err *e)
{
	size_t count = jv_len(jv_get(s->record, "nics"));

	if (count > RUN_NICS_MAX)
		return err_set(e, -E2BIG, "nics: %zu are more than %d", count, RUN_NICS_MAX);
	for (size_t i = 0; i < count; i++) {
		int r = take_nic(s, uuid, i, e);

		if (r < 0)
			return r;
	}
	s->run.nics = s->nics;
	s->run.nic_count = count;
	return 0;
}

/*
 * The image is foreign: liblxc mounts /dev, /proc and /sys over these folders and
 * refuses a link there, with words that help nobody.
 */
int zone_spec_check_root(const struct zone_spec *s, struct err *e)
{
	const char *rootfs = s->rootfs;
	static const char *const mounted[] = { "dev", "proc", "sys", "tmp" };
	cleanup_close int fd = open(rootfs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open the root '%s'", rootfs);
	for (size_t i = 0; i < ARRAY_SIZE(mounted); i++) {
		cleanup_close int sub = path_open_in_root(
			fd, mounted[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, NULL);

		if (sub < 0 && errno != ENOENT)
			return err_set(e, -ENOTDIR,
				       "'/%s' in the root '%s' is no folder; the image cannot "
				       "be started",
				       mounted[i], rootfs);
	}
	return 0;
}

static void take_paths(struct zone *z, struct zone_spec *s)
{
	const char *hostname = jv_get_string(s->record, "hostname");
	const char *init = jv_get_string(s->record, "init_name");

	s->rootfs = xasprintf("%s/" HOST_POOL "/%s/root", z->host.root, z->uuid);
	s->console_log =
		xasprintf("%s/" HOST_POOL "/%s/logs/console.log", z->host.root, z->uuid);
	s->init_argv[0] = init;
	s->run.uuid = z->uuid;
	s->run.rundir = z->rundir;
	s->run.rootfs = s->rootfs;
	s->run.console_log = s->console_log;
	s->run.hostname = hostname && *hostname ? hostname : z->uuid;
	s->run.init_argv = init ? s->init_argv : NULL;
	s->run.end_program = z->program;
}

int zone_spec_load(struct zone *z, struct zone_spec *ret_spec, struct err *e)
{
	struct zone_spec *s = ret_spec;
	int r;

	*s = (struct zone_spec){ 0 };
	r = record_load(&z->host, z->uuid, &s->record, e);
	if (r == 0)
		r = take_ids(s, e);
	if (r == 0)
		r = take_nics(s, z->uuid, e);
	if (r == 0)
		r = zone_take_filesystems(z, s, e);
	if (r < 0)
		return err_wrap(e, r, "VM %s", z->uuid);
	take_paths(z, s);
	take_limits(s);
	zone_take_privileges(z, s);
	zone_take_fs_allowed(z, s);
	z->zoneid = s->run.id_base / RECORD_ID_COUNT;
	return 0;
}
