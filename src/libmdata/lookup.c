/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - where the value of a key comes from.
 *
 *	sdc:NAME	the VM object: mostly its member NAME, made text
 *	NAME_pw		internal_metadata, because they are secrets
 *	NS:NAME		internal_metadata, where NS is listed as a namespace
 *	NAME		customer_metadata
 */
#include "libmdata/private.h"

#include <stdio.h>
#include <string.h>

/* ---- which of the two ---------------------------------------------------------- */

bool mdata_is_password(const char *key)
{
	size_t len = strlen(key);

	return len >= 3 && strcmp(key + len - 3, "_pw") == 0;
}

const char *mdata_namespace_of(const struct jv *vm, const char *key)
{
	const struct jv *list = jv_get(vm, "internal_metadata_namespaces");

	for (size_t i = 0; i < jv_len(list); i++) {
		const char *name = jv_as_string(jv_at(list, i));
		size_t len = name ? strlen(name) : 0;

		if (name && strncmp(key, name, len) == 0 && key[len] == ':')
			return name;
	}
	return NULL;
}

const char *mdata_store_of(const struct jv *vm, const char *key)
{
	return mdata_is_password(key) || mdata_namespace_of(vm, key) ? "internal_metadata"
								     : "customer_metadata";
}

/* ---- routes -------------------------------------------------------------------- */

static bool is_word(const char *address)
{
	return strcmp(address, "dhcp") == 0 || strcmp(address, "addrconf") == 0;
}

/* The NIC's own address, which is the gateway of what is on its link; false: it has none. */
static bool nic_address(const struct jv *nic, char *ret, size_t size)
{
	const struct jv *ips = jv_get(nic, "ips");
	const char *ip = jv_get_string(nic, "ip");

	for (size_t i = 0; !ip && i < jv_len(ips); i++) {
		ip = jv_as_string(jv_at(ips, i));
		if (ip && is_word(ip))
			ip = NULL;
	}
	if (!ip || is_word(ip))
		return false;
	(void)snprintf(ret, size, "%.*s", (int)strcspn(ip, "/"), ip);
	return true;
}

static const struct jv *nic_by_mac(const struct jv *nics, const char *mac, size_t len)
{
	for (size_t i = 0; i < jv_len(nics); i++) {
		const char *have = jv_get_string(jv_at(nics, i), "mac");

		if (have && strlen(have) == len && strncmp(have, mac, len) == 0)
			return jv_at(nics, i);
	}
	return NULL;
}

/* "nics[N]" and "macs[MAC]" name a NIC; *RET_NIC is NULL when there is no such one. */
static bool names_nic(const struct jv *nics, const char *gateway, const struct jv **ret_nic)
{
	const char *end = strchr(gateway, ']');
	unsigned long index;
	char *rest;

	if (end && strncmp(gateway, "macs[", 5) == 0) {
		*ret_nic = nic_by_mac(nics, gateway + 5, (size_t)(end - gateway - 5));
		return true;
	}
	if (!end || strncmp(gateway, "nics[", 5) != 0)
		return false;
	index = strtoul(gateway + 5, &rest, 10);
	*ret_nic = rest == end ? jv_at(nics, index) : NULL;
	return true;
}

static void add_route(struct jv *list, const struct jv *nics, const char *to,
		      const char *gateway)
{
	const struct jv *nic = NULL;
	bool link = names_nic(nics, gateway, &nic);
	char address[64];
	struct jv *route;

	if (link && (!nic || !nic_address(nic, address, sizeof(address))))
		return;
	route = jv_object();
	jv_set(route, "linklocal", jv_bool(link));
	jv_set(route, "dst", jv_string(to));
	jv_set(route, "gateway", jv_string(link ? address : gateway));
	jv_push(list, route);
}

static struct jv *routes_of(const struct jv *vm)
{
	const struct jv *routes = jv_get(vm, "routes");
	struct jv *list;

	if (jv_type(routes) != JV_OBJECT)
		return NULL;
	list = jv_array();
	for (void *it = jv_iter(routes); it; it = jv_iter_next(routes, it))
		if (jv_as_string(jv_iter_value(it)))
			add_route(list, jv_get(vm, "nics"), jv_iter_key(it),
				  jv_as_string(jv_iter_value(it)));
	return list;
}

/* ---- the VM object ------------------------------------------------------------- */

/*
 * The member that a dotted name means: "alias", "tags.role", "nics.0.ip". Behind the
 * name of an object everything is one key, dots included.
 */
static const struct jv *member(const struct jv *in, const char *name)
{
	const struct jv *v = jv_get(in, name);
	char first[64], *end;
	size_t len = strcspn(name, ".");
	unsigned long index;

	if (v || !name[len] || len >= sizeof(first))
		return v;
	(void)snprintf(first, sizeof(first), "%.*s", (int)len, name);
	if (strcmp(first, "internal_metadata") == 0)
		return NULL;
	v = jv_get(in, first);
	name += len + 1;
	if (jv_type(v) != JV_ARRAY)
		return jv_get(v, name);
	index = strtoul(name, &end, 10);
	if (end == name || (*end && *end != '.'))
		return NULL;
	v = jv_at(v, index);
	return *end ? jv_get(v, end + 1) : v;
}

static enum mdata_found add_text(const struct jv *v, struct buf *out)
{
	switch (jv_type(v)) {
	case JV_NULL:
		return MDATA_NOTFOUND;
	case JV_STRING:
		buf_adds(out, jv_as_string(v));
		return MDATA_FOUND;
	case JV_ARRAY:
	case JV_OBJECT:
		return MDATA_NO_TEXT;
	default: {
		cleanup_free char *text = jv_dump(v, 0);

		buf_adds(out, text);
		return MDATA_FOUND;
	}
	}
}

static enum mdata_found add_json(struct jv *v, struct buf *out)
{
	cleanup_free char *text = v ? jv_dump(v, 0) : NULL;

	if (!text)
		return MDATA_NOTFOUND;
	buf_adds(out, text);
	return MDATA_FOUND;
}

/* NAME is without "sdc:". These few are not what they are in the object. */
static enum mdata_found get_platform(const struct jv *vm, const char *name, struct buf *out)
{
	const struct jv *internal = jv_get(vm, "internal_metadata");
	cleanup_jv struct jv *routes = NULL;

	if (strcmp(name, "nics") == 0 || strcmp(name, "resolvers") == 0)
		return add_json(jv_get(vm, name), out);
	if (strcmp(name, "routes") == 0) {
		routes = routes_of(vm);
		return add_json(routes, out);
	}
	if (strcmp(name, "operator-script") == 0)
		return add_text(jv_get(internal, "operator-script"), out);
	if (strcmp(name, "volumes") == 0)
		return add_text(jv_get(internal, "sdc:volumes"), out);
	return add_text(member(vm, name), out);
}

enum mdata_found mdata_get(const struct jv *vm, const char *key, struct buf *out)
{
	if (strncmp(key, "sdc:", 4) == 0)
		return get_platform(vm, key + 4, out);
	return add_text(jv_get(jv_get(vm, mdata_store_of(vm, key)), key), out);
}

/* ---- the list ------------------------------------------------------------------ */

void mdata_keys(const struct jv *vm, struct buf *out)
{
	static const char *const stores[] = { "customer_metadata", "internal_metadata" };

	for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
		const struct jv *in = jv_get(vm, stores[i]);

		for (void *it = jv_iter(in); it; it = jv_iter_next(in, it)) {
			/* What GET would look for elsewhere is not there. */
			if (strcmp(mdata_store_of(vm, jv_iter_key(it)), stores[i]) != 0)
				continue;
			if (out->len > 0)
				buf_addc(out, '\n');
			buf_adds(out, jv_iter_key(it));
		}
	}
}
