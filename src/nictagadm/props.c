/* SPDX-License-Identifier: MIT */
/*
 * props.c - "-p mac=M,mtu=N,address=A/P,link=IF,bridge=BR" and the operand MAC.
 */
#include "base/alloc.h"
#include "nictagadm/nictagadm.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_name_of_bond(const char *text)
{
	static const char *const stems[] = { "aggr", "bond" };

	for (size_t i = 0; i < ARRAY_SIZE(stems); i++) {
		size_t len = strlen(stems[i]);

		if (strncmp(text, stems[i], len) == 0 && isdigit((unsigned char)text[len]) &&
		    strspn(text + len, "0123456789") == strlen(text + len))
			return true;
	}
	return false;
}

static int find_mac(const char *mac, struct props *p, struct err *e)
{
	cleanup_free struct link_info *links = NULL;
	size_t count = 0;
	int r;

	r = link_list("", &links, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		bool same =
			strcmp(links[i].mac, mac) == 0 || strcmp(links[i].perm_mac, mac) == 0;

		if (!same || !link_is_physical(&links[i]))
			continue;
		(void)snprintf(p->link, sizeof(p->link), "%s", links[i].name);
		return 0;
	}
	return err_set(e, -ENODEV, "No physical nic found with MAC address '%s'", mac);
}

static int read_link(const char *text, struct props *p, struct err *e)
{
	struct link_info info;
	int r;

	r = link_get(text, &info, NULL);
	if (r == -ENODEV)
		return err_set(e, r, "interface '%.80s' does not exist", text);
	if (r < 0)
		return err_set(e, r, "cannot look at interface '%.80s': %s", text,
			       strerror(-r));
	if ((info.flags & IFF_LOOPBACK) || strcmp(info.kind, "bridge") == 0)
		return err_set(e, -EINVAL, "interface '%s' cannot be a port of a bridge", text);
	(void)snprintf(p->link, sizeof(p->link), "%s", info.name);
	/* A name can change at the next boot, hardware keeps its MAC. */
	if (link_is_physical(&info))
		(void)snprintf(p->mac, sizeof(p->mac), "%s", info.mac);
	return 0;
}

/* A MAC, or the name of an interface: a bond has no MAC but one of its members'. */
static int read_mac(const char *text, struct props *p, struct err *e)
{
	if (link_exists(text))
		return read_link(text, p, e);
	if (is_name_of_bond(text))
		return err_set(e, -ENODEV, "aggregation '%s' does not exist", text);
	if (mac_normalise(text, p->mac, NULL) < 0 || !mac_is_unicast(p->mac))
		return err_set(e, -EINVAL, "MAC address '%.80s' is invalid", text);
	return find_mac(p->mac, p, e);
}

static int read_bridge(const char *text, struct props *p, struct err *e)
{
	struct link_info info;
	int r;

	r = link_get(text, &info, NULL);
	if (r < 0 || strcmp(info.kind, "bridge") != 0)
		return err_set(e, -ENODEV, "bridge '%.80s' does not exist", text);
	(void)snprintf(p->bridge, sizeof(p->bridge), "%s", info.name);
	return 0;
}

static int read_mtu(const char *text, struct props *p, struct err *e)
{
	size_t len = strlen(text);

	if (len == 0 || strspn(text, "0123456789") != len)
		return err_set(e, -EINVAL, "invalid mtu: %.80s", text);
	p->mtu = len > 4 ? NICTAG_MTU_MAX + 1 : (unsigned int)strtoul(text, NULL, 10);
	if (p->mtu < NICTAG_MTU_MIN || p->mtu > NICTAG_MTU_MAX)
		return err_set(e, -ERANGE, "mtu must be between 1500-9000");
	return 0;
}

static int read_address(const char *text, struct props *p, struct err *e)
{
	struct addr a;

	p->no_address = strcmp(text, "none") == 0;
	if (p->no_address)
		return 0;
	if (addr_parse_prefix(text, &a, NULL) < 0 || !addr_is_unicast(&a) || a.prefix == 0)
		return err_set(e, -EINVAL, "invalid address: %.80s (ADDRESS/PREFIX, or 'none')",
			       text);
	addr_format_prefix(&a, p->address);
	return 0;
}

/* Which of them names the interface: it may be named once. */
static bool names_interface(const char *name)
{
	return strcmp(name, "mac") == 0 || strcmp(name, "link") == 0;
}

static const struct {
	const char *name;
	int (*read)(const char *text, struct props *p, struct err *e);
} kinds[] = {
	{ "address", read_address }, { "bridge", read_bridge }, { "link", read_link },
	{ "mac", read_mac },         { "mtu", read_mtu },
};

static int read_named(const char *name, const char *value, struct props *p, struct err *e)
{
	if (names_interface(name) && p->link[0])
		return err_set(e, -EINVAL, "mac address specified twice");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].read(value, p, e);
	return err_set(e, -EINVAL, "invalid property: %.80s", name);
}

/* NAME=VALUE,...; TEXT is ours to cut. */
static int read_list(char *text, struct props *p, struct err *e)
{
	char *name;
	int r = 0;

	while (r == 0 && (name = strsep(&text, ","))) {
		char *value = strchr(name, '=');

		if (!value)
			return err_set(e, -EINVAL, "invalid property: %.80s", name);
		*value++ = '\0';
		r = read_named(name, value, p, e);
	}
	return r;
}

int props_read(const struct cli_call *call, struct props *ret_props, struct err *e)
{
	struct props p = { .mtu = 0 };
	const char *list;
	int r = 0;

	for (size_t n = 0; r == 0 && (list = cli_get_nth(call, "p", n)); n++) {
		cleanup_free char *copy = xstrdup(list);

		r = read_list(copy, &p, e);
	}
	if (r == 0 && cli_operand(call, 1))
		r = read_named("mac", cli_operand(call, 1), &p, e);
	if (r == 0)
		*ret_props = p;
	return r;
}
