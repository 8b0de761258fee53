/* SPDX-License-Identifier: MIT */
#include "imgapi/query.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"

#include <stdio.h>
#include <string.h>

/* ---- one filter: does VALUE let the member through? ------------------------------ */

static bool is_value(const struct jv *v, const char *value)
{
	cleanup_free char *text = NULL;

	if (jv_type(v) == JV_STRING)
		return strcmp(jv_as_string(v), value) == 0;
	if (!v || jv_type(v) == JV_ARRAY || jv_type(v) == JV_OBJECT)
		return false;
	text = jv_dump(v, 0);
	return strcmp(text, value) == 0;
}

/* "~x": x is somewhere in it */
static bool match_part(const struct jv *v, const char *value)
{
	const char *text = jv_as_string(v);

	if (*value != '~')
		return is_value(v, value);
	return text && strstr(text, value + 1);
}

/* "!x": it is not x */
static bool match_not(const struct jv *v, const char *value)
{
	return *value == '!' ? !is_value(v, value + 1) : is_value(v, value);
}

static bool match_any(const struct jv *v, const char *value)
{
	for (size_t i = 0; i < jv_len(v); i++)
		if (is_value(jv_at(v, i), value))
			return true;
	return false;
}

/* An image that names no channel is in all of them. */
static bool match_channel(const struct jv *v, const char *value)
{
	return !v || strcmp(value, "*") == 0 || match_any(v, value);
}

/* ---- what values are right ------------------------------------------------------- */

static bool check_uuid(const char *value)
{
	return uuid_is_valid(value);
}

static bool check_bool(const char *value)
{
	return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
}

static const struct query_word {
	const char *key;
	const char *member;
	bool (*matches)(const struct jv *v, const char *value);
	bool (*check)(const char *value); /* NULL: anything */
	const char *rule;
} words[] = {
	{ "owner", "owner", is_value, check_uuid, "is not a UUID" },
	{ "name", "name", match_part, NULL, NULL },
	{ "version", "version", match_part, NULL, NULL },
	{ "public", "public", is_value, check_bool, "is neither 'true' nor 'false'" },
	{ "os", "os", match_not, NULL, NULL },
	{ "type", "type", match_not, NULL, NULL },
	{ "billing_tag", "billing_tags", match_any, NULL, NULL },
	{ "channel", "channels", match_channel, NULL, NULL },
};

static const struct query_word tag_word = { "tag.", "tags", is_value, NULL, NULL };

/* ---- parameters ------------------------------------------------------------------ */

static int wrong(struct query *q, const char *key, const char *value, const char *rule,
		 struct err *e)
{
	(void)snprintf(q->wrong, sizeof(q->wrong), "%s", key);
	return err_set(e, -EINVAL, "%.60s: '%.100s' %s", key, value, rule);
}

static int add_filter(struct query *q, const struct query_word *w, const char *key,
		      const char *value, struct err *e)
{
	if (w->check && !w->check(value))
		return wrong(q, key, value, w->rule, e);
	if (q->count == QUERY_FILTERS_MAX)
		return wrong(q, key, value, "is one filter too many: 32 are taken", e);
	q->filters[q->count++] = (struct query_filter){
		.word = w,
		.key = w == &tag_word ? xstrdup(key + 4) : NULL,
		.value = xstrdup(value),
	};
	return 0;
}

static int set_state(struct query *q, const char *value, struct err *e)
{
	static const char *const states[] = { "active", "disabled", "unactivated",
					      "all",    "creating", "failed" };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (strcmp(value, states[i]) == 0) {
			free(q->state);
			q->state = xstrdup(value);
			return 0;
		}
	return wrong(q, "state", value,
		     "is not one of active, disabled, unactivated, all, creating, failed", e);
}

static int set_limit(struct query *q, const char *value, struct err *e)
{
	size_t len = strspn(value, "0123456789"), n = 0;

	for (size_t i = 0; i < len && i < 5; i++)
		n = n * 10 + (size_t)(value[i] - '0');
	if (len == 0 || len > 4 || value[len] || n == 0 || n > QUERY_LIMIT_MAX)
		return wrong(q, "limit", value, "is not a number from 1 to 1000", e);
	q->limit = n;
	return 0;
}

/* "2026-08-01", or more of a moment */
static bool is_date(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	size_t i;

	for (i = 0; i < sizeof(form) - 1 && s[i]; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9'
				   : s[i] != form[i] && !(i == 19 && s[i] == 'Z'))
			return false;
	return !s[i] && i >= 10;
}

static int set_marker(struct query *q, const char *value, struct err *e)
{
	if (!uuid_is_valid(value) && !is_date(value))
		return wrong(q, "marker", value, "is neither a UUID nor a date", e);
	free(q->marker);
	q->marker = xstrdup(value);
	return 0;
}

static int set_sort(struct query *q, const char *value, struct err *e)
{
	q->descending = strcmp(value, "published_at.desc") == 0;
	if (!q->descending && strcmp(value, "published_at") != 0 &&
	    strcmp(value, "published_at.asc") != 0)
		return wrong(q, "sort", value,
			     "is not 'published_at', 'published_at.asc' or 'published_at.desc'",
			     e);
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct query *q, const char *value, struct err *e);
} settings[] = {
	{ "limit", set_limit },
	{ "marker", set_marker },
	{ "sort", set_sort },
	{ "state", set_state },
};

void query_init(struct query *q)
{
	*q = (struct query){ .limit = QUERY_LIMIT_MAX };
}

void query_done(struct query *q)
{
	for (size_t i = 0; i < q->count; i++) {
		free(q->filters[i].key);
		free(q->filters[i].value);
	}
	free(q->state);
	free(q->marker);
}

int query_add(struct query *q, const char *key, const char *value, struct err *e)
{
	if (!value)
		value = "";
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (strcmp(key, settings[i].key) == 0)
			return settings[i].set(q, value, e);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(key, words[i].key) == 0)
			return add_filter(q, &words[i], key, value, e);
	if (strncmp(key, "tag.", 4) == 0 && key[4])
		return add_filter(q, &tag_word, key, value, e);
	return 0;
}

/* ---- the list -------------------------------------------------------------------- */

bool query_matches(const struct query *q, const struct jv *m)
{
	const char *state = jv_get_string(m, "state");
	const char *want = q->state ? q->state : "active";

	if (strcmp(want, "all") != 0 && (!state || strcmp(state, want) != 0))
		return false;
	for (size_t i = 0; i < q->count; i++) {
		const struct query_filter *f = &q->filters[i];
		const struct jv *v = jv_get(m, f->word->member);

		if (!f->word->matches(f->key ? jv_get(v, f->key) : v, f->value))
			return false;
	}
	return true;
}

/* Is M at the marker, or behind it? */
static bool is_reached(const struct query *q, const struct jv *m)
{
	const char *at = jv_get_string(m, "published_at");
	int order;

	if (uuid_is_valid(q->marker))
		return strcmp(jv_get_string(m, "uuid"), q->marker) == 0;
	order = strcmp(at ? at : "", q->marker);
	return q->descending ? order <= 0 : order >= 0;
}

int query_run(struct query *q, struct jv *const *manifests, size_t count, struct jv **ret_list,
	      struct err *e)
{
	bool reached = !q->marker;
	struct jv *list = jv_array();

	for (size_t i = 0; i < count && jv_len(list) < q->limit; i++) {
		struct jv *m = manifests[q->descending ? count - 1 - i : i];

		reached = reached || is_reached(q, m);
		if (reached && query_matches(q, m))
			jv_push(list, jv_ref(m));
	}
	if (!reached && uuid_is_valid(q->marker)) {
		jv_unref(list);
		return wrong(q, "marker", q->marker, "is an image that is not here", e);
	}
	*ret_list = list;
	return 0;
}
