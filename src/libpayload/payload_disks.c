/* SPDX-License-Identifier: MIT */
/*
 * Disks and passed-through devices of hardware VMs: where their bytes come from,
 * which controller the guest sees them at, and which address each has in it.
 *
 * Addresses of bhyve VMs, unless given: CD-ROMs 0:3:0 and up, disks 0:4:0 and up
 * with the one that is booted from first; what is taken is left out.
 */
#include "libpayload/payload_rules.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/uuid.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_STR   16
#define SLOT_CDROM 3
#define SLOT_DISK  4
#define FUNCTIONS  8
#define DEVICES    32
#define BUSES      256
#define NAME_STR   64

/* One disk that came as KEY.INDEX of the payload. */
struct entry {
	struct payload_list *list;
	struct jv *disk;
	const char *key;
	size_t index;
};

static void about(const struct entry *at, enum problem_kind kind, const char *member,
		  const char *text)
{
	char name[NAME_STR], pointer[NAME_STR];

	(void)snprintf(name, sizeof(name), "%s.%zu.%s", at->key, at->index, member);
	(void)snprintf(pointer, sizeof(pointer), "/%s/%zu/%s", at->key, at->index, member);
	problems_add(at->list->ps, kind, name, pointer, "%s", text);
}

static bool is_cdrom(const struct jv *disk)
{
	const char *media = jv_get_string(disk, "media");

	return media && strcmp(media, "cdrom") == 0;
}

static void check_image_size(const struct entry *at, const struct payload_image *image)
{
	int64_t given = jv_get_int(at->disk, "image_size", 0);
	int64_t size = jv_get_int(at->disk, "size", 0);
	char text[96];

	if (!image->size_mib)
		return;
	(void)snprintf(text, sizeof(text), "must be %lld, the size of the image in MiB",
		       (long long)image->size_mib);
	if (given && given != image->size_mib)
		about(at, PROBLEM_VALUE, "image_size", text);
	jv_set(at->disk, "image_size", jv_int(image->size_mib));
	(void)snprintf(text, sizeof(text),
		       "must be at least %lld, the size of the image in MiB",
		       (long long)image->size_mib);
	if (size && size < image->size_mib)
		about(at, PROBLEM_VALUE, "size", text);
}

/* Only bhyve disks may be larger than their image, and no clone has a block size of its own. */
static void check_with_image(const struct entry *at)
{
	if (jv_get(at->disk, "size") && at->list->brand == BRAND_KVM) {
		about(at, PROBLEM_UNKNOWN, "size", "is not allowed beside image_uuid");
		(void)jv_del(at->disk, "size");
	}
	if (!jv_get(at->disk, "block_size"))
		return;
	about(at, PROBLEM_UNKNOWN, "block_size", "is not allowed beside image_uuid");
	about(at, PROBLEM_RULE, "block_size",
	      "setting both .block_size and .image_uuid on a volume is invalid");
}

static int check_image(const struct entry *at, const char *bootrom, struct err *e)
{
	const struct payload_env *env = at->list->env;
	const char *uuid = jv_get_string(at->disk, "image_uuid");
	struct payload_image image = { 0 };
	int r;

	r = env->image(env->data, uuid, &image, e);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT) {
		about(at, PROBLEM_VALUE, "image_uuid",
		      "no such image is installed; 'imgadm list' shows those that are");
		if (!jv_get(at->disk, "image_size"))
			about(at, PROBLEM_MISSING, "image_size",
			      "must be given for an image that is not installed");
	} else if (strcmp(image.type, "zvol") != 0) {
		about(at, PROBLEM_VALUE, "image_uuid", "must be an image of a disk (zvol)");
	} else {
		check_image_size(at, &image);
		if (jv_get_bool(at->disk, "boot", false) && *image.bootrom && bootrom &&
		    strcmp(image.bootrom, bootrom) != 0)
			about(at, PROBLEM_VALUE, "image_uuid",
			      "boots with another firmware than bootrom says");
	}
	check_with_image(at);
	return 0;
}

static void check_block_size(const struct entry *at)
{
	int64_t n = jv_get_int(at->disk, "block_size", 0);

	if (n && (n < 512 || n > 131072 || (n & (n - 1))))
		about(at, PROBLEM_VALUE, "block_size",
		      "must be a power of two from 512 to 131072");
}

static void check_source(const struct entry *at)
{
	check_block_size(at);
	if (jv_get(at->disk, "image_size") && !jv_get(at->disk, "image_uuid")) {
		about(at, PROBLEM_UNKNOWN, "image_size", "is not allowed without image_uuid");
		(void)jv_del(at->disk, "image_size");
	}
	if (jv_get(at->disk, "path") && !jv_get_bool(at->disk, "nocreate", false))
		about(at, PROBLEM_RULE, "path",
		      "you cannot specify a path for a disk unless you set nocreate=true");
	if (!jv_get(at->disk, "image_uuid") && !jv_get(at->disk, "size") &&
	    !jv_get_bool(at->disk, "nocreate", false) && !is_cdrom(at->disk))
		about(at, PROBLEM_MISSING, "size",
		      "must be given, in MiB, or image_uuid: there is nothing to make it from");
}

static void check_model(struct payload_list *list, const struct jv *disk, const char *pointer)
{
	static const char kvm[] = "virtio,scsi,ide", bhyve[] = "virtio,ahci,nvme";
	const char *valid = list->brand == BRAND_KVM ? kvm : bhyve;
	const char *model = jv_get_string(disk, "model");
	size_t len = model ? strlen(model) : 0;

	if (!model) {
		cleanup_free char *json = jv_dump(disk, 0);

		problems_add(list->ps, PROBLEM_RULE, "model", pointer,
			     "missing .model option for disk: %s", json);
		return;
	}
	for (const char *word = valid; word; word = strchr(word, ',')) {
		word += *word == ',';
		if (len && strncmp(word, model, len) == 0 &&
		    (word[len] == ',' || word[len] == '\0'))
			return;
	}
	problems_add(list->ps, PROBLEM_RULE, "model", pointer,
		     "\"%s\" is not a valid disk model for %s brand. Valid are: %s", model,
		     brand_name(list->brand), valid);
}

void payload_disk_changed(struct payload_list *list, const struct jv *disk, const char *pointer)
{
	const char *compression = jv_get_string(disk, "compression");
	const char *media = jv_get_string(disk, "media");

	check_model(list, disk, pointer);
	if (media && strcmp(media, "disk") != 0 && strcmp(media, "cdrom") != 0)
		problems_add(list->ps, PROBLEM_RULE, "media", pointer,
			     "invalid media \"%s\" for disk, must be disk or cdrom", media);
	if (compression && *compression && !payload_compression_is_known(compression))
		problems_add(
			list->ps, PROBLEM_RULE, "compression", pointer,
			"invalid compression setting for disk, must be one of: " PAYLOAD_COMPRESSIONS);
}

static void fill_in(struct payload_list *list, struct jv *disk)
{
	if (!jv_get(disk, "media"))
		jv_set(disk, "media", jv_string("disk"));
	if (!jv_get(disk, "model") && list->driver)
		jv_set(disk, "model", jv_string(list->driver));
}

static void give_uuid(const struct payload_list *list, struct jv *disk)
{
	char uuid[UUID_STR];

	if (list->brand != BRAND_BHYVE || jv_get(disk, "uuid"))
		return;
	uuid_generate_random(uuid);
	jv_set(disk, "uuid", jv_string(uuid));
}

/* "DEVICE", "DEVICE:FUNCTION" or "BUS:DEVICE:FUNCTION", as "B:D:F". */
static bool slot_normalise(const char *text, char ret[static SLOT_STR], unsigned int *ret_bus,
			   unsigned int *ret_device)
{
	unsigned int n[3] = { 0 }, count = 0;
	char *end;

	for (;;) {
		if (count == ARRAY_SIZE(n) || !isdigit((unsigned char)*text))
			return false;
		n[count++] = (unsigned int)strtoul(text, &end, 10);
		if (end - text > 3 || (*end && *end != ':'))
			return false;
		if (!*end)
			break;
		text = end + 1;
	}
	*ret_bus = count == 3 ? n[0] : 0;
	*ret_device = count == 3 ? n[1] : n[0];
	count = count == 3 ? n[2] : (count == 2 ? n[1] : 0);
	(void)snprintf(ret, SLOT_STR, "%u:%u:%u", *ret_bus, *ret_device, count);
	return *ret_bus < BUSES && *ret_device < DEVICES && count < FUNCTIONS;
}

static bool device_is_reserved(unsigned int bus, unsigned int device)
{
	return bus == 0 && (device == 0 || device == 6 || device == 30 || device == 31);
}

static void check_slot(struct payload_list *list, struct jv *disk, const char *pointer)
{
	const char *text = jv_get_string(disk, "pci_slot");
	unsigned int bus, device;
	char slot[SLOT_STR];

	if (!text)
		return;
	if (!slot_normalise(text, slot, &bus, &device)) {
		problems_add(list->ps, PROBLEM_RULE, "pci_slot", pointer,
			     "pci_slot \"%s\" is not valid", text);
		return;
	}
	if (device_is_reserved(bus, device))
		problems_add(list->ps, PROBLEM_RULE, "pci_slot", pointer,
			     "pci_slot \"%s\" invalid: PCI device %u is reserved", text,
			     device);
	jv_set(disk, "pci_slot", jv_string(slot));
}

static bool has_text(const struct jv *disk, const char *member, const char *want)
{
	const char *text = jv_get_string(disk, member);

	return text && strcmp(text, want) == 0;
}

static bool slot_is_taken(const struct payload_list *list, const char *slot)
{
	for (size_t i = 0; i < jv_len(list->items); i++)
		if (has_text(jv_at(list->items, i), "pci_slot", slot))
			return true;
	return false;
}

static void give_slot(struct payload_list *list, struct jv *disk, const char *pointer)
{
	char slot[SLOT_STR];

	if (jv_get(disk, "pci_slot"))
		return;
	for (unsigned int n = 0; n < FUNCTIONS; n++) {
		(void)snprintf(slot, sizeof(slot), "0:%d:%u",
			       is_cdrom(disk) ? SLOT_CDROM : SLOT_DISK, n);
		if (slot_is_taken(list, slot))
			continue;
		jv_set(disk, "pci_slot", jv_string(slot));
		return;
	}
	problems_add(list->ps, PROBLEM_RULE, "pci_slot", pointer,
		     "no pci_slot is left for this disk; give one");
}

static void give_slots(struct payload_list *list, const char *key)
{
	char pointer[NAME_STR];

	for (int boot = 1; boot >= 0; boot--) {
		for (size_t i = 0; i < jv_len(list->items); i++) {
			struct jv *disk = jv_at(list->items, i);

			(void)snprintf(pointer, sizeof(pointer), "/%s/%zu", key, i);
			if (jv_get_bool(disk, "boot", false) == boot)
				give_slot(list, disk, pointer);
		}
	}
}

static void check_pair(struct payload_list *list, size_t a, size_t b, const char *pointer)
{
	const struct jv *one = jv_at(list->items, a), *two = jv_at(list->items, b);
	const char *uuid = jv_get_string(two, "uuid"), *slot = jv_get_string(two, "pci_slot");
	const char *path = jv_get_string(two, "path");

	if (slot && has_text(one, "pci_slot", slot))
		problems_add(list->ps, PROBLEM_RULE, "pci_slot", pointer,
			     "VM has multiple disks in pci_slot \"%s\": disk %zu and disk %zu",
			     slot, a, b);
	if (uuid && has_text(one, "uuid", uuid))
		problems_add(list->ps, PROBLEM_RULE, "uuid", pointer, "duplicate disk uuid %s",
			     uuid);
	if (path && has_text(one, "path", path))
		problems_add(list->ps, PROBLEM_RULE, "path", pointer,
			     "VM has multiple disks with path \"%s\": disk %zu and disk %zu",
			     path, a, b);
	if (list->brand == BRAND_BHYVE && jv_get_bool(one, "boot", false) &&
	    jv_get_bool(two, "boot", false))
		problems_add(list->ps, PROBLEM_RULE, "boot", pointer,
			     "multiple boot disks: disk %zu and disk %zu", a, b);
}

void payload_disks_together(struct payload_list *list, const char *key)
{
	char pointer[NAME_STR];

	for (size_t i = 0; i < jv_len(list->items); i++) {
		(void)snprintf(pointer, sizeof(pointer), "/%s/%zu", key, i);
		if (list->brand == BRAND_BHYVE)
			check_slot(list, jv_at(list->items, i), pointer);
		for (size_t other = 0; other < i; other++)
			check_pair(list, other, i, pointer);
	}
	if (list->brand == BRAND_BHYVE)
		give_slots(list, key);
}

int payload_disks_new(struct payload_list *list, size_t first, const char *key,
		      const char *bootrom, struct err *e)
{
	for (size_t i = first; i < jv_len(list->items); i++) {
		struct entry at = { list, jv_at(list->items, i), key, i - first };
		char pointer[NAME_STR];
		int r;

		(void)snprintf(pointer, sizeof(pointer), "/%s/%zu", key, i - first);
		check_source(&at);
		if (jv_get(at.disk, "image_uuid")) {
			r = check_image(&at, bootrom, e);
			if (r < 0)
				return r;
		}
		fill_in(list, at.disk);
		payload_disk_changed(list, at.disk, pointer);
		give_uuid(list, at.disk);
	}
	return 0;
}

void payload_pci_devices(const struct jv *devices, size_t first, const char *key,
			 struct problems *ps)
{
	for (size_t i = first; i < jv_len(devices); i++) {
		const struct jv *device = jv_at(devices, i);
		struct payload_list list = { .ps = ps };
		struct entry at = { &list, NULL, key, i - first };
		const char *path = jv_get_string(device, "path");
		const char *text = jv_get_string(device, "pci_slot");
		const char *model = jv_get_string(device, "model");
		unsigned int bus, number;
		char slot[SLOT_STR];

		if (!path || strncmp(path, "/devices/", 9) != 0)
			about(&at, path ? PROBLEM_VALUE : PROBLEM_MISSING, "path",
			      "must be given and begin with /devices");
		if (!text)
			about(&at, PROBLEM_MISSING, "pci_slot", "must be given");
		else if (!slot_normalise(text, slot, &bus, &number) ||
			 device_is_reserved(bus, number))
			about(&at, PROBLEM_VALUE, "pci_slot",
			      "must be [BUS:]DEVICE[:FUNCTION], and the device not reserved");
		if (model && strcmp(model, "passthru") != 0)
			about(&at, PROBLEM_VALUE, "model", "must be passthru");
	}
}
