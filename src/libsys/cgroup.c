/* SPDX-License-Identifier: MIT */
#include "libsys/cgroup.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define CGROUP_ROOT    "/sys/fs/cgroup"
#define CGROUP_UNIFIED CGROUP_ROOT "/unified"

/* A guest decides how deep its groups nest; its first process is not looked for below this. */
#define DEPTH_MAX 64

/* A zombie holds its group; who reaps the host's orphans may take a while. */
#define REMOVE_MS 15000

/* What else fails may not fail twice. */
#define REMOVE_TRIES 5

static const char *const wanted[] = { "+cpu", "+cpuset", "+io", "+memory", "+pids" };

static bool is_version_2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

bool cgroup_is_unified(void)
{
	return is_version_2(CGROUP_ROOT);
}

/*
 * Where groups begin in the hierarchy CONTROLLERS ("" is version 2), by a line of
 * /proc/1/cgroup: "4:memory:/PATH". liblxc makes its groups below the group of the
 * first process; a systemd's own group "init.scope" does not count.
 */
static bool find_base(const char *text, const char *controllers, char *ret, size_t size)
{
	const char *line = text;

	while (line && *line) {
		const char *name = strchr(line, ':');
		const char *path = name ? strchr(name + 1, ':') : NULL;
		const char *end = strchr(line, '\n');

		if (!path)
			return false;
		name += strncmp(name, ":name=", 6) == 0 ? 6 : 1;
		if ((size_t)(path - name) == strlen(controllers) &&
		    strncmp(name, controllers, (size_t)(path - name)) == 0) {
			(void)snprintf(ret, size, ".%.*s", (int)strcspn(path + 1, "\n"),
				       path + 1);
			return true;
		}
		line = end ? end + 1 : NULL;
	}
	return false;
}

static void strip_init_scope(char *base)
{
	size_t len = strlen(base);
	size_t cut = strlen("/init.scope");

	if (len >= cut && strcmp(base + len - cut, "/init.scope") == 0)
		base[len - cut] = '\0';
}

/* The start of /proc/1/cgroup; empty where it cannot be read. */
static void read_own_groups(char *ret, size_t size)
{
	cleanup_close int fd = open("/proc/1/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n < 0 ? 0 : n] = '\0';
}

/* The group in the hierarchy mounted at TOPFD below which all of ours are. Takes TOPFD. */
static int open_base(int topfd, const char *controllers)
{
	cleanup_close int top = topfd;
	char text[8192];
	char base[PATH_MAX];
	int fd;

	read_own_groups(text, sizeof(text));
	if (!find_base(text, controllers, base, sizeof(base)))
		return take_fd(top);
	strip_init_scope(base);
	/* Outside a cgroup namespace's root the path is no path here. */
	fd = openat(top, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? take_fd(top) : fd;
}

int cgroup_open_top(struct err *e)
{
	const char *path = is_version_2(CGROUP_ROOT) ? CGROUP_ROOT : CGROUP_UNIFIED;
	int fd;

	if (!is_version_2(path))
		return err_set(e, -ENOTSUP,
			       "this host has no cgroup version 2 hierarchy at '%s' or '%s'",
			       CGROUP_ROOT, CGROUP_UNIFIED);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	return open_base(fd, "");
}

static int write_file(int dirfd, const char *name, const char *text)
{
	cleanup_close int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

/* Which controllers there are is the host's affair: cgroup_has_file() finds out what came of
 * it. */
static void turn_on_controllers(int dirfd)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		(void)write_file(dirfd, "cgroup.subtree_control", wanted[i]);
}

static int make_at(int dirfd, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make the cgroup '%s'", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open the cgroup '%s'", name);
	return fd;
}

int cgroup_make(const char *parent, const char *name, struct err *e)
{
	cleanup_close int top = -1, fd = -1, child = -1;

	top = cgroup_open_top(e);
	if (top < 0)
		return top;
	fd = make_at(top, parent, e);
	if (fd < 0)
		return fd;
	if (cgroup_is_unified()) {
		turn_on_controllers(top);
		turn_on_controllers(fd);
	}
	child = make_at(fd, name, e);
	return child < 0 ? child : 0;
}

static int open_group(const char *group)
{
	cleanup_close int top = cgroup_open_top(NULL);

	if (top < 0)
		return top;
	return openat(top, *group ? group : ".",
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool cgroup_has_file(const char *group, const char *file)
{
	cleanup_close int fd = open_group(group);

	return fd >= 0 && faccessat(fd, file, W_OK, 0) == 0;
}

int cgroup_write(const char *group, const char *file, const char *text, struct err *e)
{
	cleanup_close int fd = open_group(group);
	int r = fd < 0 ? -errno : write_file(fd, file, text);

	if (r < 0)
		return err_set(e, r, "cannot write '%s' to '%s' of the cgroup '%s': %s", text,
			       file, group, strerror(-r));
	return 0;
}

/* The next group in DIR: its descriptor, and its name in *RET_NAME; -1 after the last. */
static int next_child(DIR *dir, const char **ret_name)
{
	struct dirent *d;
	int fd;

	while ((d = readdir(dir))) {
		/* A guest may begin a name with '.' as well. */
		if (d->d_type != DT_DIR || strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0)
			continue;
		fd = openat(dirfd(dir), d->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		*ret_name = d->d_name;
		if (fd >= 0)
			return fd;
	}
	return -1;
}

static int leave_at(int dirfd, const char *name)
{
	cleanup_close int fd =
		openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : write_file(fd, "cgroup.procs", "0");
}

/*
 * Out of whatever group it is in, in the hierarchies of version 1. The group that it stays
 * in cannot be removed: what failed, as for want of descriptors, is tried once more.
 */
static void leave_legacy(void)
{
	DIR *dir = opendir(CGROUP_ROOT);
	struct dirent *d;

	if (!dir)
		dir = opendir(CGROUP_ROOT);
	if (!dir)
		return;
	while ((d = readdir(dir))) {
		if (d->d_type != DT_DIR || *d->d_name == '.' ||
		    strcmp(d->d_name, "unified") == 0)
			continue;
		if (leave_at(dirfd(dir), d->d_name) < 0)
			(void)leave_at(dirfd(dir), d->d_name);
	}
	(void)closedir(dir);
}

int cgroup_enter(const char *group, struct err *e)
{
	cleanup_close int fd = open_group(group);
	int r;

	if (fd < 0)
		return err_sys(e, "cannot open the cgroup '%s'", group);
	r = write_file(fd, "cgroup.procs", "0");
	if (r < 0)
		return err_set(e, r, "cannot enter the cgroup '%s': %s", group, strerror(-r));
	if (!cgroup_is_unified())
		leave_legacy();
	return 0;
}

/* Called with each process; true ends the search. */
struct search {
	bool (*visit)(pid_t pid, void *data);
	void *data;
};

static pid_t search_in(int groupfd, const struct search *s)
{
	int fd = openat(groupfd, "cgroup.procs", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
	pid_t found = 0;
	int pid;

	if (!f) {
		close_p(&fd);
		return 0;
	}
	while (!found && fscanf(f, "%d", &pid) == 1)
		if (pid > 0 && s->visit(pid, s->data))
			found = pid;
	(void)fclose(f);
	return found;
}

/* Takes GROUPFD. */
static pid_t search_below(int groupfd, unsigned int depth, const struct search *s)
{
	pid_t found = search_in(groupfd, s);
	DIR *dir = fdopendir(groupfd);
	const char *name;
	int fd;

	if (!dir) {
		(void)close(groupfd);
		return found;
	}
	while (!found && depth < DEPTH_MAX && (fd = next_child(dir, &name)) >= 0)
		found = search_below(fd, depth + 1, s);
	(void)closedir(dir);
	return found;
}

/* The name of some group in DIRFD, new; NULL when there is none. */
static char *first_child(int dirfd)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const char *name;
	char *child = NULL;
	int fd;

	if (!dir) {
		close_p(&copy);
		return NULL;
	}
	fd = next_child(dir, &name);
	if (fd >= 0)
		child = xstrdup(name);
	close_p(&fd);
	(void)closedir(dir);
	return child;
}

struct walk {
	int fd;       /* where we are */
	char **names; /* the way to there */
	size_t depth;
};

static int walk_to(struct walk *w, const char *name)
{
	int fd = openat(w->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close_p(&w->fd);
	w->fd = fd;
	return 0;
}

/* One step down, or up with the group that we come from removed. 1: there is nothing left. */
static int walk_step(struct walk *w)
{
	cleanup_free char *name = first_child(w->fd);
	int r;

	if (name) {
		r = walk_to(w, name);
		if (r < 0)
			return r;
		w->names = xrealloc_array(w->names, w->depth + 1, sizeof(*w->names));
		w->names[w->depth++] = take_ptr(name);
		return 0;
	}
	if (w->depth == 0)
		return 1;
	r = walk_to(w, "..");
	if (r < 0)
		return r;
	name = w->names[--w->depth];
	return unlinkat(w->fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/* However deep: a guest makes groups of its own as it likes. Takes GROUPFD. */
static void remove_below(int groupfd)
{
	struct walk w = { .fd = groupfd };

	/* Why it stops is seen by who removes the group itself. */
	while (walk_step(&w) == 0)
		;
	while (w.depth > 0)
		free(w.names[--w.depth]);
	free(w.names);
	close_p(&w.fd);
}

struct finder {
	bool (*is_it)(pid_t pid);
};

static bool visit_finder(pid_t pid, void *data)
{
	return ((struct finder *)data)->is_it(pid);
}

pid_t cgroup_find(const char *group, bool (*is_it)(pid_t pid))
{
	struct finder f = { is_it };
	struct search s = { visit_finder, &f };
	int fd = open_group(group);

	return fd < 0 ? 0 : search_below(fd, 0, &s);
}

struct caller {
	void (*each)(pid_t pid, void *data);
	void *data;
};

static bool visit_caller(pid_t pid, void *data)
{
	struct caller *c = data;

	c->each(pid, c->data);
	return false;
}

void cgroup_each(const char *group, void (*each)(pid_t pid, void *data), void *data)
{
	struct caller c = { each, data };
	struct search s = { visit_caller, &c };
	int fd = open_group(group);

	if (fd >= 0)
		(void)search_below(fd, 0, &s);
}

static bool is_populated(int eventsfd)
{
	char text[128];
	ssize_t n = pread(eventsfd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return strstr(text, "populated 1") != NULL;
}

int cgroup_kill(const char *group, int timeout_ms, struct err *e)
{
	cleanup_close int fd = open_group(group);
	cleanup_close int events = -1;
	int64_t deadline = clock_deadline(timeout_ms);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot open the cgroup '%s'", group);
	events = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return err_sys(e, "cannot watch the cgroup '%s'", group);
	if (!is_populated(events))
		return 0;
	r = write_file(fd, "cgroup.kill", "1");
	if (r < 0)
		return err_set(e, r, "cannot kill the cgroup '%s': %s", group, strerror(-r));

	/* The kernel tells of a change to 'populated' with POLLPRI. */
	while (is_populated(events)) {
		struct pollfd p = { .fd = events, .events = POLLPRI };
		int left = clock_left_ms(deadline);

		if (left == 0)
			return err_set(e, -ETIMEDOUT, "processes in the cgroup '%s' do not end",
				       group);
		(void)poll(&p, 1, left);
	}
	return 0;
}

/* In one hierarchy. */
static int remove_at(int topfd, const char *group)
{
	int fd = openat(topfd, group, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	remove_below(fd);
	if (unlinkat(topfd, group, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

/*
 * Calls STEP with the base of every hierarchy; the first that is not 0 is told, the
 * rest goes on.
 */
static int each_hierarchy(int (*step)(int basefd, const char *group), const char *group)
{
	DIR *dir = opendir(CGROUP_ROOT);
	struct dirent *d;
	int first = 0;
	int fd, r;

	if (!dir)
		return -errno;
	if (cgroup_is_unified()) {
		fd = cgroup_open_top(NULL);
		first = fd < 0 ? fd : step(fd, group);
		close_p(&fd);
		(void)closedir(dir);
		return first;
	}
	while ((d = readdir(dir))) {
		if (d->d_type != DT_DIR || *d->d_name == '.')
			continue;
		/* One that cannot be looked at is none that there is nothing in. */
		fd = openat(dirfd(dir), d->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
		if (r == 0) {
			fd = open_base(fd, strcmp(d->d_name, "unified") == 0 ? "" : d->d_name);
			r = step(fd, group);
		}
		first = first ? first : r;
		close_p(&fd);
	}
	(void)closedir(dir);
	return first;
}

static int look_at(int basefd, const char *group)
{
	return faccessat(basefd, group, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? 1 : 0;
}

bool cgroup_is_there(const char *group)
{
	return each_hierarchy(look_at, group) > 0;
}

static bool is_any(pid_t pid ATTR_UNUSED)
{
	return true;
}

bool cgroup_is_empty(const char *group)
{
	return cgroup_find(group, is_any) == 0;
}

/* A process that has ended leaves its group a moment after all can see that it ended. */
int cgroup_remove(const char *group, struct err *e)
{
	int64_t deadline = clock_deadline(REMOVE_MS);
	int pause_ms = 1, failed = 0;
	int r;

	for (;; pause_ms = pause_ms < 64 ? pause_ms * 2 : 64) {
		r = each_hierarchy(remove_at, group);
		if (r == 0)
			return 0;
		failed += r != -EBUSY;
		if (failed >= REMOVE_TRIES || clock_left_ms(deadline) == 0)
			return err_set(e, r, "cannot remove the cgroup '%s': %s", group,
				       strerror(-r));
		clock_sleep_ms(pause_ms);
	}
}

/* The lock is on the top's folder itself: there is nothing that could be left behind. */
static int lock_top(int how)
{
	cleanup_close int fd = cgroup_open_top(NULL);

	if (fd < 0 || flock(fd, how) < 0)
		return -1;
	return take_fd(fd);
}

int cgroup_hold_parent(struct err *e)
{
	int fd = lock_top(LOCK_SH);

	return fd < 0 ? err_sys(e, "cannot lock the cgroup hierarchy") : fd;
}

/* rmdir() of a group that has children fails, so this needs no look before. */
static int remove_empty(int basefd, const char *group)
{
	(void)unlinkat(basefd, group, AT_REMOVEDIR);
	return 0;
}

void cgroup_remove_parent(const char *parent)
{
	cleanup_close int fd = lock_top(LOCK_EX | LOCK_NB);

	if (fd >= 0)
		(void)each_hierarchy(remove_empty, parent);
}
