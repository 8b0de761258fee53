/* SPDX-License-Identifier: MIT */
#include "payload_fixture.h"

/* The record of a VM of BRAND with MEMBERS, or NULL with PS filled. */
static struct jv *hardware(const char *brand, const char *members, struct problems *ps)
{
	cleanup_jv struct jv *payload = NULL;
	struct jv *record = NULL;
	char text[4096];

	(void)snprintf(text, sizeof(text), "{'brand': '%s', %s}", brand, members);
	payload = fixture_json(text);
	if (payload_to_record(payload, &fixture_env, &record, ps, NULL) < 0)
		return NULL;
	return record;
}

static void assert_disks(const char *brand, const char *members, const char *member,
			 const char *want)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = hardware(brand, members, &ps);
	cleanup_free char *summary = problems_summary(&ps);
	char text[256] = "";

	if (!record)
		fail_msg("%s: %s", members, summary);
	for (size_t i = 0; i < jv_len(jv_get(record, "disks")); i++) {
		const char *value = jv_get_string(jv_at(jv_get(record, "disks"), i), member);
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
			       value ? value : "-");
	}
	assert_string_equal(text, want);
}

static void assert_not(const char *brand, const char *members, const char *want,
		       const char *where)
{
	cleanup_problems struct problems ps = { 0 };
	cleanup_jv struct jv *record = hardware(brand, members, &ps);
	cleanup_free char *summary = problems_summary(&ps), *details = problems_details(&ps);

	if (record)
		fail_msg("was taken: %s", members);
	assert_string_equal(summary, want);
	if (!strstr(details, where))
		fail_msg("no '%s' in:\n%s", where, details);
}

static void slots_are_given(void **state ATTR_UNUSED)
{
	assert_disks(
		"bhyve",
		"'disk_driver': 'virtio', 'disks': [{'size': 1}, {'size': 1, 'boot': true}, "
		"{'media': 'cdrom', 'nocreate': true, 'path': '/x'}]",
		"pci_slot", "0:4:1 0:4:0 0:3:0");
	assert_disks(
		"bhyve",
		"'disk_driver': 'nvme', 'disks': [{'size': 1, 'pci_slot': '4'}, {'size': 1}, "
		"{'size': 1, 'pci_slot': '4:2'}, {'size': 1, 'pci_slot': '7:1:3'}]",
		"pci_slot", "0:4:0 0:4:1 0:4:2 7:1:3");
	assert_disks("kvm", "'disks': [{'size': 1, 'model': 'ide'}]", "pci_slot", "-");
}

static void slots_are_checked(void **state ATTR_UNUSED)
{
	static const char *const bad[] = { "32", "0:32",    "1:0:8",  "256:0:0", "x", "1:",
					   ":1", "1:2:3:4", "-1:0:0", "1:2:3 ",  "" };
	char members[256], want[128];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)snprintf(members, sizeof(members),
			       "'disks': [{'size': 1, 'model': 'ahci', 'pci_slot': '%s'}]",
			       bad[i]);
		(void)snprintf(want, sizeof(want), "pci_slot \"%s\" is not valid", bad[i]);
		assert_not("bhyve", members, want, "at /disks/0");
	}
	assert_not("bhyve", "'disks': [{'size': 1, 'model': 'ahci', 'pci_slot': '31'}]",
		   "pci_slot \"31\" invalid: PCI device 31 is reserved", "at /disks/0");
	assert_not("bhyve",
		   "'disk_driver': 'ahci', 'disks': [{'size': 1, 'pci_slot': '5'}, "
		   "{'size': 1, 'pci_slot': '0:5:0'}]",
		   "VM has multiple disks in pci_slot \"0:5:0\": disk 0 and disk 1",
		   "at /disks/1");
}

static void disks_need_a_source(void **state ATTR_UNUSED)
{
	assert_not("kvm", "'disks': [{'model': 'virtio'}]",
		   "Missing required properties: disks.0.size", "/disks/0/size");
	assert_not("kvm", "'disks': [{'model': 'virtio', 'image_uuid': '" LINUX_IMAGE "'}]",
		   "Invalid value(s) for: disks.0.image_uuid", "/disks/0/image_uuid");
	assert_not("kvm",
		   "'disks': [{'model': 'virtio', "
		   "'image_uuid': '44444444-4444-4444-8444-444444444444', 'image_size': 5}]",
		   "Invalid value(s) for: disks.0.image_uuid", "imgadm list");
	assert_not("kvm", "'disks': [{'model': 'virtio', 'size': 1, 'path': '/x'}]",
		   "you cannot specify a path for a disk unless you set nocreate=true",
		   "at /disks/0/path");
	assert_disks("kvm", "'disks': [{'model': 'virtio', 'image_uuid': '" DISK_IMAGE "'}]",
		     "media", "disk");
}

static void models_are_of_the_brand(void **state ATTR_UNUSED)
{
	assert_not("kvm", "'disks': [{'size': 1, 'model': 'nvme'}]",
		   "\"nvme\" is not a valid disk model for kvm brand. Valid are: "
		   "virtio,scsi,ide",
		   "at /disks/0");
	assert_not("bhyve", "'disks': [{'size': 1, 'model': 'virt'}]",
		   "\"virt\" is not a valid disk model for bhyve brand. Valid are: "
		   "virtio,ahci,nvme",
		   "at /disks/0");
	assert_not("kvm", "'disks': [{'size': 1}]",
		   "missing .model option for disk: {\"size\":1,\"media\":\"disk\"}",
		   "at /disks/0");
}

static void what_disks_share_is_checked(void **state ATTR_UNUSED)
{
	assert_not("bhyve",
		   "'disk_driver': 'ahci', 'flexible_disk_size': 10, "
		   "'disks': [{'size': 6}, {'size': 5}]",
		   "flexible_disk_size (10) is less than the disks take together (11)",
		   "at /flexible_disk_size");
	assert_not("bhyve",
		   "'disk_driver': 'ahci', 'disks': [{'size': 1, 'boot': true}, "
		   "{'size': 1, 'boot': true}]",
		   "multiple boot disks: disk 0 and disk 1", "at /disks/1");
	assert_not("kvm", "'disks': [{'size': 1, 'model': 'ide', 'block_size': 1000}]",
		   "Invalid value(s) for: disks.0.block_size", "/disks/0/block_size");
}

static void devices_are_checked(void **state ATTR_UNUSED)
{
	assert_not("bhyve", "'pci_devices': [{'path': '/dev/x', 'pci_slot': '7'}]",
		   "Invalid value(s) for: pci_devices.0.path", "/pci_devices/0/path");
	assert_not("bhyve", "'pci_devices': [{'path': '/devices/x', 'pci_slot': '0:6:1'}]",
		   "Invalid value(s) for: pci_devices.0.pci_slot", "/pci_devices/0/pci_slot");
	assert_not("bhyve", "'pci_devices': [{'path': '/devices/x'}]",
		   "Missing required properties: pci_devices.0.pci_slot",
		   "/pci_devices/0/pci_slot");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_given),
		cmocka_unit_test(slots_are_checked),
		cmocka_unit_test(disks_need_a_source),
		cmocka_unit_test(models_are_of_the_brand),
		cmocka_unit_test(what_disks_share_is_checked),
		cmocka_unit_test(devices_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
