/* SPDX-License-Identifier: MIT */
#include "builder/text.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <stdint.h>

int text_open(const char *path, struct stat *st, struct err *e)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open the file");
	if (fstat(fd, st) < 0)
		return err_sys(e, "cannot stat the file");
	if (!S_ISREG(st->st_mode))
		return err_set(e, -EINVAL, "not a regular file");
	return take_fd(fd);
}

int text_read(int fd, const struct stat *st, size_t max, char **ret_text, size_t *ret_len,
	      struct err *e)
{
	cleanup_free char *text = NULL;
	size_t len = 0;
	size_t size;

	if ((uintmax_t)st->st_size > max)
		return err_set(e, -EFBIG, "the file has more than %zu bytes", max);
	size = (size_t)st->st_size;
	text = xmalloc(size + 1);
	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read the file");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';

	*ret_text = take_ptr(text);
	*ret_len = len;
	return 0;
}
