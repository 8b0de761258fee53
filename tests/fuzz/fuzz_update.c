/* SPDX-License-Identifier: MIT */
/*
 * fuzz_update.c - whatever a payload of update holds, it is refused with words or
 * makes a record that holds together; the old one is left alone.
 */
#include "base/alloc.h"
#include "base/jv.h"
#include "librecord/claim.h"
#include "libpayload/payload.h"

#include "fuzz.h"

#include <string.h>

static const char zone[] =
	"{\"v\":1,\"uuid\":\"11111111-1111-4111-8111-111111111111\",\"brand\":\"lx\","
	"\"hostname\":\"h\",\"max_physical_memory\":256,\"max_swap\":512,\"tmpfs\":128,"
	"\"max_locked_memory\":256,\"tags\":{\"a\":\"1\"},\"routes\":{\"10.1.0.0/16\":\"nics[1]\"},"
	"\"nics\":[{\"mac\":\"02:00:00:00:00:01\",\"nic_tag\":\"a\",\"interface\":\"eth0\","
	"\"ips\":[\"10.0.0.1/24\",\"fd00::1/64\"],\"ip\":\"10.0.0.1\",\"netmask\":\"255.255.255.0\","
	"\"primary\":true},{\"mac\":\"02:00:00:00:00:02\",\"nic_tag\":\"b\",\"interface\":\"eth2\","
	"\"ips\":[\"10.2.0.2/24\"],\"ip\":\"10.2.0.2\",\"netmask\":\"255.255.255.0\"}],"
	"\"filesystems\":[{\"source\":\"/a\",\"target\":\"/x\",\"type\":\"lofs\"}]}";

static const char machine[] =
	"{\"v\":1,\"uuid\":\"22222222-2222-4222-8222-222222222222\",\"brand\":\"bhyve\","
	"\"hostname\":\"h\",\"ram\":1024,\"max_physical_memory\":2304,\"nics\":[],"
	"\"flexible_disk_size\":1000,\"disks\":[{\"path\":\"/d0\",\"model\":\"virtio\",\"size\":10,"
	"\"boot\":true,\"media\":\"disk\",\"pci_slot\":\"0:4:0\"}],"
	"\"pci_devices\":[{\"path\":\"/devices/x\",\"pci_slot\":\"0:8:0\"}]}";

static int any_image(void *data, const char *uuid, struct payload_image *ret, struct err *e)
{
	(void)data;
	if (uuid[0] == 'f')
		return err_set(e, -ENOENT, "no image");
	*ret = (struct payload_image){ .type = "zvol", .os = "linux", .size_mib = 100 };
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

static void check_nics(const struct jv *nics)
{
	size_t primaries = 0;

	must(jv_len(nics) <= PAYLOAD_NICS_MAX);
	for (size_t i = 0; i < jv_len(nics); i++) {
		const struct jv *nic = jv_at(nics, i);

		must(jv_get_string(nic, "mac") && jv_get_string(nic, "nic_tag"));
		must(jv_get_string(nic, "interface") &&
		     jv_type(jv_get(nic, "ips")) == JV_ARRAY);
		primaries += jv_get_bool(nic, "primary", false);
		for (size_t k = 0; k < i; k++)
			must(strcmp(jv_get_string(jv_at(nics, k), "interface"),
				    jv_get_string(nic, "interface")) != 0);
	}
	must(primaries == (jv_len(nics) > 0));
}

static void check_record(const struct jv *record)
{
	cleanup_jv struct jv *claims = claims_of_record(record);
	int64_t memory = jv_get_int(record, "max_physical_memory", 0);

	must(memory > 0 && jv_get_int(record, "max_swap", 0) >= memory);
	must(jv_get_int(record, "max_locked_memory", 0) <= memory);
	must(jv_get_int(record, "tmpfs", 0) <= memory);
	must(!strpbrk(jv_get_string(record, "hostname"), " \n\t/"));
	for (size_t i = 0; i < jv_len(claims); i++)
		must(!strchr(jv_get_string(jv_at(claims, i), "name"), '/'));
	for (size_t i = 0; i < jv_len(jv_get(record, "disks")); i++)
		must(jv_get_string(jv_at(jv_get(record, "disks"), i), "model") != NULL);
	check_nics(jv_get(record, "nics"));
}

static void change(const char *text, const char *state, const struct jv *payload, bool ignore)
{
	struct payload_env env = { NULL, any_image, any_tag };
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *old = NULL, *kept = NULL, *new = NULL, *changes = NULL;
	cleanup_free char *summary = NULL, *details = NULL;
	struct payload_vm vm = { .state = state, .zone_state = state };
	struct err e = { 0 };
	int r;

	must(jv_parse(text, strlen(text), "old", &old, &e) == 0);
	kept = jv_copy(old);
	vm.record = old;
	r = payload_update(&vm, payload, &env, ignore, &new, &ps, &e);
	must((r < 0) == problems_fatal(&ps));
	must(jv_equal(old, kept));
	summary = problems_summary(&ps);
	details = problems_details(&ps);
	if (r < 0) {
		must(*summary && *details);
		return;
	}
	check_record(new);
	changes = payload_changes(old, new);
	must(jv_type(changes) == JV_ARRAY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct payload_env env = { NULL, any_image, any_tag };
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *payload = NULL;
	struct err e = { 0 };

	if (payload_parse((const char *)data, size, "input", &payload, &e) < 0)
		return 0;
	change(zone, "running", payload, size % 2);
	change(machine, "stopped", payload, size % 2);
	must((payload_check_update(payload, BRAND_BHYVE, &env, &ps, &e) < 0) ==
	     problems_fatal(&ps));
	return 0;
}
