/* SPDX-License-Identifier: MIT */
/*
 * watch.c - what is watched, and what follows from it:
 *
 *	ROOT/etc/zones           UUID.json replaced, written, removed     that VM
 *	ROOT/etc/zones/.journal  UUID.json come or gone: a change begins  that VM
 *	                         or ends, snapshots among them
 *	ROOT/run/dais            folders UUID come and go                 watch them
 *	ROOT/run/dais/UUID       state.json replaced by the supervisor    that VM
 *	pidfds                   init, or the supervisor, has ended       that VM
 *
 * One VM is read again once for however many of these have come together. When the
 * kernel's queue has overflowed, or a folder was replaced or unmounted, all of it
 * is read and watched anew.
 */
#include "vminfod/vminfod.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/path.h"
#include "base/uuid.h"
#include "libvm/vm_index.h"
#include "libvm/zoneadmd.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define GONE    (IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define COMING  (IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
#define ENDS_AT 64 /* pidfds that are looked at in one go */

enum folder { RECORDS, JOURNAL, RUN, FOLDERS };

/* A VM that has a run folder. */
struct machine {
	struct machine *next;
	char uuid[UUID_STR];
	int wd;    /* of its run folder; -1: not watched */
	int pidfd; /* -1: nothing of it lives */
};

struct watch {
	const struct host *host;
	struct http_service *service;
	struct vm_index *index;
	int fd; /* inotify */
	int wds[FOLDERS];
	struct stat watched; /* the folder of records */
	int endsfd;          /* epoll, over the pidfds of all machines */
	struct machine *machines;
	struct jv *dirty; /* an object, UUID -> true, in the order of the changes */
	bool rescan;
	struct timespec last_scan;
	struct event_source *source, *ends_source;
};

/* ---- machines ---------------------------------------------------------------- */

static struct machine **find_machine(struct watch *w, const char *uuid)
{
	struct machine **at = &w->machines;

	while (*at && strcmp((*at)->uuid, uuid) != 0)
		at = &(*at)->next;
	return at;
}

static const char *uuid_of_wd(struct watch *w, int wd)
{
	for (struct machine *m = w->machines; m; m = m->next)
		if (m->wd == wd)
			return m->uuid;
	return NULL;
}

static void remove_machine(struct watch *w, struct machine **at)
{
	struct machine *m = *at;

	*at = m->next;
	/* That its folder is gone the kernel has noticed before us, as a rule. */
	if (m->wd >= 0)
		(void)inotify_rm_watch(w->fd, m->wd);
	close_p(&m->pidfd);
	free(m);
}

static void watch_machine(struct watch *w, const char *uuid)
{
	struct machine **at = find_machine(w, uuid);
	cleanup_free char *path = host_path(w->host, HOST_RUN, uuid);
	int wd = inotify_add_watch(w->fd, path, COMING | IN_ONLYDIR | IN_DONT_FOLLOW);

	if (wd < 0 && errno != ENOENT && errno != ENOTDIR)
		log_warning("ignoring the run folder of VM %s: %s", uuid, strerror(errno));
	if (wd < 0)
		return;
	if (!*at) {
		*at = xcalloc(1, sizeof(**at));
		(void)snprintf((*at)->uuid, sizeof((*at)->uuid), "%s", uuid);
		(*at)->pidfd = -1;
	}
	(*at)->wd = wd;
}

/* What lives of it now is not what lived of it before. */
static void watch_processes(struct watch *w, const char *uuid)
{
	struct machine *m = *find_machine(w, uuid);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = m };

	if (!m)
		return;
	close_p(&m->pidfd);
	m->pidfd = zoneadmd_vm_pidfd(w->host, uuid);
	if (m->pidfd >= 0 && epoll_ctl(w->endsfd, EPOLL_CTL_ADD, m->pidfd, &ev) < 0)
		close_p(&m->pidfd);
}

static void set_dirty(struct watch *w, const char *uuid)
{
	jv_set(w->dirty, uuid, jv_bool(true));
}

/* ---- all of it --------------------------------------------------------------- */

/* Of folders that are gone there is nothing to forget any more. */
static void forget_folders(struct watch *w)
{
	for (size_t i = 0; i < FOLDERS; i++) {
		if (w->wds[i] >= 0)
			(void)inotify_rm_watch(w->fd, w->wds[i]);
		w->wds[i] = -1;
	}
}

static int watch_folders(struct watch *w, struct err *e)
{
	static const struct {
		const char *dir;
		mode_t mode;
		uint32_t mask;
	} folders[FOLDERS] = {
		[RECORDS] = { HOST_RECORDS, 0700, COMING | IN_CLOSE_WRITE | GONE },
		[JOURNAL] = { HOST_JOURNAL, 0700, COMING | GONE },
		[RUN] = { HOST_RUN, 0755, COMING | IN_CREATE | GONE },
	};

	for (size_t i = 0; i < FOLDERS; i++) {
		cleanup_close int fd = host_dir(w->host, folders[i].dir, folders[i].mode, e);
		char path[64];

		if (fd < 0)
			return fd;
		if (i == RECORDS && fstat(fd, &w->watched) < 0)
			return err_sys(e, "cannot look at '%s'", folders[i].dir);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		w->wds[i] = inotify_add_watch(w->fd, path, folders[i].mask);
		if (w->wds[i] < 0)
			return err_sys(e, "cannot watch '%s'", folders[i].dir);
	}
	return 0;
}

static int watch_machines(struct watch *w, struct err *e)
{
	int fd = host_dir_existing(w->host, HOST_RUN, e);
	struct dirent *entry;
	DIR *dir;
	int r;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close_p(&fd);
		return err_sys(e, "cannot read '" HOST_RUN "'");
	}
	while ((r = path_next_entry(dir, &entry, e)) > 0) {
		if (!uuid_is_valid(entry->d_name))
			continue;
		watch_machine(w, entry->d_name);
		watch_processes(w, entry->d_name);
	}
	(void)closedir(dir);
	return r;
}

/* Watched first, then read: what changes in between is read twice and not missed. */
static int scan(struct watch *w, struct err *e)
{
	int r;

	w->rescan = false;
	jv_unref(w->dirty);
	w->dirty = jv_object();
	while (w->machines)
		remove_machine(w, &w->machines);
	forget_folders(w);
	r = watch_folders(w, e);
	if (r == 0)
		r = watch_machines(w, e);
	if (r == 0)
		r = vm_index_load(w->index, e);
	(void)clock_gettime(CLOCK_REALTIME, &w->last_scan);
	return r;
}

/* ---- changes ------------------------------------------------------------------ */

/* "UUID.json", as records and journals are called. */
static void on_file(struct watch *w, const char *name)
{
	char uuid[UUID_STR];

	if (strlen(name) != UUID_LEN + 5 || strcmp(name + UUID_LEN, ".json") != 0)
		return;
	(void)snprintf(uuid, sizeof(uuid), "%.*s", UUID_LEN, name);
	if (uuid_is_valid(uuid))
		set_dirty(w, uuid);
}

static void on_run_folder(struct watch *w, const char *name, uint32_t mask)
{
	struct machine **at;

	if (!uuid_is_valid(name))
		return;
	at = find_machine(w, name);
	if ((mask & (IN_DELETE | IN_MOVED_FROM)) && *at)
		remove_machine(w, at);
	else if (mask & (IN_CREATE | IN_MOVED_TO))
		watch_machine(w, name);
	set_dirty(w, name);
}

static void on_change(void *data, const struct inotify_event *ev)
{
	struct watch *w = data;
	const char *name = ev->len ? ev->name : "";
	const char *uuid;

	if (ev->mask & IN_Q_OVERFLOW) {
		log_warning("too much changed at once: reading everything again");
		w->rescan = true;
		return;
	}
	if (ev->wd == w->wds[RECORDS] || ev->wd == w->wds[JOURNAL] || ev->wd == w->wds[RUN]) {
		if (ev->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED))
			w->rescan = true;
		else if (ev->wd == w->wds[RUN])
			on_run_folder(w, name, ev->mask);
		else
			on_file(w, name);
		return;
	}
	uuid = uuid_of_wd(w, ev->wd);
	if (uuid && strcmp(name, "state.json") == 0)
		set_dirty(w, uuid);
}

static void read_ends(struct watch *w)
{
	struct epoll_event events[ENDS_AT];
	int n = epoll_wait(w->endsfd, events, ENDS_AT, 0);

	for (int i = 0; i < n; i++) {
		struct machine *m = events[i].data.ptr;

		/* Closing takes it out of the epoll set: it is told once. */
		close_p(&m->pidfd);
		set_dirty(w, m->uuid);
	}
}

static void read_dirty(struct watch *w)
{
	cleanup_jv struct jv *dirty = w->dirty;

	w->dirty = jv_object();
	for (void *it = jv_iter(dirty); it; it = jv_iter_next(dirty, it)) {
		const char *uuid = jv_iter_key(it);

		/* Before it is read: an end in between is then seen by the descriptor. */
		watch_processes(w, uuid);
		vm_index_touch(w->index, uuid);
	}
}

/* A pool that is mounted over the folder of records leaves our watch on what it hides. */
static bool is_hidden(const struct watch *w)
{
	struct stat st;

	return fstatat(w->host->fd, HOST_RECORDS, &st, 0) < 0 ||
	       st.st_dev != w->watched.st_dev || st.st_ino != w->watched.st_ino;
}

int watch_sync(struct watch *w, struct err *e)
{
	int r;

	w->rescan |= is_hidden(w);
	read_ends(w);
	r = notify_read(w->fd, on_change, w, e);
	if (r < 0)
		return r;
	if (w->rescan)
		return scan(w, e);
	read_dirty(w);
	return 0;
}

static int on_event(void *data, uint32_t events ATTR_UNUSED)
{
	struct watch *w = data;
	struct err e;
	int r = watch_sync(w, &e);

	if (r < 0)
		log_error("%s", e.msg);
	else
		http_turn(w->service);
	return r;
}

const struct timespec *watch_last_scan(const struct watch *w)
{
	return &w->last_scan;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	event_source_free(w->source);
	event_source_free(w->ends_source);
	while (w->machines)
		remove_machine(w, &w->machines);
	close_p(&w->fd);
	close_p(&w->endsfd);
	jv_unref(w->dirty);
	free(w);
}

int watch_new(struct event *loop, const struct host *h, struct http_service *service,
	      struct err *e)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	int r;

	*w = (struct watch){
		.host = h,
		.service = service,
		.index = service->index,
		.dirty = jv_object(),
		.wds = { -1, -1, -1 },
	};
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->endsfd = epoll_create1(EPOLL_CLOEXEC);
	r = w->fd < 0 || w->endsfd < 0 ? err_sys(e, "cannot watch for changes") : 0;
	if (r == 0)
		r = scan(w, e);
	if (r == 0)
		r = event_add_io(loop, w->fd, EPOLLIN, on_event, w, &w->source, e);
	if (r == 0)
		r = event_add_io(loop, w->endsfd, EPOLLIN, on_event, w, &w->ends_source, e);
	if (r < 0) {
		watch_free(w);
		return r;
	}
	service->watch = w;
	return 0;
}
