/* SPDX-License-Identifier: MIT */
/*
 * What changed between two VM objects, and how it is printed.
 */
#include "libquery/vm_diff.h"
#include "libquery/vm_event.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/jv.h"

#include "unit.h"

#define UUID "aaaaaaaa-1111-4222-8333-444444444444"

static struct jv *parse(const char *text)
{
	struct jv *v = NULL;

	assert_int_equal(jv_parse(text, strlen(text), "test", &v, NULL), 0);
	return v;
}

/* "PRETTY ACTION OLD NEW [IDENT]" a change, joined by newlines. */
static char *changes_text(const struct jv *changes)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < jv_len(changes); i++) {
		const struct jv *c = jv_at(changes, i);
		cleanup_free char *before = jv_dump(jv_get(c, "oldValue"), 0);
		cleanup_free char *after = jv_dump(jv_get(c, "newValue"), 0);

		buf_addf(&b, "%s%s %s %s %s", i ? "\n" : "", jv_get_string(c, "prettyPath"),
			 jv_get_string(c, "action"), before, after);
		if (jv_get(c, "ident"))
			buf_addf(&b, " %s", jv_get_string(c, "ident"));
	}
	return b.data ? buf_take(&b) : xstrdup("");
}

static void check_diff(const char *before_text, const char *after_text, const char *want)
{
	cleanup_jv struct jv *before = parse(before_text), *after = parse(after_text);
	cleanup_jv struct jv *changes = vm_diff(before, after);
	cleanup_free char *got = changes_text(changes);

	assert_string_equal(got, want);
}

static void scalars_and_objects_are_compared_member_by_member(void **state ATTR_UNUSED)
{
	check_diff("{}", "{}", "");
	check_diff("{\"a\":1}", "{\"a\":1}", "");
	check_diff("{}", "{\"a\":1}", "a added null 1");
	check_diff("{\"a\":1}", "{}", "a removed 1 null");
	check_diff("{\"a\":1}", "{\"a\":2}", "a changed 1 2");
	check_diff("{\"a\":1}", "{\"a\":\"1\"}", "a changed 1 \"1\"");
	check_diff("{\"a\":true}", "{\"a\":false}", "a changed true false");
	check_diff("{\"a\":null}", "{\"a\":0}", "a changed null 0");
	check_diff("{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":4}",
		   "a removed 1 null\nb changed 2 3\nc added null 4");
	check_diff("{\"t\":{}}", "{\"t\":{\"x\":\"y\"}}", "t.x added null \"y\"");
	check_diff("{\"t\":{\"x\":1,\"z\":{\"q\":1}}}", "{\"t\":{\"x\":2,\"z\":{\"q\":2}}}",
		   "t.x changed 1 2\nt.z.q changed 1 2");
	check_diff("{}", "{\"t\":{\"x\":1}}", "t added null {\"x\":1}");
	check_diff("{\"t\":{\"x\":1}}", "{\"t\":[1]}", "t changed {\"x\":1} [1]");
	/* The order of members is no change. */
	check_diff("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", "");
}

static void plain_arrays_lose_and_gain_elements(void **state ATTR_UNUSED)
{
	check_diff("{\"r\":[]}", "{\"r\":[\"a\"]}", "r.* added null \"a\"");
	check_diff("{\"r\":[\"a\",\"b\"]}", "{\"r\":[\"b\"]}", "r.* removed \"a\" null");
	check_diff("{\"r\":[\"a\"]}", "{\"r\":[\"b\"]}",
		   "r.* removed \"a\" null\nr.* added null \"b\"");
	check_diff("{\"r\":[\"a\",\"a\"]}", "{\"r\":[\"a\"]}", "r.* removed \"a\" null");
	check_diff("{\"r\":[\"a\",\"b\"]}", "{\"r\":[\"b\",\"a\"]}",
		   "r changed [\"a\",\"b\"] [\"b\",\"a\"]");
	check_diff("{\"snapshots\":[{\"name\":\"one\"}]}",
		   "{\"snapshots\":[{\"name\":\"two\"},{\"name\":\"one\"}]}",
		   "snapshots.* added null {\"name\":\"two\"}");
}

static void nics_and_disks_are_known_by_name(void **state ATTR_UNUSED)
{
	check_diff("{\"nics\":[{\"mac\":\"m1\",\"ip\":\"a\"},{\"mac\":\"m2\",\"ip\":\"b\"}]}",
		   "{\"nics\":[{\"mac\":\"m2\",\"ip\":\"c\"},{\"mac\":\"m1\",\"ip\":\"a\"}]}",
		   "nics.*.ip changed \"b\" \"c\" m2");
	check_diff("{\"nics\":[{\"mac\":\"m1\"}]}",
		   "{\"nics\":[{\"mac\":\"m1\",\"primary\":true},{\"mac\":\"m2\"}]}",
		   "nics.*.primary added null true m1\nnics.* added null {\"mac\":\"m2\"} m2");
	check_diff("{\"nics\":[{\"mac\":\"m1\",\"ips\":[\"a\"]}]}",
		   "{\"nics\":[{\"mac\":\"m1\",\"ips\":[\"a\",\"b\"]}]}",
		   "nics.*.ips.* added null \"b\" m1");
	check_diff("{\"nics\":[{\"mac\":\"m1\"}]}", "{\"nics\":[]}",
		   "nics.* removed {\"mac\":\"m1\"} null m1");
	check_diff("{\"disks\":[{\"path\":\"/d\",\"size\":1}]}",
		   "{\"disks\":[{\"path\":\"/d\",\"size\":2}]}", "disks.*.size changed 1 2 /d");
	/* Two of one name, or none: then only whole elements can be told. */
	check_diff("{\"nics\":[{\"mac\":\"m\",\"i\":1},{\"mac\":\"m\",\"i\":2}]}",
		   "{\"nics\":[{\"mac\":\"m\",\"i\":1}]}",
		   "nics.* removed {\"mac\":\"m\",\"i\":2} null");
	check_diff("{\"nics\":[{\"i\":1}]}", "{\"nics\":[{\"i\":2}]}",
		   "nics.* removed {\"i\":1} null\nnics.* added null {\"i\":2}");
}

static void a_path_has_null_for_an_element(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *before = parse("{\"nics\":[{\"mac\":\"m\",\"ip\":1}]}");
	cleanup_jv struct jv *after = parse("{\"nics\":[{\"mac\":\"m\",\"ip\":2}]}");
	cleanup_jv struct jv *changes = vm_diff(before, after);
	cleanup_free char *path = jv_dump(jv_get(jv_at(changes, 0), "path"), 0);

	assert_int_equal(jv_len(changes), 1);
	assert_string_equal(path, "[\"nics\",null,\"ip\"]");
}

static void a_deep_object_is_compared_as_a_whole_at_some_depth(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf a = BUF_INIT, b = BUF_INIT;
	cleanup_jv struct jv *before = NULL, *after = NULL, *changes = NULL;

	for (int i = 0; i < 100; i++) {
		buf_adds(&a, "{\"x\":");
		buf_adds(&b, "{\"x\":");
	}
	buf_adds(&a, "1");
	buf_adds(&b, "2");
	for (int i = 0; i < 100; i++) {
		buf_addc(&a, '}');
		buf_addc(&b, '}');
	}
	before = parse(buf_str(&a));
	after = parse(buf_str(&b));
	changes = vm_diff(before, after);
	assert_int_equal(jv_len(changes), 1);
	assert_string_equal(jv_get_string(jv_at(changes, 0), "action"), "changed");
}

static void an_event_says_what_became_of_a_vm(void **state ATTR_UNUSED)
{
	cleanup_jv struct jv *one = parse("{\"alias\":\"web\",\"ram\":1}");
	cleanup_jv struct jv *two = parse("{\"alias\":\"web\",\"ram\":2}");
	cleanup_jv struct jv *created = vm_event_new(UUID, NULL, one);
	cleanup_jv struct jv *modified = vm_event_new(UUID, one, two);
	cleanup_jv struct jv *deleted = vm_event_new(UUID, two, NULL);

	assert_null(vm_event_new(UUID, one, one));
	assert_null(vm_event_new(UUID, NULL, NULL));
	assert_string_equal(jv_get_string(created, "type"), "create");
	assert_ptr_equal(jv_get(created, "vm"), one);
	assert_null(jv_get(created, "changes"));
	assert_string_equal(jv_get_string(modified, "type"), "modify");
	assert_int_equal(jv_len(jv_get(modified, "changes")), 1);
	assert_string_equal(jv_get_string(deleted, "type"), "delete");
	assert_null(jv_get(deleted, "vm"));
	assert_string_equal(jv_get_string(deleted, "zonename"), UUID);
	assert_int_equal(strlen(jv_get_string(deleted, "date")), VM_DATE_STR - 1);
}

static void check_text(const char *event_text, bool full, const char *want)
{
	cleanup_jv struct jv *event = parse(event_text);
	cleanup_buf struct buf out = BUF_INIT;

	vm_event_text(event, full, &out);
	assert_string_equal(buf_str(&out), want);
}

#define FRAME(type)                                                                         \
	"{\"type\":\"" type "\",\"date\":\"2026-01-02T03:04:05.678Z\",\"zonename\":\"" UUID \
	"\",\"uuid\":\"" UUID "\""

static void the_lines_are_the_originals(void **state ATTR_UNUSED)
{
	check_text(FRAME("create") ",\"vm\":{\"alias\":\"web\"}}", false,
		   "[03:04:05.678Z] aaaaaaaa web create\n");
	check_text(FRAME("create") ",\"vm\":{\"alias\":\"web\"}}", true,
		   "[2026-01-02T03:04:05.678Z] " UUID " web create\n");
	check_text(FRAME("delete") "}", false, "[03:04:05.678Z] aaaaaaaa - delete\n");
	check_text(FRAME("ready") ",\"vms\":\"[]\"}", false, "[03:04:05.678Z] ready\n");
	check_text(FRAME("ready") ",\"vms\":\"[]\"}", true,
		   "[2026-01-02T03:04:05.678Z] ready (uuid " UUID ")\n");
	check_text(
		FRAME("modify") ",\"vm\":{},\"changes\":["
				"{\"prettyPath\":\"nics.*.ip\",\"action\":\"changed\","
				"\"oldValue\":\"a\",\"newValue\":{\"b\":1}},"
				"{\"prettyPath\":\"quota\",\"action\":\"removed\","
				"\"oldValue\":1,\"newValue\":null}]}",
		false,
		"[03:04:05.678Z] aaaaaaaa - modify: nics.*.ip changed :: \"a\" -> {\"b\":1}\n"
		"[03:04:05.678Z] aaaaaaaa - modify: quota removed :: 1 -> null\n");
}

static void long_names_are_cut_and_wild_ones_disarmed(void **state ATTR_UNUSED)
{
	check_text(FRAME("create") ",\"vm\":{\"alias\":\"123456789012345678901234567890\"}}",
		   false, "[03:04:05.678Z] aaaaaaaa 123456789012345678901234567890 create\n");
	check_text(FRAME("create") ",\"vm\":{\"alias\":\"1234567890123456789012345678901\"}}",
		   true,
		   "[2026-01-02T03:04:05.678Z] " UUID
		   " 123456789012345678901234567... create\n");
	check_text(FRAME("create") ",\"vm\":{\"alias\":\"a\\u001b[2J\\nb\"}}", false,
		   "[03:04:05.678Z] aaaaaaaa a?[2J?b create\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_and_objects_are_compared_member_by_member),
		cmocka_unit_test(plain_arrays_lose_and_gain_elements),
		cmocka_unit_test(nics_and_disks_are_known_by_name),
		cmocka_unit_test(a_path_has_null_for_an_element),
		cmocka_unit_test(a_deep_object_is_compared_as_a_whole_at_some_depth),
		cmocka_unit_test(an_event_says_what_became_of_a_vm),
		cmocka_unit_test(the_lines_are_the_originals),
		cmocka_unit_test(long_names_are_cut_and_wild_ones_disarmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
