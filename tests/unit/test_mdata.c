/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/jv.h"
#include "libmdata/base64.h"
#include "libmdata/mdata.h"

#include "unit.h"

static const char object[] =
	"{\"uuid\":\"1c3aa0a8-3c5c-4d9d-8b36-2f0c1bd6dd5e\",\"alias\":\"db\",\"ram\":256,"
	"\"nics\":[{\"mac\":\"02:00:00:00:00:01\",\"ips\":[\"addrconf\",\"192.0.2.7/24\"],"
	"\"primary\":true},{\"mac\":\"02:00:00:00:00:02\",\"ips\":[\"dhcp\"]}],"
	"\"routes\":{\"198.51.100.0/24\":\"nics[0]\",\"203.0.113.0/24\":\"192.0.2.1\","
	"\"10.0.0.0/8\":\"nics[1]\",\"10.1.0.0/16\":\"nics[7]\",\"10.2.0.0/16\":\"nics[x]\","
	"\"10.3.0.0/16\":\"macs[02:00:00:00:00:01]\"},"
	"\"tags\":{\"a.b\":\"dotted\",\"on\":false,\"none\":null},"
	"\"customer_metadata\":{\"plain\":\"x\",\"admin_pw\":\"not here\",\"lines\":\".\\n.a\\n\","
	"\"n\":7},"
	"\"internal_metadata\":{\"admin_pw\":\"secret\",\"cfg:a\":\"1\",\"hidden\":\"h\","
	"\"operator-script\":\"op\",\"sdc:volumes\":\"[]\"},"
	"\"internal_metadata_namespaces\":[\"cfg\"]}";

static const struct jv *vm_of(void *data, struct err *e)
{
	if (!data)
		(void)err_set(e, -EIO, "the host is away");
	return data;
}

static int change(void *data, const char *key, const char *value, struct err *e)
{
	bool changed;

	return mdata_change(data, key, value, &changed, e);
}

static int setup(void **state)
{
	struct jv *vm;

	assert_int_equal(jv_parse(object, sizeof(object) - 1, "test", &vm, NULL), 0);
	*state = vm;
	return 0;
}

static int teardown(void **state)
{
	jv_unref(*state);
	return 0;
}

static void assert_answers(void *vm, const char *line, const char *want)
{
	const struct mdata_source source = { .data = vm, .vm = vm_of, .change = change };
	struct buf out = BUF_INIT;

	(void)mdata_answer(&source, line, strlen(line), &out);
	assert_string_equal(buf_str(&out), want);
	buf_done(&out);
}

/* A frame's text for REST, which is "ID VERB ...", new. */
static char *frame(const char *rest)
{
	return xasprintf("V2 %zu %08x %s", strlen(rest), crc32_ieee(rest, strlen(rest)), rest);
}

static char *frame_of(const char *verb, const char *payload)
{
	struct buf body = BUF_INIT;
	char *text;

	buf_addf(&body, "0badcafe %s ", verb);
	base64_encode(&body, payload, strlen(payload));
	text = frame(buf_str(&body));
	buf_done(&body);
	return text;
}

/* What VERB about PAYLOAD gets is CODE and TEXT; CODE NULL: nothing. */
static void assert_frame(void *vm, const char *verb, const char *payload, const char *code,
			 const char *text)
{
	char *line = frame_of(verb, payload), *want = NULL, *whole = NULL;

	if (code) {
		want = *text ? frame_of(code, text) : xasprintf("0badcafe %s", code);
		if (!*text) {
			char *bare = want;

			want = frame(bare);
			free(bare);
		}
		whole = xasprintf("%s\n", want);
	}
	assert_answers(vm, line, whole ? whole : "");
	free(whole);
	free(want);
	free(line);
}

static void put(void *vm, const char *key, const char *value, const char *code,
		const char *text)
{
	struct buf pair = BUF_INIT;

	base64_encode(&pair, key, strlen(key));
	buf_addc(&pair, ' ');
	base64_encode(&pair, value, strlen(value));
	assert_frame(vm, "PUT", buf_str(&pair), code, text);
	buf_done(&pair);
}

static void test_base64(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },        { "a", "YQ==" },        { "ab", "YWI=" },
		{ "abc", "YWJj" }, { "\xff\xfe", "//4=" }, { "abcd", "YWJjZA==" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct buf b = BUF_INIT;

		base64_encode(&b, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(buf_str(&b), pairs[i][1]);
		buf_reset(&b);
		base64_decode(&b, pairs[i][1], strlen(pairs[i][1]));
		assert_string_equal(buf_str(&b), pairs[i][0]);
		buf_done(&b);
	}
}

static void test_base64_takes_anything(void **state)
{
	static const char *const pairs[][2] = {
		{ "Y W\tJj\n", "abc" }, { "YWJ", "ab" }, { "__4=", "\xff\xfe" },
		{ "YQ==YQ==", "a" },    { "!!!!", "" },  { "Y", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct buf b = BUF_INIT;

		base64_decode(&b, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(buf_str(&b), pairs[i][1]);
		buf_done(&b);
	}
}

static void test_crc(void **state)
{
	(void)state;
	assert_int_equal(crc32_ieee("123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_ieee("", 0), 0);
}

static void test_version_1(void **state)
{
	static const char *const cases[][2] = {
		{ "", "invalid command\n" },
		{ " GET plain", "invalid command\n" },
		{ "GET", "invalid command\n" },
		{ "NEGOTIATE V2", "V2_OK\n" },
		{ "NEGOTIATE V2 \r", "V2_OK\n" },
		{ "NEGOTIATE V4", "FAILURE\n" },
		{ "GET plain", "SUCCESS\nx\n.\n" },
		{ "GET\tplain", "SUCCESS\nx\n.\n" },
		{ "GET lines", "SUCCESS\n..\n..a\n\n.\n" },
		{ "GET n", "SUCCESS\n7\n.\n" },
		{ "GET nothing", "NOTFOUND\n" },
		{ "PUT a b", "FAILURE\n" },
		{ "SET", "FAILURE\n" },
		{ "KEYS", "SUCCESS\nplain\nlines\nn\nadmin_pw\ncfg:a\n.\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_answers(*state, cases[i][0], cases[i][1]);
}

static void test_stores(void **state)
{
	assert_frame(*state, "GET", "admin_pw", "SUCCESS", "secret");
	assert_frame(*state, "GET", "cfg:a", "SUCCESS", "1");
	assert_frame(*state, "GET", "hidden", "NOTFOUND", "");
	assert_frame(*state, "GET", "operator-script", "NOTFOUND", "");
	assert_frame(*state, "GET", "sdc:operator-script", "SUCCESS", "op");
	assert_frame(*state, "GET", "sdc:volumes", "SUCCESS", "[]");
}

static void test_platform(void **state)
{
	assert_frame(*state, "GET", "sdc:alias", "SUCCESS", "db");
	assert_frame(*state, "GET", "sdc:ram", "SUCCESS", "256");
	assert_frame(*state, "GET", "sdc:tags.a.b", "SUCCESS", "dotted");
	assert_frame(*state, "GET", "sdc:tags.on", "SUCCESS", "false");
	assert_frame(*state, "GET", "sdc:tags.none", "NOTFOUND", "");
	assert_frame(*state, "GET", "sdc:tags", "FAILURE", "");
	assert_frame(*state, "GET", "sdc:nics.1.mac", "SUCCESS", "02:00:00:00:00:02");
	assert_frame(*state, "GET", "sdc:nics.2.mac", "NOTFOUND", "");
	assert_frame(*state, "GET", "sdc:nics.x.mac", "NOTFOUND", "");
	assert_frame(*state, "GET", "sdc:nics.0", "FAILURE", "");
	assert_frame(*state, "GET", "sdc:resolvers", "NOTFOUND", "");
	assert_frame(*state, "GET", "sdc:internal_metadata.hidden", "NOTFOUND", "");
	assert_frame(*state, "GET", "sdc:", "NOTFOUND", "");
}

/* Of NICs without an address of their own there is no route. */
static void test_routes(void **state)
{
	assert_frame(
		*state, "GET", "sdc:routes", "SUCCESS",
		"[{\"linklocal\":true,\"dst\":\"198.51.100.0/24\",\"gateway\":\"192.0.2.7\"},"
		"{\"linklocal\":false,\"dst\":\"203.0.113.0/24\",\"gateway\":\"192.0.2.1\"},"
		"{\"linklocal\":true,\"dst\":\"10.3.0.0/16\",\"gateway\":\"192.0.2.7\"}]");
}

static void test_put(void **state)
{
	put(*state, "new", "v", "SUCCESS", "OK");
	assert_frame(*state, "GET", "new", "SUCCESS", "v");
	put(*state, "x_pw", "p", "SUCCESS", "OK");
	assert_string_equal(jv_get_string(jv_get(*state, "internal_metadata"), "x_pw"), "p");
	put(*state, "operator-script", "new", "SUCCESS", "OK");
	assert_frame(*state, "GET", "sdc:operator-script", "SUCCESS", "new");
	put(*state, "sdc:alias", "v", "FAILURE", "Cannot update the \"sdc\" Namespace.");
	put(*state, "cfg:b", "v", "FAILURE", "Cannot update the \"cfg\" Namespace.");
	put(*state, "", "v", "FAILURE", "Invalid PUT Request");
	put(*state, "k", "", "FAILURE", "Invalid PUT Request");
	put(*state, "\xff", "v", "FAILURE", "Invalid PUT Request");
	assert_frame(*state, "PUT", "YQ== Yg== Yw==", "FAILURE", "Invalid PUT Request");
	assert_frame(*state, "PUT", "AGE= Yg==", "FAILURE", "Invalid PUT Request");
}

static void test_delete(void **state)
{
	assert_frame(*state, "DELETE", "plain", "SUCCESS", "OK");
	assert_frame(*state, "GET", "plain", "NOTFOUND", "");
	assert_frame(*state, "DELETE", "plain", "SUCCESS", "OK");
	assert_frame(*state, "DELETE", "cfg:a", "FAILURE",
		     "Cannot update the \"cfg\" Namespace.");
	assert_frame(*state, "FROB", "x", "FAILURE", "Unknown command FROB");
}

/* Nobody answers what may have been meant for somebody else, or was damaged on its way. */
static void test_silence(void **state)
{
	static const char *const lines[] = {
		"V2",
		"V2 x",
		"V2 17",
		"V2 17 00000000 0badcafe GET cGxhaW4=",
		"V2 99999999999999999999 00000000 0badcafe KEYS",
		"V2 13 2a7e51e3",
	};
	char *upper = frame("0BADCAFE KEYS"), *shorter = frame("0badcaf KEYS");
	char *bare = frame("0badcafe"), *empty = frame("0badcafe GET");

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_answers(*state, lines[i], "");
	assert_answers(*state, upper, "");
	assert_answers(*state, shorter, "");
	assert_answers(*state, bare, "");
	assert_answers(*state, empty, "");
	free(upper);
	free(shorter);
	free(bare);
	free(empty);
}

static void test_no_object(void **state)
{
	(void)state;
	assert_answers(NULL, "GET x", "FAILURE\n");
	assert_answers(NULL, "KEYS", "FAILURE\n");
	assert_frame(NULL, "GET", "x", "FAILURE", "the host is away");
	assert_frame(NULL, "KEYS", "x", "FAILURE", "the host is away");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_takes_anything),
		cmocka_unit_test(test_crc),
		cmocka_unit_test_setup_teardown(test_version_1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stores, setup, teardown),
		cmocka_unit_test_setup_teardown(test_platform, setup, teardown),
		cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_put, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
		cmocka_unit_test(test_no_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
