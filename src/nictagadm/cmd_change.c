/* SPDX-License-Identifier: MIT */
/*
 * cmd_change.c - add, update and delete. The record is written first, then the
 * links follow it: whoever is killed in between leaves a tag whose bridge the
 * next start of a VM, or "nictagadm up", puts right.
 */
#include "nictagadm/nictagadm.h"

#include <stdio.h>
#include <string.h>

static void say_mtu_waits(const struct props *p)
{
	if (p->mtu)
		fprintf(stderr, "MTU changes will not take effect until next reboot\n");
}

/* Etherstubs end in a digit and may have 31 characters, tags proper have fewer. */
static bool name_fits(const char *name, bool etherstub)
{
	size_t len = strlen(name);

	if (!nictag_name_is_valid(name))
		return false;
	return etherstub ? strchr("0123456789", name[len - 1]) != NULL : len < NICTAG_MAX;
}

static int check_add(const struct cli_call *call, const struct props *p, struct err *e)
{
	bool local = cli_has(call, "l");

	if (local && (p->mac[0] || p->link[0] || p->bridge[0]))
		return err_set(e, -EINVAL, "create local tag, but mac address specified");
	if (local && p->mtu)
		return err_set(e, -EINVAL, "Cannot specify MTU for local nic tag");
	if (!local && !p->mac[0] && !p->link[0] && !p->bridge[0])
		return err_set(e, -EINVAL,
			       "create non-local tag, but no mac address specified");
	if (p->bridge[0] && p->link[0])
		return err_set(e, -EINVAL, "a tag has either a bridge or an interface");
	if (!name_fits(cli_operand(call, 0), local))
		return err_set(e, -EINVAL, "nic tag name is invalid");
	return 0;
}

static void apply(struct nictag *tag, const struct props *p)
{
	if (p->link[0]) {
		(void)snprintf(tag->link, sizeof(tag->link), "%s", p->link);
		(void)snprintf(tag->mac, sizeof(tag->mac), "%s", p->mac);
	}
	if (p->bridge[0])
		(void)snprintf(tag->bridge, sizeof(tag->bridge), "%s", p->bridge);
	if (p->address[0])
		(void)snprintf(tag->address, sizeof(tag->address), "%s", p->address);
	if (p->no_address)
		tag->address[0] = '\0';
	if (p->mtu)
		tag->mtu = p->mtu;
}

/* An interface is the port of one bridge: tags that name the same one share it. */
static void share_bridge(const struct tags *t, struct nictag *tag)
{
	const struct nictag *other = tags_on_link(t, tag->link, tag->mac);

	if (other && strcmp(other->name, tag->name) != 0)
		(void)snprintf(tag->bridge, sizeof(tag->bridge), "%s", other->bridge);
}

int cmd_add(struct cli_call *call, struct err *e)
{
	cleanup_tags struct tags t = TAGS_INIT;
	const char *name = cli_operand(call, 0);
	struct nictag tag;
	struct props p;
	int r;

	r = tags_open(&t, call, true, e);
	if (r < 0)
		return r;
	if (tags_find(&t, name))
		return err_set(e, -EEXIST, "nic tag '%s' already exists", name);
	r = props_read(call, &p, e);
	if (r == 0)
		r = check_add(call, &p, e);
	if (r < 0)
		return r;
	if (t.count == NICTAG_COUNT_MAX)
		return err_set(e, -ENOSPC, "there are %d nic tags already", NICTAG_COUNT_MAX);

	nictag_init(&tag, name);
	apply(&tag, &p);
	share_bridge(&t, &tag);
	tags_add(&t, &tag);
	r = tags_store(&t, e);
	if (r == 0 && !cli_has(call, "n")) {
		r = nictag_bring_up(&tag, e);
		if (r < 0)
			goto undo_record;
	}
	if (r == 0)
		say_mtu_waits(&p);
	return r;

undo_record:
	tags_remove(&t, name);
	if (tags_store(&t, NULL) < 0)
		return err_wrap(e, r, "nic tag '%s' stays recorded, but", name);
	return r;
}

static int check_update(const struct cli_call *call, const struct nictag *tag,
			const struct props *p, struct err *e)
{
	bool wire = p->mac[0] || p->link[0] || p->bridge[0] || p->mtu;

	if (!wire && !p->address[0] && !p->no_address)
		return err_set(e, -EINVAL, "nothing to update");
	if (cli_has(call, "l") || (nictag_is_etherstub(tag) && wire))
		return err_set(e, -EINVAL, "cannot update a local tag");
	if (p->bridge[0] && p->link[0])
		return err_set(e, -EINVAL, "a tag has either a bridge or an interface");
	return 0;
}

/* Which bridge the tag has after P, and that a new kind of answer replaces the old. */
static void choose_bridge(const struct tags *t, struct nictag *tag, const struct props *p)
{
	struct nictag fresh;

	nictag_init(&fresh, tag->name);
	if (p->bridge[0]) {
		tag->link[0] = '\0';
		tag->mac[0] = '\0';
	} else if (p->link[0]) {
		(void)snprintf(tag->bridge, sizeof(tag->bridge), "%s", fresh.bridge);
		share_bridge(t, tag);
	}
}

/* Take from the world what OLD had there and NEW has not, then add what is new. */
static int follow(const struct nictag *old, const struct nictag *new, struct err *e)
{
	int r = 0;

	if (!link_exists(old->bridge) && !link_exists(new->bridge))
		return 0; /* the first VM brings it up */
	if (old->address[0] &&
	    (strcmp(old->address, new->address) != 0 || strcmp(old->bridge, new->bridge) != 0))
		r = nictag_drop_address(old, e);
	if (r == 0 && old->link[0] && strcmp(old->link, new->link) != 0)
		r = nictag_drop_link(old, e);
	if (r == 0)
		r = nictag_bring_up(new, e);
	return r;
}

int cmd_update(struct cli_call *call, struct err *e)
{
	cleanup_tags struct tags t = TAGS_INIT;
	const char *name = cli_operand(call, 0);
	struct nictag *tag, old;
	struct props p;
	int r;

	r = tags_open(&t, call, true, e);
	if (r < 0)
		return r;
	if (cli_has(call, "l"))
		return err_set(e, -EINVAL, "cannot update a local tag");
	tag = tags_find(&t, name);
	if (!tag)
		return err_set(e, -ENOENT, "nic tag '%s' does not exist", name);
	r = props_read(call, &p, e);
	if (r == 0)
		r = check_update(call, tag, &p, e);
	if (r < 0)
		return r;

	old = *tag;
	apply(tag, &p);
	choose_bridge(&t, tag, &p);
	r = tags_store(&t, e);
	if (r < 0)
		return r;
	say_mtu_waits(&p);
	if (cli_has(call, "n"))
		return 0;
	r = follow(&old, tag, e);
	return r < 0 ? err_wrap(e, r, "recorded, but not in force") : 0;
}

/* The bridge goes with its last tag, unless VMs still hang on it and -f insists. */
static int remove_links(const struct tags *t, const struct nictag *tag, bool force,
			struct err *e)
{
	struct err why = { 0 };
	int r;

	if (tags_sharing(t, tag) || nictag_is_guest(tag))
		return tag->address[0] ? nictag_drop_address(tag, e) : 0;
	r = nictag_take_down(tag, &why);
	if (r == -EBUSY && force) {
		fprintf(stderr, "%s: left as it is\n", why.msg);
		return 0;
	}
	return r < 0 ? err_set(e, r, "%s", why.msg) : 0;
}

int cmd_delete(struct cli_call *call, struct err *e)
{
	cleanup_tags struct tags t = TAGS_INIT;
	const char *name = cli_operand(call, 0);
	bool force = cli_has(call, "f");
	const struct nictag *tag;
	int r;

	r = tags_open(&t, call, true, e);
	if (r < 0)
		return r;
	tag = tags_find(&t, name);
	if (!tag)
		return err_set(e, -ENOENT, "nic tag '%s' does not exist", name);
	if (!force) {
		r = tags_each_vm(&t, name, NULL, e);
		if (r < 0)
			return r;
		if (r > 0)
			return err_set(e, -EBUSY, "nic tag '%s' is in use", name);
	}
	/* Before the record: a tag without a bridge heals, a bridge without a tag stays. */
	if (!cli_has(call, "n")) {
		r = remove_links(&t, tag, force, e);
		if (r < 0)
			return r;
	}
	tags_remove(&t, name);
	return tags_store(&t, e);
}
