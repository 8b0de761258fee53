/* SPDX-License-Identifier: MIT */
#include "init/verity.h"

#include "init/loop.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CONTROL "/dev/mapper/control"
#define NAME    "dais-root"

/* One message to the device mapper: its header, and the one target that we have. */
struct message {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char table[VERITY_TABLE_LEN];
};

int verity_table(const char *data, const char *tree, uint64_t size,
		 const unsigned char root[static VERIFY_HASH_LEN],
		 char ret_table[static VERITY_TABLE_LEN], struct err *e)
{
	char hex[2 * VERIFY_HASH_LEN + 1];

	if (size == 0 || size % VERITY_BLOCK != 0)
		return err_set(e, -EINVAL,
			       "the root image has %" PRIu64 " bytes, not whole blocks of %d",
			       size, VERITY_BLOCK);
	verify_hash_to_hex(root, hex);
	(void)snprintf(ret_table, VERITY_TABLE_LEN, "1 %s %s %d %d %" PRIu64 " 0 sha256 %s -",
		       data, tree, VERITY_BLOCK, VERITY_BLOCK, size / VERITY_BLOCK, hex);
	return 0;
}

static void start_message(struct message *m, uint32_t flags)
{
	memset(m, 0, sizeof(*m));
	m->head.version[0] = DM_VERSION_MAJOR;
	m->head.data_size = sizeof(*m);
	m->head.data_start = offsetof(struct message, target);
	m->head.flags = flags;
	(void)snprintf(m->head.name, sizeof(m->head.name), NAME);
}

static int send_message(int fd, unsigned long request, struct message *m, const char *what,
			struct err *e)
{
	if (ioctl(fd, request, m) < 0)
		return err_sys(e, "the device mapper: cannot %s", what);
	return 0;
}

/* TABLE becomes the device's, which then takes reads. */
static int load_table(int fd, const char *table, uint64_t size, struct err *e)
{
	struct message m;
	int r;

	start_message(&m, DM_READONLY_FLAG);
	m.head.target_count = 1;
	m.target.length = size / 512;
	m.target.next = sizeof(m.target) + sizeof(m.table);
	(void)snprintf(m.target.target_type, sizeof(m.target.target_type), "verity");
	(void)snprintf(m.table, sizeof(m.table), "%s", table);
	r = send_message(fd, DM_TABLE_LOAD, &m,
			 "load the table of verity (is the module 'dm-verity' in "
			 "modules.order?)",
			 e);
	if (r < 0)
		return r;
	start_message(&m, 0);
	return send_message(fd, DM_DEV_SUSPEND, &m, "start verity", e);
}

static int make_device(const char *table, uint64_t size,
		       char ret_device[static VERITY_NAME_LEN], struct err *e)
{
	struct message m;
	cleanup_close int fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open '" CONTROL "' (is the module 'dm-mod' in "
				  "modules.order?)");
	start_message(&m, 0);
	r = send_message(fd, DM_DEV_CREATE, &m, "make a device", e);
	if (r < 0)
		return r;
	(void)snprintf(ret_device, VERITY_NAME_LEN, "/dev/dm-%u", minor((dev_t)m.head.dev));
	return load_table(fd, table, size, e);
}

int verity_open(const char *image, const char *tree,
		const unsigned char root[static VERIFY_HASH_LEN],
		char ret_device[static VERITY_NAME_LEN], struct err *e)
{
	char data_loop[LOOP_NAME_LEN], tree_loop[LOOP_NAME_LEN], table[VERITY_TABLE_LEN];
	cleanup_close int data_fd = -1, tree_fd = -1;
	struct stat st;
	int r;

	if (stat(image, &st) < 0)
		return err_sys(e, "cannot find '%s'", image);
	data_fd = loop_attach(image, data_loop, e);
	if (data_fd < 0)
		return data_fd;
	tree_fd = loop_attach(tree, tree_loop, e);
	if (tree_fd < 0)
		return tree_fd;
	r = verity_table(data_loop, tree_loop, (uint64_t)st.st_size, root, table, e);
	return r < 0 ? r : make_device(table, (uint64_t)st.st_size, ret_device, e);
}
