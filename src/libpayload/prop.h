/* SPDX-License-Identifier: MIT */
/*
 * prop.h - the one table of VM properties.
 *
 * Everything that has to know a property asks here: what a payload may hold,
 * which values are right, the columns of list, the keys of filters, completion,
 * the manual page. The rows are in prop_*.c, each written as data.
 *
 * Members of the objects in an array have rows of their own, "nics.*.mac".
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum prop_type {
	PROP_BOOLEAN,
	PROP_INTEGER,
	PROP_STRING,
	PROP_LIST,    /* of strings */
	PROP_FLAT,    /* object of strings, numbers and booleans */
	PROP_OBJECTS, /* array of objects with rows of their own */
	PROP_UUID,
	PROP_ZPOOL,
	PROP_TYPE_MAX_,
};

/* When a change takes effect. */
enum prop_effect {
	PROP_NONE,
	PROP_LIVE,
	PROP_REBOOT,   /* with its next start */
	PROP_STOPPED,  /* can be changed while it is stopped only */
	PROP_STORED,   /* is kept, changes nothing */
	PROP_CREATION, /* cannot be changed */
	PROP_DERIVED,  /* computed when asked */
	PROP_EFFECT_MAX_,
};

/* Brands are bits, so that a row holds sets of them. */
enum brand {
	BRAND_JOYENT = 1,
	BRAND_JOYENT_MINIMAL = 2,
	BRAND_BUILDER = 4,
	BRAND_LX = 8,
	BRAND_KVM = 16,
	BRAND_BHYVE = 32,
};
#define BRANDS_ZONE     (BRAND_JOYENT | BRAND_JOYENT_MINIMAL | BRAND_BUILDER | BRAND_LX)
#define BRANDS_HARDWARE (BRAND_KVM | BRAND_BHYVE)

enum prop_action { PROP_CREATE, PROP_UPDATE, PROP_RECEIVE, PROP_ACTION_MAX_ };

struct prop {
	const char *name;
	enum prop_type type;
	enum prop_effect effect;
	unsigned int allowed[PROP_ACTION_MAX_]; /* brands */
	unsigned int required;                  /* brands, at create */
	int64_t min, max;                       /* when bounded */
	bool bounded;
	bool keep_zero; /* "" and null are not the same as 0 */
	bool filter;    /* may be a key of list and lookup */
	bool deprecated;
	const char *header; /* of its column; NULL: is none */
	unsigned int width;
	const char *check_as; /* its members are those of this one */
	/* For strings and members of lists: 0, or what TEXT must be. */
	const char *(*check)(const char *text);
	/* Why it is stored and not in force; NULL: it holds, or has nothing to hold. */
	const char *not_held;
	/* What it is when create is not told: JSON, or words where it follows from something.
	 */
	const char *def;
	const char *meaning;
};

/* NAME as in the table. NULL: there is no such property. */
const struct prop *prop_find(const char *name);

/* The rows in turn, NULL after the last: for (size_t i = 0; (p = prop_at(i)); i++) */
const struct prop *prop_at(size_t i);

bool prop_allowed(const struct prop *p, enum brand brand, enum prop_action action);
/* May anybody put it into a payload at all? */
bool prop_is_payload(const struct prop *p);

const char *prop_type_name(enum prop_type type);
const char *prop_effect_name(enum prop_effect effect);

/* 0 when NAME is no brand. */
unsigned int brand_from_name(const char *name);
const char *brand_name(enum brand brand);
/* "OS", "LX", "KVM", "BHYV": what list shows. */
const char *brand_type(enum brand brand);
