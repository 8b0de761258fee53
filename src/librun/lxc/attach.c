/* SPDX-License-Identifier: MIT */
/*
 * attach.c - mounts folders of the host inside a machine whose init does not run
 * yet. Runs in a process of its own, which ends afterwards: it goes from one set
 * of namespaces to the next, and the rights shrink with each.
 *
 *	host              open each source, a detached copy of its mount: mapped to
 *	                  the machine's ids, read-only where asked, never devices
 *	own mounts        put the copies on a tmpfs that nobody else sees
 *	machine's users,  in a copy of those mounts the kernel locks their flags: root
 *	own mounts        inside cannot take "read-only" or "nodev" off again
 *	machine's mounts  put them in place, following no link
 */
#include "librun/lxc/lxc.h"

#include "base/path.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Only in our own mounts; any folder that is on every host would do. */
#define STAGE "/run"

static int open_namespace(pid_t pid, const char *name, struct err *e)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "cannot open '%s'", path) : fd;
}

/* A source that is on a file system without mapped mounts is given as it is: ids are nobody's.
 */
static int set_flags(struct lxc_mount_item *m, int userfd, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV,
				   .userns_fd = (uint64_t)userfd };

	if (m->read_only)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (m->no_suid)
		attr.attr_set |= MOUNT_ATTR_NOSUID;
	if (m->no_exec)
		attr.attr_set |= MOUNT_ATTR_NOEXEC;
	attr.attr_set |= MOUNT_ATTR_IDMAP;
	if (mount_setattr(m->fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0)
		return 0;
	attr.attr_set &= ~(uint64_t)MOUNT_ATTR_IDMAP;
	attr.userns_fd = 0;
	if (mount_setattr(m->fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "cannot set the options of '%s'", m->source);
	m->unmapped = true;
	return 0;
}

static int open_source(struct lxc_mount_item *m, int rootfd, int userfd, struct err *e)
{
	cleanup_close int fd = path_open_in_root(rootfd, m->source, O_PATH | O_CLOEXEC, 0, e);
	struct stat st;

	if (fd < 0)
		return err_wrap(e, fd, "source '%s'", m->source);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot look at '%s'", m->source);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "source '%s' is neither a folder nor a file",
			       m->source);
	m->is_file = S_ISREG(st.st_mode);
	m->fd = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (m->fd < 0)
		return err_sys(e, "cannot take a mount of '%s'", m->source);
	return set_flags(m, userfd, e);
}

static int open_sources(struct lxc_mount_item *items, size_t count, int userfd, struct err *e)
{
	cleanup_close int rootfd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (rootfd < 0)
		return err_sys(e, "cannot open '/'");
	for (size_t i = 0; i < count; i++) {
		int r = items[i].source ? open_source(&items[i], rootfd, userfd, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

static void stage_name(size_t i, char ret[static 32])
{
	(void)snprintf(ret, 32, STAGE "/%zu", i);
}

static int stage_one(struct lxc_mount_item *m, size_t i, struct err *e)
{
	char path[32];

	stage_name(i, path);
	if (m->is_file ? mknod(path, S_IFREG | 0600, 0) < 0 : mkdir(path, 0700) < 0)
		return err_sys(e, "cannot make '%s'", path);
	if (move_mount(m->fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "cannot mount '%s' on '%s'", m->source, path);
	close_p(&m->fd);
	return 0;
}

static int stage(struct lxc_mount_item *items, size_t count, struct err *e)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") < 0)
		return err_sys(e, "cannot have mounts of our own");
	for (size_t i = 0; i < count; i++) {
		int r = items[i].source ? stage_one(&items[i], i, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* The copy is less privileged than what it is of, so its flags are locked. */
static int lock_flags(struct lxc_mount_item *items, size_t count, int userfd, struct err *e)
{
	char path[32];

	if (setns(userfd, CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNS) < 0)
		return err_sys(e, "cannot enter the machine's user namespace");
	for (size_t i = 0; i < count; i++) {
		if (!items[i].source)
			continue;
		stage_name(i, path);
		items[i].fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (items[i].fd < 0)
			return err_sys(e, "cannot take a mount of '%s'", path);
	}
	return 0;
}

static int make_tmpfs(struct lxc_mount_item *m, struct err *e)
{
	cleanup_close int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	unsigned int flags = MOUNT_ATTR_NODEV | (m->read_only ? MOUNT_ATTR_RDONLY : 0) |
			     (m->no_suid ? MOUNT_ATTR_NOSUID : 0) |
			     (m->no_exec ? MOUNT_ATTR_NOEXEC : 0);

	if (fs < 0)
		return err_sys(e, "cannot make a tmpfs");
	if (m->size && fsconfig(fs, FSCONFIG_SET_STRING, "size", m->size, 0) < 0)
		return err_sys(e, "'%s' is no size of a tmpfs", m->size);
	/* Ours is nobody's id in there. */
	if (fsconfig(fs, FSCONFIG_SET_STRING, "uid", "0", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "gid", "0", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(e, "cannot make a tmpfs for '%s'", m->target);
	m->fd = fsmount(fs, FSMOUNT_CLOEXEC, flags);
	return m->fd < 0 ? err_sys(e, "cannot make a tmpfs for '%s'", m->target) : 0;
}

static int attach_one(struct lxc_mount_item *m, int rootfd, struct err *e)
{
	cleanup_close int target = -1;
	int r = m->source ? 0 : make_tmpfs(m, e);

	if (r < 0)
		return r;
	target = path_open_in_root(rootfd, m->target, O_PATH | O_CLOEXEC, 0, e);
	if (target < 0)
		return err_wrap(e, target, "target '%s' inside", m->target);
	if (move_mount(m->fd, "", target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "cannot mount %s on '%s' inside",
			       m->source ? m->source : "a tmpfs", m->target);
	return 0;
}

static int attach_all(struct lxc_mount_item *items, size_t count, int mountfd, struct err *e)
{
	cleanup_close int rootfd = -1;

	if (setns(mountfd, CLONE_NEWNS) < 0)
		return err_sys(e, "cannot enter the machine's mount namespace");
	rootfd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rootfd < 0)
		return err_sys(e, "cannot open the machine's root");
	for (size_t i = 0; i < count; i++) {
		int r = attach_one(&items[i], rootfd, e);

		if (r < 0)
			return r;
	}
	return 0;
}

int lxc_attach_mounts(pid_t pid, struct lxc_mount_item *items, size_t count, struct err *e)
{
	cleanup_close int userfd = -1, mountfd = -1;
	int r;

	userfd = open_namespace(pid, "user", e);
	if (userfd < 0)
		return userfd;
	mountfd = open_namespace(pid, "mnt", e);
	if (mountfd < 0)
		return mountfd;
	r = open_sources(items, count, userfd, e);
	if (r == 0)
		r = stage(items, count, e);
	if (r == 0)
		r = lock_flags(items, count, userfd, e);
	if (r == 0)
		r = attach_all(items, count, mountfd, e);
	for (size_t i = 0; i < count; i++)
		close_p(&items[i].fd);
	return r;
}
