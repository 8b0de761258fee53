/* SPDX-License-Identifier: MIT */
#include "libpayload/payload.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"
#include "base/uuid.h"
#include "libpayload/payload_rules.h"
#include "librecord/record.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NOBODY "00000000-0000-0000-0000-000000000000"

const char *payload_nic_pointer(char ret[static 64], size_t index, const char *member)
{
	(void)snprintf(ret, 64, "/nics/%zu/%s", index, member);
	return ret;
}

int payload_parse(const char *text, size_t len, const char *source, struct jv **ret_payload,
		  struct err *e)
{
	cleanup_jv struct jv *payload = NULL;
	int r;

	if (len > PAYLOAD_MAX)
		return err_set(e, -EFBIG, "Invalid JSON payload: %s is larger than %zu bytes",
			       source, PAYLOAD_MAX);
	r = jv_parse(text, len, source, &payload, e);
	if (r < 0)
		return err_wrap(e, r, "Invalid JSON payload");
	if (jv_type(payload) != JV_OBJECT)
		return err_set(e, -EINVAL, "Invalid JSON payload: %s: must be an object, is %s",
			       source, jv_type_name(jv_type(payload)));
	*ret_payload = take_ptr(payload);
	return 0;
}

/* The brand decides what else may be there. 0: it was told what is wrong. */
static unsigned int find_brand(const struct jv *payload, struct problems *ps)
{
	const struct jv *given = jv_get(payload, "brand");
	unsigned int brand;

	if (!given || jv_type(given) == JV_NULL)
		return BRAND_JOYENT;
	brand = brand_from_name(jv_as_string(given));
	if (!brand)
		problems_add(
			ps, PROBLEM_VALUE, "brand", "/brand",
			"must be one of lx, joyent, joyent-minimal, builder, kvm and bhyve");
	return brand;
}

static bool image_type_runs(const char *type)
{
	static const char *const types[] = { "lx-dataset", "zone-dataset", "docker", "lxd",
					     "oci" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static int check_image(const struct jv *payload, enum brand brand,
		       const struct payload_env *env, struct problems *ps, struct err *e)
{
	const char *uuid = jv_get_string(payload, "image_uuid");
	struct payload_image image = { 0 };
	int r;

	if (!uuid)
		return 0;
	r = env->image(env->data, uuid, &image, e);
	if (r == -ENOENT) {
		problems_add(ps, PROBLEM_VALUE, "image_uuid", "/image_uuid",
			     "no image %s is installed; 'imgadm list' shows those that are",
			     uuid);
		return 0;
	}
	if (r < 0 || (brand & BRANDS_HARDWARE))
		return r;
	if (!image_type_runs(image.type))
		problems_add(ps, PROBLEM_VALUE, "image_uuid", "/image_uuid",
			     "image %s is of type '%s', which %s VMs are not made from", uuid,
			     image.type, brand_name(brand));
	else if (strcmp(image.os, "linux") != 0)
		problems_add(ps, PROBLEM_VALUE, "image_uuid", "/image_uuid",
			     "image %s is for os '%s'; containers here run those for 'linux'",
			     uuid, image.os);
	return 0;
}

static void check_required(const struct jv *payload, enum brand brand, struct problems *ps)
{
	const struct prop *p;

	for (size_t i = 0; (p = prop_at(i)); i++) {
		cleanup_free char *pointer = NULL;

		if (!(p->required & brand) || jv_get(payload, p->name) ||
		    problems_has(ps, PROBLEM_VALUE, p->name))
			continue;
		pointer = xasprintf("/%s", p->name);
		problems_add(ps, PROBLEM_MISSING, p->name, pointer, "must be given: %s",
			     p->meaning);
	}
}

/* Old names of properties; the new one wins when both are there. */
static void rename_old(struct jv *payload, const char *old, const char *name,
		       struct problems *ps)
{
	const char *value = jv_get_string(payload, old);

	if (!value)
		return;
	problems_add(ps, PROBLEM_NOTE, old, "/", "is an old name of %s", name);
	if (!jv_get(payload, name))
		jv_set(payload, name, jv_string(value));
	(void)jv_del(payload, old);
}

static void now_text(char ret[static 32])
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	n = strftime(ret, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret + n, 32 - n, ".%03dZ", (int)(ts.tv_nsec / 1000000));
}

static void default_text(struct jv *record, const char *name, const char *value)
{
	if (!jv_get(record, name))
		jv_set(record, name, jv_string(value));
}

static void default_value(struct jv *record, const char *name, struct jv *value)
{
	if (jv_get(record, name))
		jv_unref(value);
	else
		jv_set(record, name, value);
}

/* limit_priv is read as a list and kept as one text, as get prints it. */
static void join_limit_priv(struct jv *record)
{
	const struct jv *list = jv_get(record, "limit_priv");
	cleanup_buf struct buf b = BUF_INIT;

	if (jv_type(list) != JV_ARRAY)
		return;
	/* Nothing asks for the default; a zone without any privilege starts no init. */
	if (jv_len(list) == 0) {
		(void)jv_del(record, "limit_priv");
		return;
	}
	for (size_t i = 0; i < jv_len(list); i++)
		buf_addf(&b, "%s%s", i ? "," : "", jv_as_string(jv_at(list, i)));
	jv_set(record, "limit_priv", jv_string(buf_str(&b)));
}

/* The record begins with what people look for, in this order, whatever the payload's was. */
static struct jv *begin_record(const struct jv *payload, enum brand brand)
{
	static const char *const first[] = { "alias", "hostname", "image_uuid" };
	const char *given = jv_get_string(payload, "uuid");
	struct jv *record = jv_object();
	char uuid[UUID_STR];

	if (given)
		(void)snprintf(uuid, sizeof(uuid), "%s", given);
	else
		uuid_generate_random(uuid);
	jv_set(record, "v", jv_int(RECORD_VERSION));
	jv_set(record, "uuid", jv_string(uuid));
	jv_set(record, "zonename", jv_string(uuid));
	jv_set(record, "brand", jv_string(brand_name(brand)));
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		if (jv_get(payload, first[i]))
			jv_set(record, first[i], jv_ref(jv_get(payload, first[i])));
	default_text(record, "hostname", uuid);
	for (void *it = jv_iter(payload); it; it = jv_iter_next(payload, it))
		if (!jv_get(record, jv_iter_key(it)))
			jv_set(record, jv_iter_key(it), jv_ref(jv_iter_value(it)));
	return record;
}

void payload_defaults(struct jv *record, enum brand brand)
{
	join_limit_priv(record);
	default_text(record, "hostname", jv_get_string(record, "uuid"));
	default_text(record, "owner_uuid", NOBODY);
	default_text(record, "billing_id", NOBODY);
	default_text(record, "zpool", "zones");
	if (brand & BRANDS_ZONE)
		default_text(record, "dns_domain", "local");
	default_text(record, "limit_priv",
		     brand & BRANDS_HARDWARE ? "default,-file_link_any,-net_access,-proc_fork,"
					       "-proc_info,-proc_session"
					     : "default");
	default_value(record, "autoboot", jv_bool(true));
	default_value(record, "firewall_enabled", jv_bool(false));
	default_value(record, "resolvers", jv_array());
	default_value(record, "nics", jv_array());
	default_value(record, "routes", jv_object());
	default_value(record, "tags", jv_object());
	default_value(record, "customer_metadata", jv_object());
	default_value(record, "internal_metadata", jv_object());
}

static void fill_record(struct jv *record, enum brand brand)
{
	static const char *const transient[] = { "nowait", "mdata_exec_timeout" };
	char now[32];

	now_text(now);
	default_text(record, "create_timestamp", now);
	payload_defaults(record, brand);
	for (size_t i = 0; i < ARRAY_SIZE(transient); i++)
		(void)jv_del(record, transient[i]);
}

static bool list_has(const struct jv *list, const char *word)
{
	for (size_t i = 0; i < jv_len(list); i++)
		if (jv_as_string(jv_at(list, i)) &&
		    strcmp(jv_as_string(jv_at(list, i)), word) == 0)
			return true;
	return false;
}

/* 64 hex digits: the VM's UUID and another, without their dashes. */
static struct jv *docker_id(const char *uuid)
{
	char other[UUID_STR], id[2 * UUID_STR];
	size_t n = 0;

	uuid_generate_random(other);
	for (const char *c = uuid; *c; c++)
		if (*c != '-')
			id[n++] = *c;
	for (const char *c = other; *c; c++)
		if (*c != '-')
			id[n++] = *c;
	id[n] = '\0';
	return jv_string(id);
}

void payload_docker(struct jv *record)
{
	struct jv *metadata = jv_get(record, "internal_metadata");
	struct jv *spaces = jv_get(record, "internal_metadata_namespaces");

	if (!jv_get_bool(record, "docker", false))
		return;
	if (!spaces) {
		spaces = jv_array();
		jv_set(record, "internal_metadata_namespaces", spaces);
	}
	if (!list_has(spaces, "docker"))
		jv_push(spaces, jv_string("docker"));
	default_value(record, "restart_init", jv_bool(false));
	if (!jv_get(metadata, "docker:id"))
		jv_set(metadata, "docker:id", docker_id(jv_get_string(record, "uuid")));
}

static void check_zonename(const struct jv *payload, struct problems *ps)
{
	const char *name = jv_get_string(payload, "zonename");
	const char *uuid = jv_get_string(payload, "uuid");

	if (name && (!uuid || strcmp(name, uuid) != 0))
		problems_add(ps, PROBLEM_NOTE, "zonename", "/zonename",
			     "is always the UUID here; the given name is dropped");
}

/* NICs, disks and devices: each, and all together. */
static int complete_lists(struct jv *record, enum brand brand, const struct payload_env *env,
			  struct problems *ps, struct err *e)
{
	struct payload_list nics = { jv_get(record, "nics"), brand,
				     jv_get_string(record, "nic_driver"), env, ps };
	struct payload_list disks = { jv_get(record, "disks"), brand,
				      jv_get_string(record, "disk_driver"), env, ps };
	int r;

	r = payload_nics(&nics, e);
	if (r == 0)
		r = payload_disks_new(&disks, 0, "disks", jv_get_string(record, "bootrom"), e);
	if (r < 0)
		return r;
	payload_disks_together(&disks, "disks");
	payload_pci_devices(jv_get(record, "pci_devices"), 0, "pci_devices", ps);
	payload_pci_devices(jv_get(record, "add_pci_devices"), 0, "add_pci_devices", ps);
	if (jv_get(record, "pci_devices") && jv_get(record, "add_pci_devices"))
		problems_add(ps, PROBLEM_RULE, "pci_devices", "/add_pci_devices",
			     "pci_devices and add_pci_devices cannot be given together");
	else if (jv_get(record, "add_pci_devices"))
		jv_set(record, "pci_devices", jv_ref(jv_get(record, "add_pci_devices")));
	(void)jv_del(record, "add_pci_devices");
	return 0;
}

/* RET_RECORD is the record even when it is refused, as far as it came. */
static int describe(const struct jv *payload, enum brand brand, const struct payload_env *env,
		    struct jv **ret_record, struct problems *ps, struct err *e)
{
	cleanup_jv struct jv *checked = payload_check(payload, brand, PROP_CREATE, ps);
	struct jv *record;
	int r;

	rename_old(checked, "dataset_uuid", "image_uuid", ps);
	rename_old(checked, "zfs_storage_pool_name", "zpool", ps);
	check_required(checked, brand, ps);
	r = check_image(checked, brand, env, ps, e);
	if (r < 0)
		return r;
	check_zonename(checked, ps);

	record = begin_record(checked, brand);
	*ret_record = record;
	fill_record(record, brand);
	payload_limits(record, brand);
	payload_note_clamped(checked, record, ps);
	payload_docker(record);
	r = complete_lists(record, brand, env, ps, e);
	if (r < 0)
		return r;
	payload_routes(jv_get(record, "routes"), jv_get(record, "nics"), ps);
	payload_cross_checks(record, ps);
	return problems_fatal(ps) ? err_set(e, -EINVAL, "payload is refused") : 0;
}

int payload_check_create(const struct jv *payload, enum brand brand,
			 const struct payload_env *env, struct problems *ps, struct err *e)
{
	cleanup_jv struct jv *record = NULL;

	return describe(payload, brand, env, &record, ps, e);
}

int payload_to_record(const struct jv *payload, const struct payload_env *env,
		      struct jv **ret_record, struct problems *ps, struct err *e)
{
	cleanup_jv struct jv *record = NULL, *branded = NULL;
	unsigned int brand;
	int r;

	brand = find_brand(payload, ps);
	if (!brand)
		return err_set(e, -EINVAL, "payload is refused");
	branded = jv_copy(payload);
	jv_set(branded, "brand", jv_string(brand_name(brand)));
	r = describe(branded, brand, env, &record, ps, e);
	if (r < 0)
		return r;
	*ret_record = take_ptr(record);
	return 0;
}
