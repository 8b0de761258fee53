/* SPDX-License-Identifier: MIT */
/*
 * network_live.c - the NICs of a machine that runs, when its record has changed.
 *
 * ROOT/run/dais/UUID/network.json has the NICs and the gateway that hold, so that
 * any supervisor knows what to take away. It is written when all has been done;
 * what is cut short is done again, and each step may find itself done already.
 *
 * A NIC is known by its MAC, a link by the number of its interface. The machine may
 * have done as it likes with its end of a pair: what cannot be changed there is
 * warned about by the property's name, and the rest goes on. Rules are not of that
 * kind: a NIC whose rules cannot be set is an error, and its old rules stay.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/fileio.h"
#include "base/log.h"
#include "libnet/inside.h"
#include "libnet/port.h"
#include "libvm/zone_files.h"
#include "libvm/zone_left.h"
#include "libvm/zoneadmd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FACTS_MAX ((size_t)1 << 20)

struct live {
	struct zone *z;
	struct zone_spec *s;
	struct jv *old; /* network.json, or NULL */
	int netns;
	struct inside *in;
	bool moved; /* addresses changed: routes that hung on them are gone */
};

static void warn(struct live *l, size_t i, const char *member, const struct err *e)
{
	cleanup_free char *name =
		xasprintf("nics.%zu%s%s", i, member ? "." : "", member ? member : "");

	zone_warn(l->z, name, e->msg);
}

static const struct jv *find_nic(const struct jv *nics, const char *mac)
{
	for (size_t i = 0; mac && i < jv_len(nics); i++) {
		const char *other = jv_get_string(jv_at(nics, i), "mac");

		if (other && strcmp(other, mac) == 0)
			return jv_at(nics, i);
	}
	return NULL;
}

static bool has_text(const struct jv *list, const char *text)
{
	for (size_t i = 0; i < jv_len(list); i++)
		if (jv_as_string(jv_at(list, i)) &&
		    strcmp(jv_as_string(jv_at(list, i)), text) == 0)
			return true;
	return false;
}

static const char *gateway_of(const struct jv *nics)
{
	for (size_t i = 0; i < jv_len(nics); i++)
		if (jv_get_bool(jv_at(nics, i), "primary", false))
			return jv_as_string(jv_at(jv_get(jv_at(nics, i), "gateways"), 0));
	return NULL;
}

/* ---- what holds ---------------------------------------------------------------- */

int zone_network_remember(struct zone *z, const struct zone_spec *s, struct err *e)
{
	cleanup_jv struct jv *facts = jv_object();
	cleanup_free char *text = NULL;

	jv_set(facts, "nics", jv_copy(jv_get(s->record, "nics")));
	jv_set(facts, "resolvers", jv_copy(jv_get(s->record, "resolvers")));
	text = jv_dump(facts, 0);
	return file_write_atomic(z->rundirfd, ZONE_NETWORK_FILE, text, strlen(text), e);
}

/* ---- one NIC ------------------------------------------------------------------- */

static void change_addresses(struct live *l, size_t i, int index, const struct jv *old)
{
	const struct jv *before = jv_get(old, "ips");
	const struct jv *now = jv_get(zone_nic(l->s, i), "ips");
	bool lost = false;
	struct err e;

	for (size_t k = 0; k < jv_len(before); k++) {
		const char *ip = jv_as_string(jv_at(before, k));

		if (!ip || !strchr(ip, '/') || has_text(now, ip))
			continue;
		lost = true;
		if (inside_del_address(l->in, index, ip, &e) < 0)
			warn(l, i, "ips", &e);
	}
	/* With the first address of a network the kernel takes the others. */
	for (size_t k = 0; k < jv_len(now); k++) {
		const char *ip = jv_as_string(jv_at(now, k));

		if (!ip || !strchr(ip, '/') || (has_text(before, ip) && !lost))
			continue;
		l->moved = true;
		if (inside_add_address(l->in, index, ip, &e) < 0)
			warn(l, i, "ips", &e);
	}
	l->moved |= lost;
}

/* What the machine sees of it. OLD: what the NIC was; NULL: it is new, or was not finished. */
static void change_inside(struct live *l, size_t i, const struct jv *old)
{
	unsigned int mtu = l->s->nics[i].mtu;
	int index = 0;
	struct err e;

	if (inside_find(l->in, l->s->host_names[i], &index, &e) < 0) {
		warn(l, i, NULL, &e);
		return;
	}
	if (inside_set_link(l->in, index, mtu, false, &e) < 0)
		warn(l, i, "mtu", &e);
	/* Up before its addresses: a link that is down has no routes. */
	if (!old && inside_set_link(l->in, index, 0, true, &e) < 0)
		warn(l, i, NULL, &e);
	change_addresses(l, i, index, old);
}

static int change_nic(struct live *l, size_t i, struct err *e)
{
	const struct jv *old = find_nic(jv_get(l->old, "nics"), l->s->nics[i].mac);
	struct port port;
	struct err why;
	int r = zone_network_prepare(&l->z->host, l->s, i, e);

	if (r < 0)
		return r;
	zone_network_port(l->s, i, &port);
	if (!if_nametoindex(port.name)) {
		/* New, or the machine has removed it. */
		old = NULL;
		r = port_create(&port, l->s->nics[i].name, l->s->nics[i].mtu, l->netns, &why);
	}
	if (r == 0)
		r = port_attach(&port, l->s->nics[i].mtu, &why);
	if (r < 0) {
		warn(l, i, NULL, &why);
		return 0;
	}
	change_inside(l, i, old);
	return 0;
}

static void remove_nics(struct live *l)
{
	const struct jv *before = jv_get(l->old, "nics");
	const struct jv *now = jv_get(l->s->record, "nics");
	struct err e;

	for (size_t i = 0; i < jv_len(before); i++) {
		const struct jv *nic = jv_at(before, i);
		char name[IFNAMSIZ];

		if (find_nic(now, jv_get_string(nic, "mac")) ||
		    zoneadmd_nic_link(l->z->uuid, nic, name, &e) < 0)
			continue;
		l->moved = true;
		if (zone_port_remove(name, &e) < 0)
			warn(l, i, NULL, &e);
	}
}

/* ---- routes -------------------------------------------------------------------- */

/* "nics[N]" and "macs[MAC]": the link itself. 1: it is one, or none that is there. */
static int link_of(const struct live *l, const char *via, int *ret_index, struct err *e)
{
	for (size_t i = 0; i < l->s->run.nic_count; i++) {
		cleanup_free char *by_index = xasprintf("nics[%zu]", i);
		cleanup_free char *by_mac = xasprintf("macs[%s]", l->s->nics[i].mac);

		if (strcmp(via, by_index) == 0 || strcmp(via, by_mac) == 0)
			return inside_find(l->in, l->s->host_names[i], ret_index, e);
	}
	return err_set(e, -ENOENT, "'%s' is no NIC of this machine", via);
}

static int parse_route(const struct live *l, const char *to, const char *via,
		       struct inside_route *ret_route, struct err *e)
{
	int r;

	*ret_route = (struct inside_route){ .index = 0 };
	r = strchr(to, '/') ? addr_parse_prefix(to, &ret_route->to, e)
			    : addr_parse(to, &ret_route->to, e);
	if (r < 0)
		return r;
	if (!via)
		return err_set(e, -EINVAL, "it has no gateway");
	if (strchr(via, '['))
		return link_of(l, via, &ret_route->index, e);
	r = addr_parse(via, &ret_route->via, e);
	if (r == 0 && ret_route->via.family != ret_route->to.family)
		return err_set(e, -EINVAL, "'%s' is of another kind", via);
	return r;
}

static void route_warn(struct live *l, const char *to, const char *why)
{
	cleanup_free char *name = xasprintf("routes.%s", to);

	zone_warn(l->z, name, why);
}

static void change_routes(struct live *l)
{
	const struct jv *routes = jv_get(l->s->record, "routes");
	cleanup_free struct inside_route *list = xcalloc(INSIDE_ROUTES_MAX, sizeof(*list));
	const char *names[INSIDE_ROUTES_MAX];
	size_t count = 0;
	struct err e;

	for (void *it = jv_iter(routes); it; it = jv_iter_next(routes, it)) {
		const char *to = jv_iter_key(it);

		if (count == INSIDE_ROUTES_MAX)
			route_warn(l, to, "there are too many routes");
		else if (parse_route(l, to, jv_as_string(jv_iter_value(it)), &list[count], &e) <
			 0)
			route_warn(l, to, e.msg);
		else
			names[count++] = to;
	}
	if (inside_set_routes(l->in, list, count, &e) < 0) {
		zone_warn(l->z, "routes", e.msg);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (list[i].failed)
			route_warn(l, names[i], strerror(-list[i].failed));
}

static void change_gateway(struct live *l)
{
	const char *before = gateway_of(jv_get(l->old, "nics"));
	const char *now = gateway_of(jv_get(l->s->record, "nics"));
	bool same = before && now ? strcmp(before, now) == 0 : before == now;
	struct err e;

	if (before && !now && inside_del_gateway(l->in, before, &e) < 0)
		zone_warn(l->z, "nics.*.gateways", e.msg);
	if (now && (!same || l->moved) && inside_set_gateway(l->in, now, &e) < 0)
		zone_warn(l->z, "nics.*.gateways", e.msg);
}

/* ---- all of it ----------------------------------------------------------------- */

static int open_inside(struct live *l, struct err *e)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)run_init_pid(l->z->run));
	l->netns = open(path, O_RDONLY | O_CLOEXEC);
	if (l->netns < 0)
		return err_sys(e, "cannot open the network of the machine");
	return inside_open(l->netns, &l->in, e);
}

static void close_live(struct live *l)
{
	inside_close(l->in);
	close_p(&l->netns);
	jv_unref(l->old);
}

void zone_network_routes(struct zone *z, const struct zone_spec *s)
{
	struct live l = { .z = z, .s = (struct zone_spec *)s, .netns = -1 };
	struct err e;

	if (open_inside(&l, &e) < 0)
		zone_warn(z, "routes", e.msg);
	else
		change_routes(&l);
	close_live(&l);
}

void zone_resolvers_update(struct zone *z, const struct zone_spec *s)
{
	cleanup_close int rootfd = -1;
	struct err e;

	if (!jv_get_bool(s->record, "maintain_resolvers", false))
		return;
	rootfd = open(s->rootfs, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rootfd < 0)
		zone_warn(z, "resolvers", strerror(errno));
	else if (zone_files_write_resolvers(rootfd, s->record, &e) < 0)
		zone_warn(z, "resolvers", e.msg);
}

static int change_all(struct live *l, struct err *e)
{
	int r = open_inside(l, e);

	if (r < 0)
		return r;
	remove_nics(l);
	for (size_t i = 0; i < l->s->run.nic_count; i++) {
		r = change_nic(l, i, e);
		if (r < 0)
			return r;
	}
	change_gateway(l);
	change_routes(l);
	return zone_network_remember(l->z, l->s, e);
}

int zone_network_update(struct zone *z, struct zone_spec *s, struct err *e)
{
	struct live l = { .z = z, .s = s, .netns = -1 };
	int r;

	/* Without it nothing is taken away but what no NIC of the record has. */
	if (jv_load(z->rundirfd, ZONE_NETWORK_FILE, FACTS_MAX, &l.old, NULL) < 0)
		l.old = NULL;
	r = change_all(&l, e);
	if (r == 0)
		zone_resolvers_update(z, s);
	close_live(&l);
	return r;
}
