/* SPDX-License-Identifier: MIT */
#include "libformat/input.h"

#include "base/macro.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

ssize_t image_input_fetch(struct image_input *in, void *buf, size_t size)
{
	ssize_t n;

	do
		n = read(in->fd, buf, size);
	while (n < 0 && errno == EINTR);
	if (n > 0 && in->digest)
		digest_add(in->digest, buf, (size_t)n);
	return n;
}

ssize_t image_input_read(struct image_input *in, void *buf, size_t size)
{
	size_t left = in->head_len - in->head_used;

	if (left > 0) {
		size = size < left ? size : left;
		memcpy(buf, in->head + in->head_used, size);
		in->head_used += size;
		return (ssize_t)size;
	}
	return image_input_fetch(in, buf, size);
}

int image_input_drain(struct image_input *in, struct err *e)
{
	char block[65536];
	ssize_t n;

	do
		n = image_input_read(in, block, sizeof(block));
	while (n > 0);
	return n < 0 ? err_sys(e, "cannot read the image") : 0;
}
