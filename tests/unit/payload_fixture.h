/* SPDX-License-Identifier: MIT */
/*
 * payload_fixture.h - a host for payload tests: three images, two networks.
 */
#pragma once

#include "base/jv.h"
#include "libpayload/payload.h"

#include "unit.h"

#include <string.h>

#define LINUX_IMAGE "11111111-1111-4111-8111-111111111111"
#define SUN_IMAGE   "22222222-2222-4222-8222-222222222222"
#define DISK_IMAGE  "33333333-3333-4333-8333-333333333333"

static inline int fixture_image(void *data, const char *uuid, struct payload_image *ret,
				struct err *e)
{
	(void)data;
	if (strcmp(uuid, LINUX_IMAGE) == 0)
		*ret = (struct payload_image){ .type = "lx-dataset", .os = "linux" };
	else if (strcmp(uuid, SUN_IMAGE) == 0)
		*ret = (struct payload_image){ .type = "zone-dataset", .os = "smartos" };
	else if (strcmp(uuid, DISK_IMAGE) == 0)
		*ret = (struct payload_image){ .type = "zvol", .os = "linux" };
	else
		return err_set(e, -ENOENT, "no image");
	return 0;
}

static inline int fixture_tag(void *data, const char *name, struct payload_tag *ret,
			      struct err *e)
{
	(void)data;
	if (strcmp(name, "external") == 0)
		*ret = (struct payload_tag){ .mtu = 1500, .physical = true };
	else if (strcmp(name, "stub0") == 0)
		*ret = (struct payload_tag){ .mtu = 9000, .physical = false };
	else if (strcmp(name, "broken") == 0)
		return err_set(e, -EIO, "the table of tags cannot be read");
	else
		return err_set(e, -ENOENT, "no tag");
	return 0;
}

static const struct payload_env fixture_env = { NULL, fixture_image, fixture_tag };

/* TEXT is JSON with ' for ", which is easier to read in C. New. */
static inline struct jv *fixture_json(const char *text)
{
	char buf[8192];
	struct jv *v = NULL;
	struct err e = { 0 };

	assert_true(strlen(text) < sizeof(buf));
	for (size_t i = 0; i <= strlen(text); i++)
		buf[i] = text[i] == '\'' ? '"' : text[i];
	if (payload_parse(buf, strlen(buf), "test", &v, &e) < 0)
		fail_msg("%s", e.msg);
	return v;
}

/* MEMBERS of an lx payload with a good image. The record, or NULL with PS filled. */
static inline struct jv *fixture_record(const char *members, struct problems *ps)
{
	cleanup_jv struct jv *payload = NULL;
	struct jv *record = NULL;
	char text[8192];

	(void)snprintf(text, sizeof(text), "{'brand': 'lx', 'image_uuid': '%s'%s%s}",
		       LINUX_IMAGE, *members ? ", " : "", members);
	payload = fixture_json(text);
	if (payload_to_record(payload, &fixture_env, &record, ps, NULL) < 0)
		return NULL;
	return record;
}

/* It is refused, and WANT is the first line that a person reads. */
static inline void assert_refused(const char *members, const char *want)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_free char *summary = NULL;
	struct jv *record = fixture_record(members, &ps);

	if (record)
		fail_msg("was taken: %s", members);
	summary = problems_summary(&ps);
	assert_string_equal(summary, want);
}

/* It is refused with a detail that holds WANT. */
static inline void assert_detail(const char *members, const char *want)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_free char *details = NULL;
	struct jv *record = fixture_record(members, &ps);

	if (record)
		fail_msg("was taken: %s", members);
	details = problems_details(&ps);
	if (!strstr(details, want))
		fail_msg("no '%s' in:\n%s", want, details);
}

/* It is taken and MEMBER is the number WANT. */
static inline void assert_number(const char *members, const char *member, int64_t want)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = fixture_record(members, &ps);

	if (!record) {
		cleanup_free char *summary = problems_summary(&ps);

		fail_msg("%s: %s", members, summary);
	}
	assert_int_equal(jv_get_int(record, member, -1), want);
}
