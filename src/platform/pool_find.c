/* SPDX-License-Identifier: MIT */
#include "platform/pool_find.h"

#include "base/buf.h"

#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Offsets in the superblock; btrfs keeps numbers little endian. */
enum {
	AT_FSID = 0x20,
	AT_MAGIC = 0x40,
	AT_DEVICE_COUNT = 0x88,
	AT_DEVICE_UUID = 0xc9 + 66, /* the device item's uuid */
	AT_LABEL = 0x12b,
};

bool pool_super_parse(const unsigned char *super, struct pool_super *ret)
{
	uint64_t count;

	if (memcmp(super + AT_MAGIC, "_BHRfS_M", 8) != 0)
		return false;
	memcpy(ret->fsid, super + AT_FSID, POOL_UUID_LEN);
	memcpy(ret->device, super + AT_DEVICE_UUID, POOL_UUID_LEN);
	memcpy(&count, super + AT_DEVICE_COUNT, sizeof(count));
	ret->device_count = le64toh(count);
	memcpy(ret->label, super + AT_LABEL, POOL_LABEL_MAX);
	ret->label[POOL_LABEL_MAX - 1] = '\0';
	return true;
}

/* Loop devices hold what is on this host already; the rest has no room for a pool. */
static bool is_candidate(const char *name)
{
	static const char *const never[] = { "loop", "ram", "zram", "sr", "fd", "." };

	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		if (strncmp(name, never[i], strlen(never[i])) == 0)
			return false;
	}
	return strlen(name) < POOL_DEVICE_NAME - strlen("/dev/");
}

/* A device that cannot be read holds no pool that could be used. */
static bool look_at(const char *path, const char *label, struct pool_super *ret)
{
	unsigned char super[POOL_SUPER_LEN];
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && pread(fd, super, sizeof(super), POOL_SUPER_OFFSET) == sizeof(super) &&
	       pool_super_parse(super, ret) && strcmp(ret->label, label) == 0;
}

/* The same device under two names (paths of a multipath) counts once. */
static bool is_known(const struct pool_found *f, const struct pool_super *s)
{
	for (size_t i = 0; i < f->count; i++) {
		if (memcmp(f->supers[i].device, s->device, POOL_UUID_LEN) == 0 &&
		    memcmp(f->supers[i].fsid, s->fsid, POOL_UUID_LEN) == 0)
			return true;
	}
	return false;
}

int pool_find(const char *label, struct pool_found *ret, struct err *e)
{
	struct dirent **list;
	int n = scandir("/sys/class/block", &list, NULL, alphasort);

	if (n < 0)
		return err_sys(e, "cannot read '/sys/class/block'");
	ret->count = 0;
	for (int i = 0; i < n; i++) {
		char path[POOL_DEVICE_NAME + NAME_MAX];
		struct pool_super super;

		(void)snprintf(path, sizeof(path), "/dev/%s", list[i]->d_name);
		if (ret->count < POOL_DEVICES_MAX && is_candidate(list[i]->d_name) &&
		    look_at(path, label, &super) && !is_known(ret, &super)) {
			(void)snprintf(ret->devices[ret->count], POOL_DEVICE_NAME, "%.*s",
				       POOL_DEVICE_NAME - 1, path);
			ret->supers[ret->count++] = super;
		}
		free(list[i]);
	}
	free(list);
	return 0;
}

static void add_names(const struct pool_found *f, struct buf *names)
{
	for (size_t i = 0; i < f->count; i++)
		buf_addf(names, "%s'%s'", i > 0 ? ", " : "", f->devices[i]);
}

int pool_check(const struct pool_found *f, const char *label, struct err *e)
{
	cleanup_buf struct buf names = BUF_INIT;

	if (f->count == 0)
		return 0;
	add_names(f, &names);
	for (size_t i = 1; i < f->count; i++) {
		if (memcmp(f->supers[i].fsid, f->supers[0].fsid, POOL_UUID_LEN) != 0)
			return err_set(
				e, -EEXIST,
				"more than one pool has the label '%s': %s; detach one, or "
				"give it another name with 'btrfs filesystem label'",
				label, buf_str(&names));
	}
	if (f->supers[0].device_count != f->count)
		return err_set(
			e, -ENXIO,
			"the pool '%s' has %llu devices, but only %zu are there: %s; attach "
			"the rest, or mount it as it is with "
			"'mount -o degraded,subvolid=5 %s /zones' and start dais-pool again",
			label, (unsigned long long)f->supers[0].device_count, f->count,
			buf_str(&names), f->devices[0]);
	return 1;
}
