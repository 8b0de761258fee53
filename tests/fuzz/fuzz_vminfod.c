/* SPDX-License-Identifier: MIT */
/*
 * fuzz_vminfod.c - what vminfod reads of a VM, and what it is asked. Whatever is in the
 * files, its answers are JSON, and what it has in memory is what it would read anew.
 *
 * The input is up to five texts with a 0 between them: a record, another one in its
 * place, state.json, a journal, and the members or the path that somebody asks for.
 */
#include "libvm/vm_index.h"

#include "base/jv.h"
#include "libsys/host.h"

#include "fuzz.h"
#include "scratch.h"

#include <string.h>
#include <sys/stat.h>

#define UUID  "5a5a5a5a-0000-4000-8000-000000000001"
#define PARTS 5

#define RUN_DIR "run/dais/" UUID

struct part {
	const char *text;
	size_t len;
};

static void split(const char *data, size_t size, struct part parts[static PARTS])
{
	for (size_t i = 0; i < PARTS; i++) {
		const char *end = memchr(data, '\0', size);
		size_t len = end ? (size_t)(end - data) : size;

		parts[i] = (struct part){ data, len };
		data += len + (end != NULL);
		size -= len + (end != NULL);
	}
}

static void put(const char *name, struct part p)
{
	int fd = openat(scratchfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, p.text, p.len) != (ssize_t)p.len || close(fd) < 0)
		abort();
}

static void make_folders(void)
{
	static const char *const dirs[] = { "etc", "etc/zones", "etc/zones/.journal",
					    "run", "run/dais",  RUN_DIR };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdirat(scratchfd, dirs[i], 0700) < 0 && errno != EEXIST)
			abort();
}

static void on_event(void *data, const struct jv *event)
{
	(void)data;
	if (event && !jv_get_string(event, "type"))
		abort();
}

/* An array, or an abort. */
static char *dump(struct vm_index *ix, const char *members)
{
	cleanup_jv struct jv *list = NULL;
	struct buf text = BUF_INIT;

	vm_index_dump(ix, members, &text);
	if (jv_parse(buf_str(&text), text.len, "answer", &list, NULL) < 0 ||
	    jv_type(list) != JV_ARRAY || jv_len(list) != vm_index_count(ix))
		abort();
	return buf_take(&text);
}

static void ask(struct vm_index *ix, struct part question)
{
	cleanup_free char *text = strndup(question.text, question.len);
	cleanup_buf struct buf rows = BUF_INIT;
	size_t len;

	if (!text)
		abort();
	free(dump(ix, text));
	(void)vm_index_get(ix, text, &len);
	(void)vm_index_get(ix, UUID, &len);
	vm_index_rows(ix, &rows);
}

static void check_same(const struct host *h, struct vm_index *ix)
{
	struct vm_index *other = vm_index_new(h, on_event, NULL);
	cleanup_free char *all = dump(ix, NULL), *anew = NULL;

	if (vm_index_load(other, NULL) < 0)
		abort();
	anew = dump(other, NULL);
	/* Of one that cannot be read any more it keeps what there was. */
	if (vm_index_unreadable(ix) == 0 && strcmp(all, anew) != 0)
		abort();
	vm_index_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part parts[PARTS];
	struct vm_index *ix;
	struct host h;

	scratch_make();
	make_folders();
	if (host_open(&h, scratch, NULL) < 0)
		abort();
	split((const char *)data, size, parts);
	put("etc/zones/" UUID ".json", parts[0]);
	(void)unlinkat(scratchfd, "etc/zones/.journal/" UUID ".json", 0);
	(void)unlinkat(scratchfd, RUN_DIR "/state.json", 0);
	ix = vm_index_new(&h, on_event, NULL);
	if (vm_index_load(ix, NULL) < 0)
		abort();
	vm_index_set_listening(ix, true);
	ask(ix, parts[4]);
	put(RUN_DIR "/state.json", parts[2]);
	vm_index_touch(ix, UUID);
	put("etc/zones/" UUID ".json", parts[1]);
	if (parts[3].len)
		put("etc/zones/.journal/" UUID ".json", parts[3]);
	vm_index_touch(ix, UUID);
	ask(ix, parts[4]);
	check_same(&h, ix);
	vm_index_free(ix);
	host_close(&h);
	return 0;
}
