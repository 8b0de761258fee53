/* SPDX-License-Identifier: MIT */
#include "json/input.h"

#include "base/alloc.h"
#include "json/json.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define READ_SIZE ((size_t)1 << 16)

static int read_all(int fd, const char *name, char **ret_text, size_t *ret_len, struct err *e)
{
	struct stat st;
	size_t cap = READ_SIZE;
	size_t len = 0;
	cleanup_free char *text = NULL;
	ssize_t n;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
		cap = (size_t)st.st_size < JSON_INPUT_MAX ? (size_t)st.st_size + 2 : cap;
	text = xmalloc(cap);
	for (;;) {
		if (cap - len < 2) {
			cap *= 2;
			text = xrealloc_array(text, cap, 1);
		}
		n = read(fd, text + len, cap - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "could not read \"%s\"", name);
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > JSON_INPUT_MAX)
			return err_set(e, -EFBIG,
				       "could not read \"%s\": it has more than %zu MiB", name,
				       JSON_INPUT_MAX >> 20);
	}
	text[len] = '\0';
	*ret_text = take_ptr(text);
	*ret_len = len;
	return 0;
}

/* The words in which the original's runtime tells the two usual reasons. */
static int cannot_open(const char *file, struct err *e)
{
	if (errno == ENOENT)
		return err_set(e, -ENOENT,
			       "could not read \"%s\": Error: ENOENT: no such file or "
			       "directory, open '%s'",
			       file, file);
	if (errno == EACCES)
		return err_set(e, -EACCES,
			       "could not read \"%s\": Error: EACCES: permission "
			       "denied, open '%s'",
			       file, file);
	return err_sys(e, "could not read \"%s\"", file);
}

int input_read(const char *file, char **ret_text, size_t *ret_len, struct err *e)
{
	cleanup_close int fd = -1;
	char *fixed;
	int r;

	if (file) {
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return cannot_open(file, e);
	}
	r = read_all(file ? fd : STDIN_FILENO, file ? file : "standard input", ret_text,
		     ret_len, e);
	if (r < 0)
		return r;
	fixed = utf8_repair(*ret_text, *ret_len, ret_len);
	if (fixed) {
		free(*ret_text);
		*ret_text = fixed;
	}
	return 0;
}

/* Where the empty line ends, or NULL. */
static const char *find_blank(const char *s)
{
	for (; (s = strchr(s, '\n')); s++) {
		if (s[1] == '\n')
			return s + 2;
		if (s[1] == '\r' && s[2] == '\n')
			return s + 3;
	}
	return NULL;
}

size_t input_headers(const char *text, size_t len ATTR_UNUSED)
{
	const char *at = text;

	while (strncmp(at, "HTTP/1.", 7) == 0) {
		const char *blank = find_blank(at);

		if (!blank)
			break;
		at = blank;
	}
	return (size_t)(at - text);
}
