/* SPDX-License-Identifier: MIT */
/*
 * query.h - what of the list somebody asks for: filters, order, pages. Pure.
 *
 *	owner=UUID type=zvol os=!windows name=~base version=1.0 state=all public=true
 *	tag.role=db billing_tag=x channel=dev limit=100 marker=UUID sort=published_at.desc
 *
 * docs/imgapi.md has the rules. Words that are not known here are passed over, as servers of
 * the original do.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct jv;

#define QUERY_FILTERS_MAX 32
#define QUERY_LIMIT_MAX   1000

struct query_filter {
	const struct query_word *word;
	char *key; /* of "tag.KEY" */
	char *value;
};

struct query {
	struct query_filter filters[QUERY_FILTERS_MAX];
	size_t count;
	char *state; /* NULL: active */
	char *marker;
	size_t limit;
	bool descending;
	char wrong[64]; /* the parameter that query_add() refused */
};

void query_init(struct query *q);
void query_done(struct query *q);

/* One parameter, decoded; VALUE may be NULL. -EINVAL with the reason, and its name in WRONG. */
ATTR_MUST_CHECK int query_add(struct query *q, const char *key, const char *value,
			      struct err *e);

/* Is image M to be listed? */
bool query_matches(const struct query *q, const struct jv *m);

/*
 * Of COUNT manifests in the order of published_at and uuid: those that match, from the marker
 * on (it is the first again), at most the limit. A new array. -EINVAL: no such marker.
 */
ATTR_MUST_CHECK int query_run(struct query *q, struct jv *const *manifests, size_t count,
			      struct jv **ret_list, struct err *e);
