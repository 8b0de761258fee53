/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/jv.h"
#include "imgapi/query.h"
#include "imgapi/range.h"

#include <stdlib.h>
#include <string.h>

#define ID(n) "0000000" #n "-1111-4222-8333-444444444444"

static struct jv *manifests[4];

/* Two were published at the same moment. */
static int make_manifests(void **state)
{
	static const char *const texts[] = {
		"{\"uuid\":\"" ID(
			1) "\",\"name\":\"base\",\"version\":\"1.0\",\"os\":\"linux\","
			   "\"type\":\"lx-dataset\",\"state\":\"active\",\"public\":true,\"owner\":\"" ID(
				   9) "\",\"published_at\":\"2026-01-01T00:00:00.000Z\",\"tags\":{\"role\":\"db\","
				      "\"n\":7},\"billing_tags\":[\"a\",\"b\"],\"channels\":[\"dev\"]}",
		"{\"uuid\":\"" ID(
			2) "\",\"name\":\"base-64\",\"version\":\"2.0\",\"os\":\"smartos\","
			   "\"type\":\"zone-dataset\",\"state\":\"active\",\"public\":false,"
			   "\"published_at\":\"2026-02-01T00:00:00.000Z\"}",
		"{\"uuid\":\"" ID(3) "\",\"name\":\"web\",\"version\":\"2.1\",\"os\":\"linux\","
				     "\"type\":\"zvol\",\"state\":\"active\",\"public\":true,"
				     "\"published_at\":\"2026-02-01T00:00:00.000Z\"}",
		"{\"uuid\":\"" ID(4) "\",\"name\":\"old\",\"version\":\"0\",\"os\":\"linux\","
				     "\"type\":\"zvol\",\"state\":\"disabled\",\"public\":true,"
				     "\"published_at\":\"2026-03-01T00:00:00.000Z\"}",
	};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
			jv_parse(texts[i], strlen(texts[i]), "test", &manifests[i], NULL), 0);
	return 0;
}

static int drop_manifests(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		jv_unref(manifests[i]);
	return 0;
}

/* Adds "KEY=VALUE&KEY=VALUE" without decoding. */
static int add(struct query *q, const char *text, struct err *e)
{
	char *copy = strdup(text), *rest = copy, *one;
	int r = 0;

	while (r == 0 && (one = strsep(&rest, "&"))) {
		char *value = strchr(one, '=');

		if (value)
			*value++ = '\0';
		r = query_add(q, one, value, e);
	}
	free(copy);
	return r;
}

/* WANT has the last digit of the first part of each UUID, in order. */
static void assert_lists(const char *text, const char *want)
{
	struct jv *list = NULL;
	struct query q;
	struct err e = { 0 };
	char got[8] = "";

	query_init(&q);
	if (add(&q, text, &e) < 0 || query_run(&q, manifests, 4, &list, &e) < 0)
		fail_msg("'%s': %s", text, e.msg);
	for (size_t i = 0; i < jv_len(list); i++)
		got[i] = jv_get_string(jv_at(list, i), "uuid")[7];
	if (strcmp(got, want) != 0)
		fail_msg("'%s' gives '%s', not '%s'", text, got, want);
	jv_unref(list);
	query_done(&q);
}

static void assert_refuses(const char *text, const char *field)
{
	struct jv *list = NULL;
	struct query q;
	struct err e = { 0 };
	int r;

	query_init(&q);
	r = add(&q, text, &e);
	if (r == 0)
		r = query_run(&q, manifests, 4, &list, &e);
	if (r != -EINVAL || strcmp(q.wrong, field) != 0 || !strstr(e.msg, field))
		fail_msg("'%s': %d, '%s', '%s'", text, r, q.wrong, e.msg);
	query_done(&q);
}

static void filters_let_through_what_they_say(void **state)
{
	(void)state;
	assert_lists("", "123");
	assert_lists("state=all", "1234");
	assert_lists("state=disabled", "4");
	assert_lists("name=base", "1");
	assert_lists("name=~base", "12");
	assert_lists("version=~2.", "23");
	assert_lists("version=2.", "");
	assert_lists("os=linux", "13");
	assert_lists("os=!linux", "2");
	assert_lists("type=!zvol&os=linux", "1");
	assert_lists("public=false", "2");
	assert_lists("owner=" ID(9), "1");
	assert_lists("tag.role=db", "1");
	assert_lists("tag.n=7", "1");
	assert_lists("tag.n=8", "");
	assert_lists("billing_tag=b", "1");
	assert_lists("channel=dev", "123");
	assert_lists("channel=release", "23");
	assert_lists("channel=*", "123");
	assert_lists("inclAdminFields=true&account=x", "123");
}

static void pages_join_without_a_gap(void **state)
{
	(void)state;
	assert_lists("limit=2", "12");
	assert_lists("limit=2&marker=" ID(2), "23");
	assert_lists("limit=2&marker=" ID(3), "3");
	assert_lists("marker=2026-02-01", "23");
	assert_lists("marker=2026-02-01T00:00:00.000Z&limit=1", "2");
	assert_lists("marker=2026-02-02", "");
	assert_lists("sort=published_at.desc", "321");
	assert_lists("sort=published_at.desc&marker=" ID(2), "21");
	assert_lists("sort=published_at.desc&marker=2026-01-15", "1");
	/* The marker need not be one that the filters let through. */
	assert_lists("name=web&marker=" ID(2), "3");
}

static void wrong_values_are_named(void **state)
{
	(void)state;
	assert_refuses("limit=0", "limit");
	assert_refuses("limit=1001", "limit");
	assert_refuses("limit=99999999999999999999", "limit");
	assert_refuses("limit=1x", "limit");
	assert_refuses("limit", "limit");
	assert_refuses("marker=yesterday", "marker");
	assert_refuses("marker=2026-02", "marker");
	assert_refuses("marker=" ID(8), "marker");
	assert_refuses("owner=me", "owner");
	assert_refuses("public=1", "public");
	assert_refuses("state=gone", "state");
	assert_refuses("sort=name", "sort");
}

static void filters_are_bounded(void **state)
{
	struct query q;

	(void)state;
	query_init(&q);
	for (int i = 0; i < QUERY_FILTERS_MAX; i++)
		assert_int_equal(query_add(&q, "name", "x", NULL), 0);
	assert_int_equal(query_add(&q, "name", "x", NULL), -EINVAL);
	query_done(&q);
}

static void assert_range(const char *text, enum range want, uint64_t from, uint64_t len)
{
	uint64_t got_from = 0, got_len = 0;
	enum range got = range_parse(text, 1000, &got_from, &got_len);

	if (got != want || got_from != from || got_len != len)
		fail_msg("'%s' is %d, %lu, %lu", text, got, (unsigned long)got_from,
			 (unsigned long)got_len);
}

static void ranges(void **state)
{
	uint64_t from, len;

	(void)state;
	assert_range(NULL, RANGE_WHOLE, 0, 0);
	assert_range("bytes=0-", RANGE_PART, 0, 1000);
	assert_range("bytes=10-19", RANGE_PART, 10, 10);
	assert_range("bytes=999-", RANGE_PART, 999, 1);
	assert_range("bytes=999-5000", RANGE_PART, 999, 1);
	assert_range("bytes=-5", RANGE_PART, 995, 5);
	assert_range("bytes=-5000", RANGE_PART, 0, 1000);
	assert_range("bytes=1000-", RANGE_BEYOND, 0, 0);
	assert_range("bytes=-0", RANGE_BEYOND, 0, 0);
	assert_range("bytes=5-4", RANGE_WHOLE, 0, 0);
	assert_range("bytes=0-1,3-4", RANGE_WHOLE, 0, 0);
	assert_range("bytes=", RANGE_WHOLE, 0, 0);
	assert_range("bytes=-", RANGE_WHOLE, 0, 0);
	assert_range("bytes=a-", RANGE_WHOLE, 0, 0);
	assert_range("lines=1-2", RANGE_WHOLE, 0, 0);
	assert_range("bytes=99999999999999999999-", RANGE_WHOLE, 0, 0);
	assert_int_equal(range_parse("bytes=0-", 0, &from, &len), RANGE_BEYOND);
	assert_int_equal(range_parse("bytes=-1", 0, &from, &len), RANGE_BEYOND);
}

static void tags(void **state)
{
	(void)state;
	assert_false(range_tag_is_in(NULL, "ab", true));
	assert_true(range_tag_is_in("\"ab\"", "ab", false));
	assert_true(range_tag_is_in("\"x\", W/\"ab\"", "ab", true));
	assert_false(range_tag_is_in("\"x\", W/\"ab\"", "ab", false));
	assert_false(range_tag_is_in("\"abc\"", "ab", true));
	assert_false(range_tag_is_in("\"ab", "ab", true));
	assert_false(range_tag_is_in("ab", "ab", true));
	assert_true(range_tag_is_in("*", "ab", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_let_through_what_they_say),
		cmocka_unit_test(pages_join_without_a_gap),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(filters_are_bounded),
		cmocka_unit_test(ranges),
		cmocka_unit_test(tags),
	};

	return cmocka_run_group_tests(tests, make_manifests, drop_manifests);
}
