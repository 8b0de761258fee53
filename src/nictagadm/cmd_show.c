/* SPDX-License-Identifier: MIT */
/*
 * cmd_show.c - exists, list, vms; and up, which changes links but no record.
 */
#include "base/buf.h"
#include "nictagadm/nictagadm.h"

#include <stdio.h>
#include <string.h>

int cmd_exists(struct cli_call *call, struct err *e)
{
	cleanup_tags struct tags t = TAGS_INIT;
	bool names_only = cli_has(call, "l");
	int missing = 0, r;

	if (cli_operands(call) == 0)
		return err_set(e, -EINVAL, "tag_exists: no tag specified");
	r = tags_open(&t, call, false, e);
	if (r < 0)
		return r;
	for (int i = 0; i < cli_operands(call); i++) {
		const char *name = cli_operand(call, i);

		if (tags_find(&t, name))
			continue;
		fprintf(stderr, names_only ? "%s\n" : "invalid tag: %s\n", name);
		missing++;
	}
	return missing ? EXIT_FAILURE : 0;
}

/* One line of the list. */
struct row {
	const char *name, *mac, *link, *type;
};

static const struct link_info *find_link(const struct nictag *tag,
					 const struct link_info *links, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tag->mac[0] ? link_is_physical(&links[i]) &&
					  (strcmp(links[i].perm_mac, tag->mac) == 0 ||
					   strcmp(links[i].mac, tag->mac) == 0)
				: strcmp(links[i].name, tag->link) == 0)
			return &links[i];
	return NULL;
}

static struct row row_of(const struct nictag *tag, const struct link_info *links, size_t count)
{
	struct row row = { tag->name, "-", "-", "normal" };
	const struct link_info *link;

	if (nictag_is_etherstub(tag)) {
		row.type = "etherstub";
		return row;
	}
	if (tag->link[0] == '\0' && tag->mac[0] == '\0') {
		row.link = tag->bridge;
		row.type = "bridge";
		return row;
	}
	link = find_link(tag, links, count);
	if (tag->mac[0])
		row.mac = tag->mac;
	row.link = link ? link->name : tag->link[0] ? tag->link : "-";
	if (link && strcmp(link->kind, "bond") == 0)
		row.type = "aggr";
	return row;
}

static void add_escaped(struct buf *b, const char *text, bool escape)
{
	for (; *text; text++) {
		if (escape && (*text == ':' || *text == '\\'))
			buf_addc(b, '\\');
		buf_addc(b, *text);
	}
}

static void print_row(const struct row *row, bool parsable, const char *delim)
{
	const char *const fields[] = { row->name, row->mac, row->link, row->type };
	cleanup_buf struct buf b = BUF_INIT;

	if (!parsable) {
		printf("%-14s %-18s %-14s %-16s\n", row->name, row->mac, row->link, row->type);
		return;
	}
	/* A delimiter of one's own choice is the chooser's to tell from the data. */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		buf_adds(&b, i ? (delim ? delim : ":") : "");
		add_escaped(&b, fields[i], delim == NULL);
	}
	printf("%s\n", buf_str(&b));
}

/* Interfaces first, then switches, each in the order in which they were added. */
static void print_kind(const struct tags *t, bool etherstubs, const struct link_info *links,
		       size_t count, const struct cli_call *call)
{
	for (size_t i = 0; i < t->count; i++) {
		struct row row;

		if (nictag_is_etherstub(&t->tags[i]) != etherstubs)
			continue;
		row = row_of(&t->tags[i], links, count);
		print_row(&row, cli_has(call, "p"), cli_get(call, "d"));
	}
}

int cmd_list(struct cli_call *call, struct err *e)
{
	bool local = cli_has(call, "l"), wired = cli_has(call, "L");
	static const struct row header = { "NAME", "MACADDRESS", "LINK", "TYPE" };
	cleanup_free struct link_info *links = NULL;
	cleanup_tags struct tags t = TAGS_INIT;
	size_t count = 0;
	int r;

	if (local && wired)
		return err_set(e, -EINVAL, "Cannot specify both local and non-local options");
	if (cli_has(call, "d") && !cli_has(call, "p"))
		return err_set(e, -EINVAL,
			       "Delimiter option requires parsable option to be set");
	r = tags_open(&t, call, false, e);
	if (r == 0)
		r = link_list("", &links, &count, e);
	if (r < 0)
		return r;
	if (!cli_has(call, "p"))
		print_row(&header, false, NULL);
	if (!local)
		print_kind(&t, false, links, count, call);
	if (!wired)
		print_kind(&t, true, links, count, call);
	return 0;
}

static void print_uuid(const char *uuid)
{
	printf("%s\n", uuid);
}

int cmd_vms(struct cli_call *call, struct err *e)
{
	cleanup_tags struct tags t = TAGS_INIT;
	const char *name = cli_operand(call, 0);
	int r;

	r = tags_open(&t, call, false, e);
	if (r < 0)
		return r;
	if (!tags_find(&t, name))
		return err_set(e, -ENOENT, "nic tag '%s' does not exist", name);
	r = tags_each_vm(&t, name, print_uuid, e);
	return r < 0 ? r : 0;
}

/* Brings up as many as it can; the first failure is the error, the others are said. */
static int up_one(const struct nictag *tag, int so_far, struct err *e)
{
	struct err why = { 0 };
	int r = nictag_bring_up(tag, &why);

	if (r == 0)
		return so_far;
	if (so_far < 0) {
		fprintf(stderr, "Error: %s\n", why.msg);
		return so_far;
	}
	return err_set(e, r, "%s", why.msg);
}

int cmd_up(struct cli_call *call, struct err *e)
{
	cleanup_tags struct tags t = TAGS_INIT;
	int r, status = 0;

	r = tags_open(&t, call, false, e);
	if (r < 0)
		return r;
	for (int i = 0; i < cli_operands(call); i++)
		if (!tags_find(&t, cli_operand(call, i)))
			return err_set(e, -ENOENT, "nic tag '%s' does not exist",
				       cli_operand(call, i));
	for (int i = 0; i < cli_operands(call); i++)
		status = up_one(tags_find(&t, cli_operand(call, i)), status, e);
	for (size_t i = 0; cli_operands(call) == 0 && i < t.count; i++)
		status = up_one(&t.tags[i], status, e);
	return status;
}
