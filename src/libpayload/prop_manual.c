/* SPDX-License-Identifier: MIT */
/*
 * prop_manual.c - the property table as text: bounds and brands in words, and the
 * section of vm-payload(5) that is made from it.
 */
#include "libpayload/prop_schema.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

char *prop_brands_text(unsigned int brands)
{
	cleanup_buf struct buf b = BUF_INIT;

	if (brands == (BRANDS_ZONE | BRANDS_HARDWARE))
		return xstrdup("all");
	if (brands == BRANDS_ZONE)
		return xstrdup("containers");
	if (brands == BRANDS_HARDWARE)
		return xstrdup("hardware VMs");
	for (unsigned int bit = 1; bit <= BRAND_BHYVE; bit <<= 1)
		if (brands & bit)
			buf_addf(&b, "%s%s", b.len ? ", " : "", brand_name((enum brand)bit));
	return xstrdup(buf_str(&b));
}

char *prop_bounds_text(const struct prop *p)
{
	if (!p->bounded)
		return xstrdup("");
	if (p->max == INT64_MAX)
		return xasprintf("%" PRId64 " or more", p->min);
	return xasprintf("%" PRId64 " to %" PRId64, p->min, p->max);
}

/* mdoc(7) takes a stop or quote at the start of a line, and a backslash anywhere, for itself.
 */
static void add_text(struct buf *b, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_adds(b, "\\&");
	for (; *text; text++) {
		if (*text == '\\')
			buf_adds(b, "\\e");
		else
			buf_addc(b, *text);
	}
}

static void add_when(struct buf *b, const struct prop *p)
{
	static const char *const effects[] = {
		[PROP_LIVE] = "A change takes effect at once.",
		[PROP_REBOOT] = "A change takes effect with the next start.",
		[PROP_STOPPED] = "It can be changed while the VM is stopped.",
		[PROP_CREATION] = "It cannot be changed.",
		[PROP_EFFECT_MAX_] = NULL,
	};

	if (p->allowed[PROP_CREATE] == p->allowed[PROP_UPDATE] || strstr(p->name, ".*."))
		;
	else if (!p->allowed[PROP_CREATE] && p->allowed[PROP_UPDATE])
		buf_adds(b, "In updates only.\n");
	else if (p->allowed[PROP_CREATE] && !p->allowed[PROP_UPDATE] &&
		 p->effect != PROP_CREATION)
		buf_adds(b, "Not in updates.\n");
	if (effects[p->effect])
		buf_addf(b, "%s\n", effects[p->effect]);
}

static void add_property(struct buf *b, const struct prop *p)
{
	unsigned int brands = p->allowed[PROP_CREATE] | p->allowed[PROP_UPDATE];
	cleanup_free char *names = prop_brands_text(brands);
	cleanup_free char *bounds = prop_bounds_text(p);

	buf_addf(b, ".It Va %s\n", p->name);
	buf_addf(b, "%s%s%s; %s.\n", prop_type_name(p->type), *bounds ? ", " : "", bounds,
		 names);
	if (p->def) {
		buf_adds(b, "Default: ");
		add_text(b, p->def);
		buf_adds(b, ".\n");
	}
	buf_addf(b, ".br\n");
	add_text(b, p->meaning);
	buf_adds(b, ".\n");
	add_when(b, p);
	if (p->deprecated)
		buf_adds(b, "Do not use it any more.\n");
	if (p->not_held)
		buf_addf(b, "It is kept and not in force here: %s.\n", p->not_held);
}

void prop_manual(struct buf *b)
{
	const struct prop *p;

	buf_adds(b, ".Bl -tag -width Ds\n");
	for (size_t i = 0; (p = prop_at(i)); i++)
		if (p->allowed[PROP_CREATE] || p->allowed[PROP_UPDATE])
			add_property(b, p);
	buf_adds(b, ".El\n");
}
