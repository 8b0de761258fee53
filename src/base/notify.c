/* SPDX-License-Identifier: MIT */
#include "base/notify.h"

#include <unistd.h>

int notify_read(int fd, void (*on_change)(void *data, const struct inotify_event *ev),
		void *data, struct err *e)
{
	_Alignas(struct inotify_event) static char chunk[65536];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return err_sys(e, "cannot read what changed");
		for (char *p = chunk; p < chunk + n;) {
			const struct inotify_event *ev = (const struct inotify_event *)p;

			on_change(data, ev);
			p += sizeof(*ev) + ev->len;
		}
	}
}
