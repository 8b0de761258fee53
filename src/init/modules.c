/* SPDX-License-Identifier: MIT */
#include "init/modules.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool name_is_valid(const char *name, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	if (len < 4 || len > MODULES_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '\0' || !strchr(allowed, name[i]))
			return false;
	}
	return memcmp(name + len - 3, ".ko", 3) == 0;
}

/* The line's text without comment and blanks around; its length is returned. */
static size_t trim_line(const char **line, size_t len)
{
	const char *p = *line, *hash = memchr(p, '#', len);

	if (hash)
		len = (size_t)(hash - p);
	while (len && (p[len - 1] == ' ' || p[len - 1] == '\t' || p[len - 1] == '\r'))
		len--;
	while (len && (*p == ' ' || *p == '\t')) {
		p++;
		len--;
	}
	*line = p;
	return len;
}

static int add_line(struct modules *m, const char *line, size_t len, const char *source,
		    unsigned int number, struct err *e)
{
	len = trim_line(&line, len);
	if (len == 0)
		return 0;
	if (!name_is_valid(line, len))
		return err_set(e, -EINVAL, "%s:%u: '%.*s' is not the file name of a module",
			       source, number, (int)(len > 80 ? 80 : len), line);
	if (m->count == MODULES_MAX)
		return err_set(e, -E2BIG, "%s:%u: more than %d modules", source, number,
			       MODULES_MAX);
	memcpy(m->names[m->count], line, len);
	m->names[m->count][len] = '\0';
	m->count++;
	return 0;
}

int modules_parse(struct modules *m, const char *text, size_t len, const char *source,
		  struct err *e)
{
	unsigned int number = 1;

	m->count = 0;
	for (size_t at = 0; at < len; number++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line = end ? (size_t)(end - text) - at : len - at;
		int r = add_line(m, text + at, line, source, number, e);

		if (r < 0)
			return r;
		at += line + 1;
	}
	return 0;
}

static int load_one(int dirfd, const char *name, struct err *e)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(e, "cannot open the module '%s'", name);
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
		return err_sys(e, "the kernel refuses the module '%s'", name);
	return 0;
}

int modules_load(const struct modules *m, int dirfd, void (*warn)(const struct err *e))
{
	int refused = 0;

	for (size_t i = 0; i < m->count; i++) {
		struct err e;

		if (load_one(dirfd, m->names[i], &e) < 0) {
			warn(&e);
			refused++;
		}
	}
	return refused;
}
