/* SPDX-License-Identifier: MIT */
/*
 * fuzz_payload.c - whatever a payload holds, it is refused with words or makes a
 * record that is fit to be stored.
 */
#include "base/jv.h"
#include "base/uuid.h"
#include "librecord/claim.h"
#include "libpayload/payload.h"
#include "libvm/zone_files.h"

#include "fuzz.h"

#include <string.h>

static int any_image(void *data, const char *uuid, struct payload_image *ret, struct err *e)
{
	(void)data;
	if (uuid[0] == 'f')
		return err_set(e, -ENOENT, "no image");
	*ret = (struct payload_image){ .type = "lx-dataset", .os = "linux" };
	return 0;
}

static int any_tag(void *data, const char *name, struct payload_tag *ret, struct err *e)
{
	(void)data;
	if (name[0] == 'x')
		return err_set(e, -ENOENT, "no tag");
	*ret = (struct payload_tag){ .mtu = 1500, .physical = true };
	return 0;
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void must_be_printable(const char *text)
{
	for (; *text; text++)
		must((unsigned char)*text >= ' ' || *text == '\n');
}

static void check_nics(const struct jv *nics)
{
	size_t primaries = 0;

	must(jv_len(nics) <= PAYLOAD_NICS_MAX);
	for (size_t i = 0; i < jv_len(nics); i++) {
		const struct jv *nic = jv_at(nics, i);
		cleanup_free char *text = zone_file_network(nic);

		must(!text || strncmp(text, "[Match]\nName=", 13) == 0);
		must(jv_get_string(nic, "mac") && jv_get_string(nic, "nic_tag"));
		must(jv_get_string(nic, "interface") &&
		     jv_type(jv_get(nic, "ips")) == JV_ARRAY);
		primaries += jv_get_bool(nic, "primary", false);
	}
	must(primaries == (jv_len(nics) > 0));
}

static void check_record(const struct jv *record)
{
	cleanup_jv struct jv *claims = claims_of_record(record);
	cleanup_free char *hosts = zone_file_hosts(record);
	cleanup_free char *resolv = zone_file_resolv_conf(record);

	must(strncmp(hosts, "127.0.0.1\tlocalhost\n", 20) == 0);
	must(!resolv || strstr(resolv, "nameserver "));
	must(uuid_is_valid(jv_get_string(record, "uuid")));
	must(jv_get_int(record, "max_physical_memory", 0) > 0);
	must(jv_get_int(record, "max_swap", 0) >= jv_get_int(record, "max_physical_memory", 0));
	must(!strpbrk(jv_get_string(record, "hostname"), " \n\t/"));
	for (size_t i = 0; i < jv_len(claims); i++)
		must(!strchr(jv_get_string(jv_at(claims, i), "name"), '/'));
	check_nics(jv_get(record, "nics"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct payload_env env = { NULL, any_image, any_tag };
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *payload = NULL, *record = NULL;
	cleanup_free char *summary = NULL, *details = NULL;
	struct err e = { 0 };
	int r;

	if (payload_parse((const char *)data, size, "input", &payload, &e) < 0) {
		must(strncmp(e.msg, "Invalid JSON payload: ", 22) == 0);
		return 0;
	}
	r = payload_to_record(payload, &env, &record, &ps, &e);
	must((r < 0) == problems_fatal(&ps));
	summary = problems_summary(&ps);
	details = problems_details(&ps);
	must_be_printable(summary);
	must_be_printable(details);
	if (r < 0)
		must(*summary && *details);
	else
		check_record(record);
	return 0;
}
