/* SPDX-License-Identifier: MIT */
#include "libpayload/prop_schema.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/payload.h"
#include "libpayload/prop_table.h"

#include <stdio.h>
#include <string.h>

#define UUID_PATTERN    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
#define INTEGER_PATTERN "^-?[0-9]{1,19}$"

/* What the checks of single words want, for those that cannot call them. */
static const struct {
	const char *(*check)(const char *text);
	const char *pattern;
} patterns[] = {
	{ check_hostname, "^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$" },
	{ check_domain, "^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$" },
	{ check_path, "^/" },
	{ check_resolver, "^[0-9a-fA-F:.]+$" },
	{ check_mac, "^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}$" },
	{ check_dhcp_cid, "^0x([0-9a-fA-F]{2})+$" },
	{ check_namespace, "^[A-Za-z0-9._-]+$" },
	{ check_sector_size, "^[0-9]+(/[0-9]+)?$" },
};

static struct jv *typed(const char *type)
{
	struct jv *schema = jv_object();

	jv_set(schema, "type", jv_string(type));
	return schema;
}

static struct jv *text_schema(const struct prop *p)
{
	struct jv *schema = typed("string");

	for (size_t i = 0; p->check && i < ARRAY_SIZE(patterns); i++)
		if (patterns[i].check == p->check)
			jv_set(schema, "pattern", jv_string(patterns[i].pattern));
	return schema;
}

static struct jv *constant(struct jv *value)
{
	struct jv *schema = jv_object();

	jv_set(schema, "const", value);
	return schema;
}

static void add(struct jv *list, struct jv *schema)
{
	jv_push(list, schema);
}

/* Each of these adds to CHOICES what a value may be. */

static void add_boolean(struct jv *choices)
{
	struct jv *words = jv_array();
	struct jv *schema = jv_object();

	add(choices, typed("boolean"));
	jv_push(words, jv_string("true"));
	jv_push(words, jv_string("false"));
	jv_push(words, jv_string("1"));
	jv_push(words, jv_int(1));
	jv_set(schema, "enum", words);
	add(choices, schema);
}

static void add_integer(struct jv *choices, const struct prop *p)
{
	struct jv *number = typed("integer"), *text = typed("string");

	if (p->bounded)
		jv_set(number, "minimum", jv_int(p->min));
	if (p->bounded && p->max != INT64_MAX)
		jv_set(number, "maximum", jv_int(p->max));
	jv_set(text, "pattern", jv_string(INTEGER_PATTERN));
	add(choices, number);
	add(choices, text);
}

static void add_list(struct jv *choices, const struct prop *p)
{
	struct jv *list = typed("array"), *members = jv_array(), *either = jv_object();

	jv_push(members, text_schema(p));
	if (!p->check)
		jv_push(members, typed("integer"));
	jv_set(either, "anyOf", members);
	jv_set(list, "items", either);
	jv_set(list, "maxItems", jv_int(PAYLOAD_LIST_MAX));
	add(choices, list);
	if (!strstr(p->name, ".*."))
		add(choices, typed("string"));
}

static void add_flat(struct jv *choices)
{
	struct jv *flat = typed("object"), *values = jv_object(), *types = jv_array();

	jv_push(types, jv_string("string"));
	jv_push(types, jv_string("number"));
	jv_push(types, jv_string("boolean"));
	jv_set(values, "type", types);
	jv_set(flat, "additionalProperties", values);
	add(choices, flat);
}

static struct jv *value_schema(const struct prop *p, enum prop_action action, enum brand brand);

/* The members that the table knows for the objects of an array. */
static struct jv *members_schema(const struct prop *p, enum prop_action action,
				 enum brand brand)
{
	cleanup_free char *prefix = xasprintf("%s.*.", p->check_as ? p->check_as : p->name);
	struct jv *members = jv_object(), *schema = typed("object");
	const struct prop *m;

	/* What is added by an update is as new as at create. */
	for (size_t i = 0; (m = prop_at(i)); i++)
		if (strncmp(m->name, prefix, strlen(prefix)) == 0 &&
		    (prop_allowed(m, brand, action) ||
		     (strncmp(p->name, "add_", 4) == 0 && prop_allowed(m, brand, PROP_CREATE))))
			jv_set(members, m->name + strlen(prefix),
			       value_schema(m, action, brand));
	jv_set(schema, "properties", members);
	jv_set(schema, "additionalProperties", jv_bool(false));
	return schema;
}

static void add_objects(struct jv *choices, const struct prop *p, enum prop_action action,
			enum brand brand)
{
	struct jv *list = typed("array");

	jv_set(list, "items", members_schema(p, action, brand));
	jv_set(list, "maxItems", jv_int(PAYLOAD_NICS_MAX));
	add(choices, list);
}

static void add_choices(struct jv *choices, const struct prop *p, enum prop_action action,
			enum brand brand)
{
	struct jv *text;

	switch (p->type) {
	case PROP_BOOLEAN:
		add_boolean(choices);
		break;
	case PROP_INTEGER:
		add_integer(choices, p);
		break;
	case PROP_LIST:
		add_list(choices, p);
		break;
	case PROP_FLAT:
		add_flat(choices);
		break;
	case PROP_OBJECTS:
		add_objects(choices, p, action, brand);
		break;
	case PROP_UUID:
		text = typed("string");
		jv_set(text, "pattern", jv_string(UUID_PATTERN));
		add(choices, text);
		break;
	case PROP_ZPOOL:
		add(choices, constant(jv_string("zones")));
		break;
	default:
		add(choices, text_schema(p));
	}
}

static struct jv *value_schema(const struct prop *p, enum prop_action action, enum brand brand)
{
	struct jv *schema = jv_object(), *choices = jv_array(), *def = NULL;

	jv_set(schema, "description", jv_string(p->meaning));
	if (p->deprecated)
		jv_set(schema, "deprecated", jv_bool(true));
	if (p->def && action == PROP_CREATE &&
	    jv_parse(p->def, strlen(p->def), "default", &def, NULL) == 0)
		jv_set(schema, "default", def);
	add_choices(choices, p, action, brand);
	/* null, and "" for a number or a text, take a property away. */
	add(choices, typed("null"));
	if (p->type == PROP_INTEGER || p->type == PROP_STRING)
		add(choices, constant(jv_string("")));
	jv_set(schema, "anyOf", choices);
	return schema;
}

static void set_title(struct jv *schema, enum prop_action action, enum brand brand)
{
	static const char *const actions[] = {
		[PROP_CREATE] = "create", [PROP_UPDATE] = "update", [PROP_RECEIVE] = "receive"
	};
	cleanup_free char *title =
		xasprintf("payload of vmadm %s for %s VMs", actions[action], brand_name(brand));

	jv_set(schema, "$schema", jv_string("https://json-schema.org/draft/2020-12/schema"));
	jv_set(schema, "title", jv_string(title));
}

struct jv *prop_schema(enum prop_action action, enum brand brand)
{
	struct jv *schema = jv_object(), *properties = jv_object(), *required = jv_array();
	const struct prop *p;

	set_title(schema, action, brand);
	jv_set(schema, "type", jv_string("object"));
	for (size_t i = 0; (p = prop_at(i)); i++) {
		if (strstr(p->name, ".*.") || !prop_allowed(p, brand, action))
			continue;
		if (strcmp(p->name, "brand") == 0)
			jv_set(properties, p->name, constant(jv_string(brand_name(brand))));
		else
			jv_set(properties, p->name, value_schema(p, action, brand));
		if (action == PROP_CREATE && p->required & brand)
			jv_push(required, jv_string(p->name));
	}
	jv_set(schema, "properties", properties);
	jv_set(schema, "required", required);
	jv_set(schema, "additionalProperties", jv_bool(false));
	return schema;
}
