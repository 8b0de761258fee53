/* SPDX-License-Identifier: MIT */
/*
 * bind.c - a folder of the host, mounted inside a machine that runs.
 *
 * The mount is made here, where the folder can be reached, and put in place by a
 * child that enters the machine's mounts. The place is opened without following a
 * link and mounted on by its descriptor, so whatever the guest does to names
 * meanwhile, it lands inside.
 */
#include "librun/lxc/lxc.h"

#include "base/path.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_tree_of(int folderfd, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					       MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };
	cleanup_close int tree = -1;

	/* What is mounted on it inside is not to come back to the host. */
	attr.propagation = MS_PRIVATE;
	tree = open_tree(folderfd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return err_sys(e, "cannot take a mount of the folder");
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "cannot make the mount read-only");
	return take_fd(tree);
}

static int put_in_place(int mountsfd, int tree, const char *at, struct err *e)
{
	cleanup_close int rootfd = -1, target = -1;

	if (setns(mountsfd, CLONE_NEWNS) < 0)
		return err_sys(e, "cannot enter the machine's mounts");
	rootfd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rootfd < 0)
		return err_sys(e, "cannot open the machine's root");
	target = path_open_in_root(rootfd, at, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, e);
	if (target < 0)
		return target;
	if (move_mount(tree, "", target, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "cannot mount");
	return 0;
}

/* In a child, because there is no way back from the machine's mounts. */
static int in_child(int mountsfd, int tree, const char *at, struct err *e)
{
	struct err result = { .code = -ECHILD, .msg = "the child ended early" };
	int ends[2];
	pid_t pid;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		result = (struct err){ 0 };
		(void)!put_in_place(mountsfd, tree, at, &result);
		(void)!write(ends[1], &result, sizeof(result));
		_exit(0);
	}
	(void)close(ends[1]);
	n = pid < 0 ? -1 : read(ends[0], &result, sizeof(result));
	(void)close(ends[0]);
	if (pid < 0)
		return err_sys(e, "cannot fork");
	/* Who ignores SIGCHLD has no status to take. */
	(void)waitpid(pid, NULL, 0);
	if (n != (ssize_t)sizeof(result))
		result = (struct err){ .code = -ECHILD, .msg = "the child ended early" };
	return result.code < 0 ? err_set(e, result.code, "%s", result.msg) : 0;
}

int lxc_bind(struct run *r, int folderfd, const char *at, struct err *e)
{
	cleanup_close int mountsfd = -1, tree = -1;
	char path[64];
	int ret;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)r->init_pid);
	mountsfd = open(path, O_RDONLY | O_CLOEXEC);
	if (mountsfd < 0)
		return err_sys(e, "cannot open '%s'", path);
	tree = open_tree_of(folderfd, e);
	if (tree < 0)
		return tree;
	ret = in_child(mountsfd, tree, at, e);
	return ret < 0 ? err_wrap(e, ret, "'%s' inside", at) : 0;
}
