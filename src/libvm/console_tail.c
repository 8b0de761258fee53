/* SPDX-License-Identifier: MIT */
#include "libvm/console_tail.h"

#include "base/alloc.h"
#include "base/path.h"
#include "libvm/vm.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES 2048
#define TAIL_LINES 8

/* It was the guest that wrote it. */
static void disarm(char *text)
{
	for (; *text; text++)
		if (*text != '\n' && iscntrl((unsigned char)*text))
			*text = '?';
}

/* Where the last TAIL_LINES lines of TEXT begin. */
static char *last_lines(char *text)
{
	size_t len = strlen(text), lines = 0;

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	while (len > 0)
		if (text[--len] == '\n' && ++lines == TAIL_LINES)
			return text + len + 1;
	return text;
}

static void tell(struct vm_report *rep, char *text)
{
	char *save = NULL;

	disarm(text);
	for (char *line = strtok_r(last_lines(text), "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		vm_report_warn(rep, "console: %s", line);
}

void console_tail(const struct host *h, const char *uuid, time_t since, struct vm_report *rep)
{
	cleanup_free char *name = xasprintf(HOST_POOL "/%s/logs/console.log", uuid);
	cleanup_close int fd = openat(h->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[TAIL_BYTES + 1];
	struct stat st;
	off_t from;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_mtim.tv_sec < since)
		return;
	from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
	n = pread(fd, text, TAIL_BYTES, from);
	if (n <= 0)
		return;
	text[n] = '\0';
	tell(rep, text);
}
