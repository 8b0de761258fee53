/* SPDX-License-Identifier: MIT */
/*
 * schema and properties: the property table, for programs and for people.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/table.h"
#include "libpayload/prop.h"
#include "libpayload/prop_schema.h"

#include <stdio.h>
#include <string.h>

static int find_brand(struct cli_call *call, int operand, unsigned int *ret)
{
	const char *name = cli_operand(call, operand);

	*ret = name ? brand_from_name(name) : 0;
	if (name && !*ret)
		return cli_wrong_use(call,
				     "'%s' is no brand: lx, joyent, joyent-minimal, builder, "
				     "kvm and bhyve are",
				     name);
	return 0;
}

int cmd_schema(struct cli_call *call, struct err *e ATTR_UNUSED)
{
	static const char *const actions[] = {
		[PROP_CREATE] = "create", [PROP_UPDATE] = "update", [PROP_RECEIVE] = "receive"
	};
	const char *action = cli_operand(call, 0);
	cleanup_jv struct jv *schema = NULL;
	cleanup_free char *text = NULL;
	unsigned int brand, i;
	int r;

	r = find_brand(call, 1, &brand);
	if (r != 0)
		return r;
	for (i = 0; i < ARRAY_SIZE(actions) && strcmp(action, actions[i]) != 0; i++)
		;
	if (i == ARRAY_SIZE(actions))
		return cli_wrong_use(
			call, "'%s' has no payload: create, update and receive have", action);
	schema = prop_schema((enum prop_action)i, brand ? (enum brand)brand : BRAND_LX);
	text = jv_dump(schema, 2);
	puts(text);
	return 0;
}

static const struct column columns[] = {
	{ .name = "name", .header = "NAME" },     { .name = "type", .header = "TYPE" },
	{ .name = "bounds", .header = "BOUNDS" }, { .name = "payloads", .header = "PAYLOADS" },
	{ .name = "brands", .header = "BRANDS" }, { .name = "default", .header = "DEFAULT" },
	{ .name = "effect", .header = "EFFECT" }, { .name = "column", .header = "COLUMN" },
	{ .name = "filter", .header = "FILTER" }, { .name = "meaning", .header = "MEANING" },
};

static const char *payloads(const struct prop *p, unsigned int brands)
{
	bool create = p->allowed[PROP_CREATE] & brands,
	     update = p->allowed[PROP_UPDATE] & brands;

	if (create && update)
		return "create,update";
	if (create || update)
		return create ? "create" : "update";
	return p->allowed[PROP_RECEIVE] & brands ? "receive" : "";
}

static void add_row(struct table *t, const struct prop *p, unsigned int brands)
{
	unsigned int all =
		p->allowed[PROP_CREATE] | p->allowed[PROP_UPDATE] | p->allowed[PROP_RECEIVE];
	cleanup_free char *names = all ? prop_brands_text(all) : xstrdup("");
	cleanup_free char *bounds = prop_bounds_text(p);
	const char *const cells[] = {
		p->name,
		prop_type_name(p->type),
		bounds,
		payloads(p, brands),
		names,
		p->def ? p->def : "",
		prop_effect_name(p->effect),
		p->header ? p->header : "",
		p->filter ? "yes" : "",
		p->meaning,
	};

	table_add_row(t);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		table_set(t, i, cells[i]);
}

int cmd_properties(struct cli_call *call, struct err *e)
{
	bool json = vmadm_wants_json(call);
	const struct column *shown[ARRAY_SIZE(columns)];
	cleanup_table struct table *t = NULL;
	const struct prop *p;
	unsigned int brand;
	int r;

	r = find_brand(call, 0, &brand);
	if (r != 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		shown[i] = &columns[i];
	t = table_new(shown, ARRAY_SIZE(shown));
	for (size_t i = 0; (p = prop_at(i)); i++)
		if (!brand || *payloads(p, brand))
			add_row(t, p, brand ? brand : BRANDS_ZONE | BRANDS_HARDWARE);
	return table_print(t, stdout, json ? TABLE_JSON : TABLE_PLAIN, true, NULL, e);
}
