/* SPDX-License-Identifier: MIT */
#include "libsys/cgroup_haste.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/macro.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What takes longer than HASTE_MS is held up by other things. */
#define HASTE_MS 150
#define AGAIN_MS 6

struct cgroup_haste {
	pthread_t thread;
	int groupfd; /* cgroup.procs of the own group */
	int endfd;
};

/* "0::/PATH" of /proc/self/cgroup; -1: the path is not below what is mounted here. */
static int open_own_group(void)
{
	cleanup_close int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	static const char *const tops[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char text[8192], path[PATH_MAX];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *own;

	if (n <= 0)
		return -1;
	text[n] = '\0';
	own = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (!own)
		return -1;
	own = strchr(own, '/') + 1;
	/* In the hybrid layout the first is a tmpfs. */
	for (size_t i = ARRAY_SIZE(tops); i-- > 0;) {
		int group;

		(void)snprintf(path, sizeof(path), "%s/%.*s/cgroup.procs", tops[i],
			       (int)strcspn(own, "\n"), own);
		group = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (group >= 0)
			return group;
	}
	return -1;
}

/* Takes no lock and no memory: the process may fork meanwhile. */
static void *hurry(void *data)
{
	struct cgroup_haste *h = data;
	int64_t until = clock_deadline(HASTE_MS);
	struct pollfd end = { .fd = h->endfd, .events = POLLIN };

	do {
		if (pwrite(h->groupfd, "0", 1, 0) < 0)
			break;
	} while (poll(&end, 1, AGAIN_MS) == 0 && clock_left_ms(until) > 0);
	return NULL;
}

/* Signals are for the thread that there was. */
static int begin_thread(struct cgroup_haste *h)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&h->thread, NULL, hurry, h);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

static void haste_free(struct cgroup_haste *h)
{
	close_p(&h->groupfd);
	close_p(&h->endfd);
	free(h);
}

struct cgroup_haste *cgroup_haste_begin(void)
{
	struct cgroup_haste *h = xcalloc(1, sizeof(*h));

	h->endfd = eventfd(0, EFD_CLOEXEC);
	h->groupfd = open_own_group();
	if (h->endfd < 0 || h->groupfd < 0 || begin_thread(h) < 0) {
		haste_free(h);
		return NULL;
	}
	return h;
}

void cgroup_haste_end(struct cgroup_haste *h)
{
	if (!h)
		return;
	(void)eventfd_write(h->endfd, 1);
	(void)pthread_join(h->thread, NULL);
	haste_free(h);
}

void cgroup_haste_end_p(struct cgroup_haste **h)
{
	cgroup_haste_end(*h);
	*h = NULL;
}
