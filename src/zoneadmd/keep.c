/* SPDX-License-Identifier: MIT */
/*
 * keep.c - 'zoneadmd --keep': one for the host, which replaces supervisors that were killed.
 *
 *	ROOT/run/dais       a folder UUID comes or goes          watch it
 *	ROOT/run/dais/UUID  state.json replaced by a supervisor  who is it now?
 *	pidfd               that supervisor has ended            replace_supervisor()
 *	fd 3 of a new one   it has taken over, or failed         look again
 *
 * Supervisors know nothing of it, and it knows nothing that is not in their state files:
 * killed and started again it finds all of it again. What it does is what the next
 * command on the VM would do, under the same lock. While nothing is killed it sleeps:
 * there is a timer only while a replacement waits for its time.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/path.h"
#include "libvm/zoneadmd.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define KEEP_LOCK "zoneadmd"
#define AT_ONCE   64

/* Of one that has lived so long it is not believed that it dies of what it does. */
#define LONG_LIFE_MS 10000

/* The first at once, then after 1, 2, 4 ... 32 s: a minute together, and no more. */
#define TRIES_MAX 7
#define GAP_MS    1000

#define LOCK_GAP_MS 1000 /* a command works on the VM */

/* One that hangs is not to keep commands from the VM. */
#define ANSWER_MS 60000

#define CHANGES (IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM)
#define GONE    (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

/* A VM that has a run folder. */
struct kept {
	struct kept *next;
	char uuid[UUID_STR];
	int wd;     /* of its run folder; -1: gone */
	int pidfd;  /* its supervisor; -1: none that lives */
	int answer; /* a new one says here how it went; -1: none is on its way */
	int lock;   /* the VM's, meanwhile */
	unsigned int tries;
	int64_t tried_at;
	int64_t look_at; /* a moment; 0: none */
	bool gave_up;
};

struct keep {
	struct host host;
	char *program;
	int lockfd;
	int epollfd;
	int inotifyfd;
	int wd; /* of run/dais */
	bool rescan;
	struct kept *all;
};

/* ---- replacing ---------------------------------------------------------------- */

static void wait_for(struct keep *k, int *fd, struct kept *vm)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = vm };

	if (epoll_ctl(k->epollfd, EPOLL_CTL_ADD, *fd, &ev) < 0) {
		log_error("VM %s cannot be watched: %s", vm->uuid, strerror(errno));
		close_p(fd);
	}
}

/* Is it this one's turn? Else the moment of that is in .look_at. */
static bool may_try(struct kept *vm, int64_t now)
{
	int64_t at = vm->tries ? vm->tried_at + (GAP_MS << (vm->tries - 1)) : 0;

	vm->look_at = 0;
	if (vm->tries < TRIES_MAX) {
		vm->look_at = now < at ? at : 0;
		return now >= at;
	}
	if (!vm->gave_up)
		log_error(
			"the supervisors of VM %s end again and again: 'vmadm check --repair' "
			"starts another; their log is zones/%s/logs/zoneadmd.log",
			vm->uuid, vm->uuid);
	vm->gave_up = true;
	return false;
}

/* -EBUSY: a command has it, and replaces the supervisor itself if it has a need of one. */
static int lock_vm(struct keep *k, const char *uuid, struct err *e)
{
	cleanup_close int dirfd = host_dir(&k->host, HOST_LOCKS, 0700, e);

	return dirfd < 0 ? dirfd : lock_take(dirfd, uuid, LOCK_EXCLUSIVE, 0, e);
}

static void replace_supervisor(struct keep *k, struct kept *vm)
{
	cleanup_close int lock = -1;
	int64_t now = clock_now_ms();
	struct err e;

	if (!may_try(vm, now))
		return;
	lock = lock_vm(k, vm->uuid, &e);
	if (lock == -EBUSY) {
		vm->look_at = now + LOCK_GAP_MS;
		return;
	}
	/* Whoever had the lock may have been faster. */
	if (lock >= 0 && !zoneadmd_is_orphaned(&k->host, vm->uuid)) {
		vm->look_at = now;
		return;
	}
	vm->tries++;
	vm->tried_at = now;
	vm->answer =
		lock < 0 ? lock : zoneadmd_attach_begin(&k->host, k->program, vm->uuid, &e);
	if (vm->answer < 0) {
		log_warning("VM %s has lost its supervisor: %s", vm->uuid, e.msg);
		vm->answer = -1;
		(void)may_try(vm, now);
		return;
	}
	vm->lock = take_fd(lock);
	vm->look_at = now + ANSWER_MS;
	wait_for(k, &vm->answer, vm);
}

static void let_go(struct kept *vm)
{
	close_p(&vm->answer);
	close_p(&vm->lock);
}

/* Who supervises it now; and if that was killed, who does next. */
static void look(struct keep *k, struct kept *vm)
{
	if (vm->answer >= 0 && clock_now_ms() - vm->tried_at < ANSWER_MS)
		return;
	if (vm->answer >= 0)
		log_warning("VM %s has lost its supervisor: another one does not answer",
			    vm->uuid);
	let_go(vm);
	vm->look_at = 0;
	close_p(&vm->pidfd);
	vm->pidfd = zoneadmd_supervisor_pidfd(&k->host, vm->uuid);
	if (vm->pidfd >= 0) {
		wait_for(k, &vm->pidfd, vm);
		/* This one is another's. */
		if (vm->gave_up)
			vm->tries = 0;
		vm->gave_up = false;
		return;
	}
	vm->pidfd = -1;
	if (zoneadmd_is_orphaned(&k->host, vm->uuid))
		replace_supervisor(k, vm);
}

static void on_answer(struct kept *vm)
{
	bool running = false;
	struct err e;
	int r = zoneadmd_attach_end(vm->answer, &running, &e);

	vm->answer = -1;
	close_p(&vm->lock);
	if (r < 0)
		log_warning("VM %s has lost its supervisor: %s", vm->uuid, e.msg);
	else if (running)
		log_info("VM %s had lost its supervisor: it has another", vm->uuid);
	else
		log_info("VM %s had lost its supervisor and has ended: tidied up", vm->uuid);
}

/* Of events that came together the first may have changed what the next is about. */
static bool has_answered(const struct kept *vm)
{
	struct pollfd p = { .fd = vm->answer, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

static void on_process(struct keep *k, struct kept *vm)
{
	if (vm->answer >= 0) {
		if (has_answered(vm))
			on_answer(vm);
	} else if (vm->pidfd >= 0 && clock_now_ms() - vm->tried_at >= LONG_LIFE_MS) {
		vm->tries = 0;
	}
	look(k, vm);
}

/* ---- which there are ---------------------------------------------------------- */

static struct kept **find(struct keep *k, const char *uuid)
{
	struct kept **at = &k->all;

	while (*at && strcmp((*at)->uuid, uuid) != 0)
		at = &(*at)->next;
	return at;
}

static struct kept *find_wd(struct keep *k, int wd)
{
	struct kept *vm = k->all;

	while (vm && vm->wd != wd)
		vm = vm->next;
	return vm;
}

/* It is kept until what is on its way has answered: see forget_gone(). */
static void watch_folder(struct keep *k, const char *uuid)
{
	cleanup_free char *path = host_path(&k->host, HOST_RUN, uuid);
	struct kept **at = find(k, uuid);
	int wd = inotify_add_watch(k->inotifyfd, path,
				   IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW);

	if (wd < 0 && errno != ENOENT && errno != ENOTDIR)
		log_error("VM %s cannot be watched: %s", uuid, strerror(errno));
	if (wd < 0)
		return;
	if (!*at) {
		*at = xcalloc(1, sizeof(**at));
		**at = (struct kept){ .pidfd = -1, .answer = -1, .lock = -1 };
		(void)snprintf((*at)->uuid, sizeof((*at)->uuid), "%s", uuid);
	}
	(*at)->wd = wd;
	look(k, *at);
}

/* Those whose folder is gone. Not from within a list of events that may name them. */
static void forget_gone(struct keep *k)
{
	struct kept **at = &k->all;

	while (*at) {
		struct kept *vm = *at;

		if (vm->wd >= 0 || vm->answer >= 0) {
			at = &vm->next;
			continue;
		}
		*at = vm->next;
		close_p(&vm->pidfd);
		free(vm);
	}
}

/* Watched first, then read: what changes in between is looked at twice and not missed. */
static int scan(struct keep *k, struct err *e)
{
	int fd = host_dir(&k->host, HOST_RUN, 0755, e);
	char path[64];
	struct dirent *entry;
	DIR *dir;
	int r;

	k->rescan = false;
	if (fd < 0)
		return fd;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	k->wd = inotify_add_watch(k->inotifyfd, path, CHANGES | IN_DELETE_SELF | IN_MOVE_SELF);
	dir = k->wd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		close_p(&fd);
		return err_sys(e, "cannot watch '" HOST_RUN "'");
	}
	for (struct kept *vm = k->all; vm; vm = vm->next)
		vm->wd = -1;
	while ((r = path_next_entry(dir, &entry, e)) > 0)
		if (uuid_is_valid(entry->d_name))
			watch_folder(k, entry->d_name);
	(void)closedir(dir);
	return r;
}

static void on_folder(struct keep *k, const char *name, uint32_t mask)
{
	struct kept *vm;

	if (!uuid_is_valid(name))
		return;
	if (mask & (IN_CREATE | IN_MOVED_TO)) {
		watch_folder(k, name);
		return;
	}
	vm = *find(k, name);
	if (vm)
		vm->wd = -1;
}

static void on_change(void *data, const struct inotify_event *ev)
{
	struct keep *k = data;
	const char *name = ev->len ? ev->name : "";
	struct kept *vm;

	if (ev->mask & IN_Q_OVERFLOW) {
		k->rescan = true;
	} else if (ev->wd == k->wd) {
		if (ev->mask & GONE)
			k->rescan = true;
		else
			on_folder(k, name, ev->mask);
	} else if (strcmp(name, "state.json") == 0) {
		vm = find_wd(k, ev->wd);
		if (vm)
			look(k, vm);
	}
}

/* ---- waiting ------------------------------------------------------------------ */

static int wait_ms(const struct keep *k)
{
	int64_t next = 0;

	for (const struct kept *vm = k->all; vm; vm = vm->next)
		if (vm->look_at && (!next || vm->look_at < next))
			next = vm->look_at;
	return next ? clock_left_ms(next) : -1;
}

static void look_at_those_due(struct keep *k)
{
	int64_t now = clock_now_ms();

	for (struct kept *vm = k->all; vm; vm = vm->next)
		if (vm->look_at && vm->look_at <= now)
			look(k, vm);
}

static int turn(struct keep *k, struct err *e)
{
	struct epoll_event events[AT_ONCE];
	int n = epoll_wait(k->epollfd, events, AT_ONCE, wait_ms(k));
	int r = 0;

	if (n < 0 && errno != EINTR)
		return err_sys(e, "cannot wait");
	for (int i = 0; i < n && r == 0; i++) {
		if (events[i].data.ptr)
			on_process(k, events[i].data.ptr);
		else
			r = notify_read(k->inotifyfd, on_change, k, e);
	}
	look_at_those_due(k);
	if (r == 0 && k->rescan)
		r = scan(k, e);
	forget_gone(k);
	return r;
}

/* Two descriptors for each VM that runs, at most. */
static void raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int set_up(struct keep *k, const char *root, struct err *e)
{
	struct epoll_event ev = { .events = EPOLLIN };
	cleanup_close int dirfd = -1;
	int r = host_open(&k->host, root, e);

	if (r < 0)
		return r;
	dirfd = host_dir(&k->host, HOST_LOCKS, 0700, e);
	if (dirfd < 0)
		return dirfd;
	k->lockfd = lock_take(dirfd, KEEP_LOCK, LOCK_EXCLUSIVE, 0, e);
	if (k->lockfd == -EBUSY)
		return err_set(e, -EBUSY, "another 'zoneadmd --keep' runs for '%s'",
			       *k->host.root ? k->host.root : "/");
	if (k->lockfd < 0)
		return k->lockfd;
	k->program = zoneadmd_find();
	k->epollfd = epoll_create1(EPOLL_CLOEXEC);
	k->inotifyfd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (k->epollfd < 0 || k->inotifyfd < 0 ||
	    epoll_ctl(k->epollfd, EPOLL_CTL_ADD, k->inotifyfd, &ev) < 0)
		return err_sys(e, "cannot watch for changes");
	return scan(k, e);
}

int zone_keep(const char *root, struct err *e)
{
	struct keep k = {
		.host = { .fd = -1 }, .lockfd = -1, .epollfd = -1, .inotifyfd = -1, .wd = -1
	};
	int r;

	log_setup("zoneadmd", NULL);
	/* Nobody waits for those that it starts. */
	(void)signal(SIGCHLD, SIG_IGN);
	raise_limit();
	r = set_up(&k, root, e);
	while (r == 0)
		r = turn(&k, e);
	for (struct kept *vm = k.all; vm; vm = vm->next) {
		let_go(vm);
		vm->wd = -1;
	}
	forget_gone(&k);
	free(k.program);
	close_p(&k.inotifyfd);
	close_p(&k.epollfd);
	close_p(&k.lockfd);
	if (k.host.fd >= 0)
		host_close(&k.host);
	return r;
}
