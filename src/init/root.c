/* SPDX-License-Identifier: MIT */
#include "init/root.h"

#include "init/loop.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_LEN 128

static const struct {
	const char *name;
	size_t offset;
	unsigned char magic[4];
} types[ROOT_TYPE_MAX_] = {
	[ROOT_EROFS] = { "erofs", 1024, { 0xe2, 0xe1, 0xf5, 0xe0 } },
	[ROOT_SQUASHFS] = { "squashfs", 0, { 'h', 's', 'q', 's' } },
};

const char *root_type_to_string(enum root_type type)
{
	return (unsigned int)type < ROOT_TYPE_MAX_ ? types[type].name : NULL;
}

int root_detect(const unsigned char *start, size_t len, enum root_type *ret_type, struct err *e)
{
	for (int t = 0; t < ROOT_TYPE_MAX_; t++) {
		if (len >= types[t].offset + 4 &&
		    memcmp(start + types[t].offset, types[t].magic, 4) == 0) {
			*ret_type = t;
			return 0;
		}
	}
	return err_set(e, -ENOTSUP, "the image is neither erofs nor squashfs");
}

static int read_type(const char *image, enum root_type *ret_type, struct err *e)
{
	unsigned char start[ROOT_MAGIC_LEN];
	ssize_t n;
	cleanup_close int fd = open(image, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", image);
	n = pread(fd, start, sizeof(start), 0);
	if (n < 0)
		return err_sys(e, "cannot read '%s'", image);
	return root_detect(start, (size_t)n, ret_type, e);
}

static int mount_by_loop(const char *image, const char *type, const char *at, struct err *e)
{
	char device[LOOP_NAME_LEN];
	cleanup_close int fd = loop_attach(image, device, e);

	if (fd < 0)
		return fd;
	if (mount(device, at, type, MS_RDONLY, NULL) < 0)
		return err_sys(e, "cannot mount '%s' (%s) as %s", image, device, type);
	return 0;
}

static int mount_image(const char *image, const char *at, struct err *e)
{
	enum root_type type;
	const char *name;
	int r = read_type(image, &type, e);

	if (r < 0)
		return r;
	name = root_type_to_string(type);

	/* Straight from the file, without a block device: erofs of Linux 6.12 and later. */
	if (type == ROOT_EROFS && mount(image, at, name, MS_RDONLY, NULL) == 0)
		return 0;
	if (type == ROOT_EROFS && errno != ENOTBLK)
		return err_sys(e, "cannot mount '%s' as %s", image, name);
	return mount_by_loop(image, name, at, e);
}

static int make_dir(const char *base, const char *name, char ret_path[static PATH_LEN],
		    struct err *e)
{
	(void)snprintf(ret_path, PATH_LEN, "%s/%s", base, name);
	if (mkdir(ret_path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make the folder '%s'", ret_path);
	return 0;
}

static int mount_writable(const char *base, struct err *e)
{
	char rw[PATH_LEN], path[PATH_LEN];
	int r = make_dir(base, "rw", rw, e);

	if (r < 0)
		return r;
	if (mount("root", rw, "tmpfs", 0, "mode=0755,size=50%") < 0)
		return err_sys(e, "cannot mount a tmpfs at '%s'", rw);
	r = make_dir(rw, "upper", path, e);
	return r < 0 ? r : make_dir(rw, "work", path, e);
}

int root_mount(const char *image, const char *base, struct err *e)
{
	char lower[PATH_LEN], root[PATH_LEN], options[4 * PATH_LEN];
	int r;

	if (mkdir(base, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make the folder '%s'", base);
	if ((r = make_dir(base, "lower", lower, e)) < 0 ||
	    (r = make_dir(base, "root", root, e)) < 0)
		return r;
	if ((r = mount_image(image, lower, e)) < 0 || (r = mount_writable(base, e)) < 0)
		return r;

	(void)snprintf(options, sizeof(options),
		       "lowerdir=%s,upperdir=%s/rw/upper,workdir=%s/rw/work", lower, base,
		       base);
	if (mount("root", root, "overlay", 0, options) < 0)
		return err_sys(e, "cannot mount the overlay of '%s' and memory", lower);
	return 0;
}

int root_switch(const char *root, struct err *e)
{
	static const char *const taken[] = { "/proc", "/sys", "/dev", "/run" };

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		char to[PATH_LEN];

		(void)snprintf(to, sizeof(to), "%s%s", root, taken[i]);
		if (mount(taken[i], to, NULL, MS_MOVE, NULL) < 0)
			return err_sys(e, "cannot move the mount '%s' to '%s'", taken[i], to);
	}
	if (chdir(root) < 0)
		return err_sys(e, "cannot enter '%s'", root);
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return err_sys(e, "cannot move '%s' to '/'", root);
	if (chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "cannot make '%s' the root", root);
	return 0;
}
