/* SPDX-License-Identifier: MIT */
#include "platform/pool_find.h"

#include "base/path.h"

#include "unit.h"

static void put(struct unit_dir *d, const char *folder, const char *file, const char *text)
{
	char path[128];
	int fd;

	assert_int_equal(path_mkdir_all(d->fd, folder, 0700, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = openat(d->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static void pci(struct unit_dir *d, const char *name, const char *class, const char *vendor)
{
	char folder[64];

	(void)snprintf(folder, sizeof(folder), "bus/pci/devices/%s", name);
	put(d, folder, "class", class);
	put(d, folder, "vendor", vendor);
}

static int teardown(void **state)
{
	struct unit_dir *d = *state;

	(void)!path_remove_tree(d->fd, "bus", NULL);
	return unit_dir_teardown(state);
}

static void virtio_disks_with_a_driver_are_all_there_is(void **state)
{
	struct unit_dir *d = *state;

	assert_false(pool_disks_may_come(d->path));
	pci(d, "0000:00:01.0", "0x010000\n", "0x1af4\n");
	pci(d, "0000:00:02.0", "0x020000\n", "0x8086\n");
	put(d, "bus/virtio/devices/virtio0", "device", "0x0002\n");
	assert_true(pool_disks_may_come(d->path));
	put(d, "bus/virtio/devices/virtio0/driver", "bind", "");
	assert_false(pool_disks_may_come(d->path));
}

static void other_controllers_are_waited_for(void **state)
{
	struct unit_dir *d = *state;

	pci(d, "0000:00:01.0", "0x010802\n", "0x144d\n"); /* NVMe */
	assert_true(pool_disks_may_come(d->path));
	pci(d, "0000:00:01.0", "0x0c0330\n", "0x1b36\n"); /* USB */
	assert_true(pool_disks_may_come(d->path));
	pci(d, "0000:00:01.0", "0x030000\n", "0x1234\n"); /* a display */
	assert_false(pool_disks_may_come(d->path));
	put(d, "bus/virtio/devices/virtio1", "device", "0x0008\n"); /* SCSI by virtio */
	assert_true(pool_disks_may_come(d->path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test_setup_teardown(virtio_disks_with_a_driver_are_all_there_is, unit_dir_setup, teardown),
		cmocka_unit_test_setup_teardown(other_controllers_are_waited_for, unit_dir_setup, teardown),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
