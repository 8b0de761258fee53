/* SPDX-License-Identifier: MIT */
#include "librecord/claim.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/path.h"
#include "libnet/address.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int claim_holder(int claimsfd, const char *name, char ret_holder[static UUID_STR],
		 struct err *e)
{
	char target[UUID_STR + 1];
	ssize_t n;

	n = readlinkat(claimsfd, name, target, sizeof(target) - 1);
	if (n < 0)
		return err_sys(e, "cannot read claim '%s'", name);
	target[n] = '\0';
	/* Not one of ours: nobody can be asked to give it up, so it has no holder to name. */
	if (!uuid_is_valid(target))
		return err_set(e, -EBADMSG, "claim '%s' does not name a VM", name);
	memcpy(ret_holder, target, UUID_STR);
	return 0;
}

int claim_take(int claimsfd, const char *name, const char *uuid,
	       char ret_holder[static UUID_STR], struct err *e)
{
	for (;;) {
		int r;

		if (symlinkat(uuid, claimsfd, name) == 0)
			return 0;
		if (errno != EEXIST)
			return err_sys(e, "cannot make claim '%s'", name);
		r = claim_holder(claimsfd, name, ret_holder, e);
		if (r == -ENOENT) /* given back meanwhile */
			continue;
		if (r < 0)
			return r;
		if (strcmp(ret_holder, uuid) == 0)
			return 0;
		return err_set(e, -EEXIST, "'%s' belongs to VM %s", name, ret_holder);
	}
}

int claim_drop(int claimsfd, const char *name, const char *uuid, struct err *e)
{
	char holder[UUID_STR];
	int r;

	r = claim_holder(claimsfd, name, holder, e);
	if (r == -ENOENT || r == -EBADMSG || (r == 0 && strcmp(holder, uuid) != 0))
		return 0;
	if (r < 0)
		return r;
	if (unlinkat(claimsfd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove claim '%s'", name);
	return 0;
}

/* FNV-1a: spreads UUIDs over the slots, so that most find theirs at once. */
static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

int claim_take_ids(int claimsfd, const char *uuid, uint32_t *ret_base, struct err *e)
{
	uint32_t first = hash(uuid) % CLAIM_ID_COUNT;

	for (uint32_t i = 0; i < CLAIM_ID_COUNT; i++) {
		uint32_t slot = (first + i) % CLAIM_ID_COUNT;
		char name[32], holder[UUID_STR];
		int r;

		(void)snprintf(name, sizeof(name), "id.%u", slot);
		r = claim_take(claimsfd, name, uuid, holder, e);
		if (r == -EEXIST || r == -EBADMSG)
			continue;
		if (r < 0)
			return r;
		*ret_base = (CLAIM_ID_FIRST + slot) << 16;
		return 0;
	}
	return err_set(e, -ENOSPC, "no id range is free: a host holds %d VMs", CLAIM_ID_COUNT);
}

static void add_claim(struct jv *claims, char *name, const char *pointer, char *what)
{
	struct jv *claim = jv_object();

	jv_set(claim, "name", jv_string(name));
	jv_set(claim, "pointer", jv_string(pointer));
	jv_set(claim, "what", jv_string(what));
	jv_push(claims, claim);
	free(name);
	free(what);
}

/* A tag may hold '/', which a file name cannot; ':' is in no tag. */
static char *network_of(const struct jv *nic)
{
	char *tag = xstrdup(jv_get_string(nic, "nic_tag"));

	for (char *c = tag; c && *c; c++)
		if (*c == '/')
			*c = ':';
	return tag;
}

static void claims_of_nic(struct jv *claims, const struct jv *nic, size_t index)
{
	cleanup_free char *network = network_of(nic);
	const struct jv *ips = jv_get(nic, "ips");
	const char *mac = jv_get_string(nic, "mac");
	long long vlan = jv_get_int(nic, "vlan_id", 0);
	long long vrid = jv_get_int(nic, "vrrp_vrid", -1);
	char pointer[64], text[ADDR_STR];

	if (!network || !mac)
		return;
	(void)snprintf(pointer, sizeof(pointer), "/nics/%zu/mac", index);
	if (vrid >= 0)
		add_claim(claims, xasprintf("vrid.%s.%lld.%lld", network, vlan, vrid), pointer,
			  xasprintf("virtual router %lld on '%s'", vrid, network));
	else
		add_claim(claims, xasprintf("mac.%s", mac), pointer, xasprintf("MAC %s", mac));
	for (size_t i = 0; i < jv_len(ips); i++) {
		const char *ip = jv_as_string(jv_at(ips, i));
		struct addr a;

		if (!ip || addr_parse_prefix(ip, &a, NULL) < 0)
			continue;
		addr_format(&a, text);
		(void)snprintf(pointer, sizeof(pointer), "/nics/%zu/ips/%zu", index, i);
		add_claim(claims, xasprintf("ip.%s.%lld.%s", network, vlan, text), pointer,
			  xasprintf("address %s on '%s' (VLAN %lld)", text, network, vlan));
	}
}

struct jv *claims_of_record(const struct jv *record)
{
	const struct jv *nics = jv_get(record, "nics");
	int64_t base = jv_get_int(record, "idmap_base", 0);
	int64_t port = jv_get_int(record, "vnc_port", 0);
	struct jv *claims = jv_array();

	if (base)
		add_claim(claims,
			  xasprintf("id.%lld", (long long)(base >> 16) - CLAIM_ID_FIRST),
			  "/idmap_base", xasprintf("the ids from %lld", (long long)base));
	if (port > 0)
		add_claim(claims, xasprintf("vnc.%lld", (long long)port), "/vnc_port",
			  xasprintf("VNC port %lld", (long long)port));
	for (size_t i = 0; i < jv_len(nics); i++)
		claims_of_nic(claims, jv_at(nics, i), i);
	return claims;
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

int claim_each(int claimsfd,
	       int (*fn)(void *data, const char *name, const char *holder, struct err *e),
	       void *data, struct err *e)
{
	cleanup_with(close_dir) DIR *d = NULL;
	struct dirent *entry;
	char holder[UUID_STR];
	int fd, r;

	fd = openat(claimsfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		r = err_sys(e, "cannot read the claims");
		close_p(&fd);
		return r;
	}
	while ((r = path_next_entry(d, &entry, e)) > 0) {
		if (entry->d_name[0] == '.')
			continue;
		r = claim_holder(claimsfd, entry->d_name, holder, e);
		/* Given back meanwhile, or none of ours. */
		if (r == -ENOENT || r == -EBADMSG || r == -EINVAL)
			continue;
		if (r == 0)
			r = fn(data, entry->d_name, holder, e);
		if (r < 0)
			return r;
	}
	return r;
}

struct dropping {
	int claimsfd;
	const char *uuid;
};

static int drop_if_ours(void *data, const char *name, const char *holder, struct err *e)
{
	const struct dropping *d = data;

	return strcmp(holder, d->uuid) == 0 ? claim_drop(d->claimsfd, name, d->uuid, e) : 0;
}

int claim_drop_all(int claimsfd, const char *uuid, struct err *e)
{
	struct dropping d = { claimsfd, uuid };

	return claim_each(claimsfd, drop_if_ours, &d, e);
}
