/* SPDX-License-Identifier: MIT */
#include "mdata-agent/agent.h"

#include "base/alloc.h"
#include "libmdata/channel.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A record has at most 4 MiB; as one line it is shorter. */
#define OBJECT_MAX ((off_t)8 << 20)

/* Sends the LEN bytes in s->message and waits for the answer, which is then there. */
static int ask(struct supervisor *s, size_t len, int *ret_passed, struct err *e)
{
	int r = channel_send(CHANNEL_FD, s->message, len, -1, e);

	if (r == 0)
		r = channel_receive(CHANNEL_FD, s->message, CHANNEL_MESSAGE_MAX, ret_passed, e);
	if (r < 0) {
		s->gone = true;
		return r;
	}
	if (s->message[0] == 'E')
		return err_set(e, -EIO, "%s", s->message + 1);
	return 0;
}

static int read_object(int fd, struct jv **ret_vm, struct err *e)
{
	cleanup_free char *text = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > OBJECT_MAX)
		return err_set(e, -EBADMSG, "the VM object cannot be read");
	text = xmalloc((size_t)st.st_size + 1);
	if (pread(fd, text, (size_t)st.st_size, 0) != st.st_size)
		return err_set(e, -EBADMSG, "the VM object cannot be read");
	return jv_parse(text, (size_t)st.st_size, "VM object", ret_vm, e);
}

static const struct jv *supervisor_vm(void *data, struct err *e)
{
	struct supervisor *s = data;
	cleanup_close int fd = -1;
	struct jv *vm;

	s->message[0] = 'V';
	s->message[1] = s->vm ? '1' : '0';
	if (ask(s, 2, &fd, e) < 0)
		return NULL;
	if (s->message[0] == 'U')
		return s->vm;
	if (read_object(fd, &vm, e) < 0)
		return NULL;
	jv_unref(s->vm);
	s->vm = vm;
	return vm;
}

static int supervisor_change(void *data, const char *key, const char *value, struct err *e)
{
	struct supervisor *s = data;
	size_t key_len = strlen(key), value_len = value ? strlen(value) : 0;

	if (key_len > MDATA_KEY_MAX || value_len > MDATA_VALUE_MAX)
		return err_set(e, -EINVAL, "%s is longer than %zu bytes",
			       key_len > MDATA_KEY_MAX ? "Key" : "Value",
			       key_len > MDATA_KEY_MAX ? MDATA_KEY_MAX : MDATA_VALUE_MAX);
	s->message[0] = value ? 'C' : 'D';
	memcpy(s->message + 1, key, key_len + 1);
	if (value)
		memcpy(s->message + 1 + key_len + 1, value, value_len);
	return ask(s, 1 + key_len + (value ? 1 + value_len : 0), NULL, e);
}

const struct mdata_source supervisor_source = {
	.vm = supervisor_vm,
	.change = supervisor_change,
};
