/* SPDX-License-Identifier: MIT */
#include "mdata-agent/agent.h"

#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define OBJECT_MAX ((size_t)8 << 20)

static const struct jv *try_vm(void *data, struct err *e)
{
	(void)e;
	return data;
}

static int try_change(void *data, const char *key, const char *value, struct err *e)
{
	bool changed;

	return mdata_change(data, key, value, &changed, e);
}

/* A zero byte, which no answer has, ends each: also that of a line without an answer. */
static void answer_lines(const struct mdata_source *source)
{
	cleanup_buf struct buf out = BUF_INIT;
	cleanup_free char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		size_t len = (size_t)n - (line[n - 1] == '\n');

		buf_reset(&out);
		(void)mdata_answer(source, line, len, &out);
		buf_addc(&out, '\0');
		(void)fwrite(out.data, 1, out.len, stdout);
		/* Who asks by and by waits for each. */
		(void)fflush(stdout);
	}
}

int try_lines(const char *file, struct err *e)
{
	cleanup_jv struct jv *vm = NULL;
	struct mdata_source source = { .vm = try_vm, .change = try_change };
	int r = jv_load(AT_FDCWD, file, OBJECT_MAX, &vm, e);

	if (r < 0)
		return r;
	source.data = vm;
	answer_lines(&source);
	return ferror(stdout) ? err_sys(e, "cannot write the answers") : 0;
}
