/* SPDX-License-Identifier: MIT */
/*
 * listing.h - images as a table: -o, -s, -H and FILTER, the same for every command
 * that lists.
 */
#pragma once

#include "imgadm/imgadm.h"

#define LISTING_FIELDS_MAX 64
#define LISTING_COLUMNS    "uuid,name,version,os,type,pub"
#define LISTING_DOCKER     "uuid,repository,tag,image_id,created"
#define LISTING_SORT       "published_at,name"

struct filter {
	char *field;
	char *value;
	bool part; /* "=~": somewhere in it */
};

struct listing {
	struct image_list images; /* meta.source is where each is from */
	struct image_uses clones;
	struct filter filters[LISTING_FIELDS_MAX];
	size_t filter_count;
	char *columns[LISTING_FIELDS_MAX];
	size_t column_count;
	char *sort[LISTING_FIELDS_MAX];
	size_t sort_count;
};

/* Columns and order: what -o and -s say, or these. 0, or wrong use. */
ATTR_MUST_CHECK int listing_begin(struct listing *l, struct cli_call *call, const char *columns,
				  const char *sort);
/* All operands. */
ATTR_MUST_CHECK int listing_add_filters(struct listing *l, struct cli_call *call);
void listing_done(struct listing *l);
#define cleanup_listing cleanup_with(listing_done)

/* Does FIELD show anywhere? What is dear to find out is found out only then. */
bool listing_wants(const struct listing *l, const char *field);
/* Does the listing DATA need the member NAME of manifests? For image_list_load_some(). */
bool listing_needs(const void *data, const char *name, size_t len);

/* Fields that only images of registries have. *RET is new, or NULL. False: it is none of those.
 */
bool listing_docker_field(const struct image *img, const char *field, char **ret);
/* Is FIELD one that is taken from the tags? */
bool listing_is_docker(const char *field);

/* Copies. */
void listing_add(struct listing *l, const struct jv *manifest, const struct jv *source);

/* Only images of registries that have tags there; with EACH_TAG one of them a tag. */
void listing_select_docker(struct listing *l, bool each_tag);
void listing_filter(struct listing *l); /* drop what no filter lets through */
void listing_sort(struct listing *l);
/* Nothing at all, not even a header, when there are no rows. */
ATTR_MUST_CHECK int listing_print(const struct listing *l, bool header, struct err *e);
