/* SPDX-License-Identifier: MIT */
/*
 * Limits and their defaults, which hang together: memory gives the rest.
 */
#include "libpayload/payload_rules.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/filesystem.h"

#include <string.h>

#define RAM_DEFAULT     256
#define SWAP_LEAST      256
#define SHARES_MOST     65535
#define OVERHEAD_KVM    1024
#define OVERHEAD_BHYVE  1280
#define OVERHEAD_LEAST  256
#define RECSIZE_DEFAULT 131072
#define PASSWORD_MAX    8
#define SIZE_LARGEST    (INT64_MAX / 2)

static void set_default(struct jv *record, const char *name, int64_t n)
{
	if (!jv_get(record, name))
		jv_set(record, name, jv_int(n));
}

static void at_least(struct jv *record, const char *name, int64_t n)
{
	if (jv_get_int(record, name, 0) < n)
		jv_set(record, name, jv_int(n));
}

static void at_most(struct jv *record, const char *name, int64_t n)
{
	if (jv_get_int(record, name, 0) > n)
		jv_set(record, name, jv_int(n));
}

/* 0 MiB would be a VM that cannot start: it counts as not given, as in the original. */
static void drop_zero(struct jv *record, const char *name)
{
	if (jv_get_int(record, name, 0) == 0)
		(void)jv_del(record, name);
}

static void memory_of_hardware(struct jv *record, enum brand brand)
{
	int64_t ram, overhead = brand == BRAND_KVM ? OVERHEAD_KVM : OVERHEAD_BHYVE;

	set_default(record, "ram", RAM_DEFAULT);
	ram = jv_get_int(record, "ram", 0);
	set_default(record, "max_physical_memory", ram + overhead);
	/* As given, before it is raised: what guests of the original have. */
	set_default(record, "max_shm_memory", jv_get_int(record, "max_physical_memory", 0));
	at_least(record, "max_physical_memory", ram + OVERHEAD_LEAST);
	if (jv_get(record, "max_locked_memory"))
		at_least(record, "max_locked_memory", ram + OVERHEAD_LEAST);
}

static void memory_of_zone(struct jv *record)
{
	set_default(record, "max_physical_memory", jv_get_int(record, "ram", RAM_DEFAULT));
	(void)jv_del(record, "ram");
}

static void memory(struct jv *record, enum brand brand)
{
	int64_t physical;

	drop_zero(record, "ram");
	drop_zero(record, "max_physical_memory");
	if (brand & BRANDS_HARDWARE)
		memory_of_hardware(record, brand);
	else
		memory_of_zone(record);
	physical = jv_get_int(record, "max_physical_memory", 0);

	set_default(record, "max_locked_memory", physical);
	at_most(record, "max_locked_memory", physical);
	set_default(record, "max_swap", SWAP_LEAST);
	at_least(record, "max_swap", physical > SWAP_LEAST ? physical : SWAP_LEAST);
	set_default(record, "max_shm_memory", physical);
	if (brand & BRANDS_ZONE) {
		set_default(record, "tmpfs", physical);
		at_most(record, "tmpfs", physical);
	}
}

void payload_limits(struct jv *record, enum brand brand)
{
	memory(record, brand);
	drop_zero(record, "cpu_cap");
	set_default(record, "cpu_shares", 100);
	at_most(record, "cpu_shares", SHARES_MOST);
	set_default(record, "zfs_io_priority", 100);
	set_default(record, "max_lwps", 2000);
	set_default(record, "max_msg_ids", 4096);
	set_default(record, "max_sem_ids", 4096);
	set_default(record, "max_shm_ids", 4096);
	set_default(record, "quota", brand == BRAND_BHYVE ? 1 : 10);
	if (brand & BRANDS_HARDWARE)
		set_default(record, "vcpus", 1);
	if (jv_get(record, "zfs_root_recsize") && !jv_get_int(record, "zfs_root_recsize", 0))
		jv_set(record, "zfs_root_recsize", jv_int(RECSIZE_DEFAULT));
	if (jv_get(record, "zfs_root_recsize"))
		set_default(record, "zfs_data_recsize", RECSIZE_DEFAULT);
	if (jv_get(record, "zfs_data_recsize") && !jv_get_int(record, "zfs_data_recsize", 0))
		jv_set(record, "zfs_data_recsize", jv_int(RECSIZE_DEFAULT));
}

/* NAME keeps its distance to the memory, unless CHECKED gives it as well; where it cannot, it
 * has its default. */
static void keep_distance(struct jv *record, const struct jv *old, const struct jv *checked,
			  const char *name, int64_t grown)
{
	int64_t was = jv_get_int(old, name, -1);

	if (was < 0 || jv_get(checked, name))
		return;
	if (was + grown > 0)
		jv_set(record, name, jv_int(was + grown));
	else
		(void)jv_del(record, name);
}

static int64_t new_memory(const struct jv *old, const struct jv *checked, enum brand brand)
{
	int64_t was = jv_get_int(old, "max_physical_memory", 0);
	int64_t ram = jv_get_int(checked, "ram", 0);
	int64_t given = jv_get_int(checked, "max_physical_memory", 0);

	if (given)
		return given;
	if (!ram)
		return was;
	return brand & BRANDS_HARDWARE ? was + ram - jv_get_int(old, "ram", ram) : ram;
}

void payload_memory_follows(struct jv *record, const struct jv *old, const struct jv *checked,
			    enum brand brand)
{
	int64_t was = jv_get_int(old, "max_physical_memory", 0);
	int64_t now = new_memory(old, checked, brand);
	int64_t tmpfs = jv_get_int(old, "tmpfs", -1);

	if (brand & BRANDS_ZONE)
		(void)jv_del(record, "ram");
	else if (!jv_get_int(record, "ram", 0) && jv_get_int(old, "ram", 0))
		jv_set(record, "ram", jv_int(jv_get_int(old, "ram", 0)));
	if (now <= 0 || was <= 0)
		return;
	jv_set(record, "max_physical_memory", jv_int(now));
	if (now == was)
		return;
	keep_distance(record, old, checked, "max_locked_memory", now - was);
	keep_distance(record, old, checked, "max_swap", now - was);
	if (tmpfs > 0 && (brand & BRANDS_ZONE) && !jv_get(checked, "tmpfs"))
		jv_set(record, "tmpfs",
		       jv_int((int64_t)((double)tmpfs * (double)now / (double)was + 0.5)));
}

void payload_note_clamped(const struct jv *checked, const struct jv *record,
			  struct problems *ps)
{
	static const char *const names[] = { "cpu_shares", "max_locked_memory",
					     "max_physical_memory", "max_swap", "tmpfs" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup_free char *pointer = xasprintf("/%s", names[i]);
		int64_t given = jv_get_int(checked, names[i], 0);
		int64_t taken = jv_get_int(record, names[i], 0);

		if (given && given != taken)
			problems_add(ps, PROBLEM_NOTE, names[i], pointer,
				     "%lld is outside of what the other limits allow; %lld is "
				     "taken",
				     (long long)given, (long long)taken);
	}
}

static bool word_in(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

bool payload_compression_is_known(const char *kind)
{
	static const char *const kinds[] = { "on",     "off",    "gzip",   "gzip-1", "gzip-2",
					     "gzip-3", "gzip-4", "gzip-5", "gzip-6", "gzip-7",
					     "gzip-8", "gzip-9", "lz4",    "lzjb",   "zle" };

	return word_in(kind, kinds, ARRAY_SIZE(kinds));
}

static void check_compression(const struct jv *record, const char *name, const char *pointer,
			      struct problems *ps)
{
	const char *kind = jv_get_string(record, name);

	if (kind && !payload_compression_is_known(kind))
		problems_add(
			ps, PROBLEM_RULE, name, pointer,
			"invalid compression type for %s, must be one of: " PAYLOAD_COMPRESSIONS,
			kind);
}

static void check_recsize(const struct jv *record, const char *name, const char *pointer,
			  struct problems *ps)
{
	int64_t n = jv_get_int(record, name, 0);

	if (n && (n < 512 || n > 131072 || (n & (n - 1))))
		problems_add(
			ps, PROBLEM_RULE, name, pointer,
			"invalid %s (%lld), must be 512-131072 and a power of 2. (0 to disable)",
			name, (long long)n);
}

static void check_display(const struct jv *record, struct problems *ps)
{
	static const char *const adapters[] = { "cirrus", "std", "vmware", "qxl", "xenfb" };
	const char *vnc = jv_get_string(record, "vnc_password");
	const char *spice = jv_get_string(record, "spice_password");
	const char *vga = jv_get_string(record, "vga");

	if (vnc && strlen(vnc) > PASSWORD_MAX)
		problems_add(ps, PROBLEM_RULE, "vnc_password", "/vnc_password",
			     "VNC password is too long, maximum length is 8 characters.");
	if (spice && strlen(spice) > PASSWORD_MAX)
		problems_add(ps, PROBLEM_RULE, "spice_password", "/spice_password",
			     "SPICE password is too long, maximum length is 8 characters.");
	if (vga && !word_in(vga, adapters, ARRAY_SIZE(adapters)))
		problems_add(ps, PROBLEM_RULE, "vga", "/vga",
			     "Invalid VGA type: \"%s\", supported types are: "
			     "cirrus,std,vmware,qxl,xenfb",
			     vga);
}

static void check_firmware(const struct jv *record, struct problems *ps)
{
	const char *rom = jv_get_string(record, "bootrom");

	if (rom && *rom != '/' && strcmp(rom, "bios") != 0 && strcmp(rom, "uefi") != 0)
		problems_add(ps, PROBLEM_RULE, "bootrom", "/bootrom",
			     "Invalid bootrom: \"%s\", must be bios, uefi or an absolute path",
			     rom);
}

/* Disks share flexible_disk_size, so it is as large as they are together. */
static void check_disk_space(const struct jv *record, struct problems *ps)
{
	const struct jv *disks = jv_get(record, "disks");
	int64_t space = jv_get_int(record, "flexible_disk_size", 0), sum = 0;

	for (size_t i = 0; i < jv_len(disks); i++) {
		const struct jv *disk = jv_at(disks, i);
		int64_t size = jv_get_int(disk, "size", jv_get_int(disk, "image_size", 0));

		sum = size > SIZE_LARGEST - sum ? SIZE_LARGEST : sum + size;
	}
	if (space && sum > space)
		problems_add(ps, PROBLEM_RULE, "flexible_disk_size", "/flexible_disk_size",
			     "flexible_disk_size (%lld) is less than the disks take together "
			     "(%lld)",
			     (long long)space, (long long)sum);
}

void payload_cross_checks(const struct jv *record, struct problems *ps)
{
	check_compression(record, "zfs_root_compression", "/zfs_root_compression", ps);
	check_compression(record, "zfs_data_compression", "/zfs_data_compression", ps);
	check_recsize(record, "zfs_root_recsize", "/zfs_root_recsize", ps);
	check_recsize(record, "zfs_data_recsize", "/zfs_data_recsize", ps);
	check_display(record, ps);
	check_firmware(record, ps);
	check_disk_space(record, ps);
	filesystem_check(record, ps);
}
