/* SPDX-License-Identifier: MIT */
/*
 * cmd_sources_edit.c - sources -e: one line a source, "URL TYPE [insecure]", '#' begins
 * a comment. What a line does not say (keys, authorities, a channel beside the address)
 * stays with the source of that address and type.
 */
#include "imgadm/sources.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fileio.h"
#include "libsource/source_ops.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define TEXT_MAX ((size_t)256 << 10)
#define WORDS    8

static void write_lines(struct buf *b, const struct sources *s)
{
	buf_adds(b,
		 "# One source a line: URL TYPE [insecure]. They are asked in this order.\n");
	for (size_t i = 0; i < s->count; i++)
		buf_addf(b, "%s %s%s\n", s->items[i].url, s->items[i].ops->type,
			 s->items[i].insecure ? " insecure" : "");
}

/* $VISUAL, $EDITOR, vi; words are split at blanks, nothing else is special. */
static int run_editor(const char *path, struct err *e)
{
	const char *editor = getenv("VISUAL") ? getenv("VISUAL") : getenv("EDITOR");
	cleanup_free char *words = xstrdup(editor && *editor ? editor : "vi");
	char *argv[WORDS + 2], *rest = NULL;
	int status = 0;
	size_t n = 0;
	pid_t pid;

	for (char *w = strtok_r(words, " ", &rest); w && n < WORDS;
	     w = strtok_r(NULL, " ", &rest))
		argv[n++] = w;
	argv[n++] = (char *)(uintptr_t)path;
	argv[n] = NULL;
	(void)fflush(NULL);
	pid = fork();
	if (pid < 0)
		return err_sys(e, "cannot start a process");
	if (pid == 0) {
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		return err_set(e, -EIO, "the editor '%s' failed; nothing was changed", argv[0]);
	return 0;
}

/* TEXT in a file of its own, edited. New. */
static int edit(const char *text, char **ret, struct err *e)
{
	char path[] = "/tmp/imgadm-sources.XXXXXX";
	cleanup_close int fd = mkostemp(path, O_CLOEXEC);
	size_t len;
	int r = 0;

	if (fd < 0)
		return err_sys(e, "cannot make a file to edit");
	if (file_write_fd(fd, text, strlen(text)) < 0)
		r = err_sys(e, "cannot write '%s'", path);
	if (r == 0)
		r = run_editor(path, e);
	if (r == 0)
		r = file_read_all(AT_FDCWD, path, TEXT_MAX, ret, &len, e);
	(void)unlink(path);
	return r;
}

/* One line into WISH; false when it says nothing. */
static int read_line(char *line, int number, struct source_wish *wish, struct err *e)
{
	char *rest = NULL, *insecure, *more;

	line[strcspn(line, "#")] = '\0';
	*wish = (struct source_wish){ .url = strtok_r(line, " \t\r", &rest) };
	wish->type = strtok_r(NULL, " \t\r", &rest);
	insecure = strtok_r(NULL, " \t\r", &rest);
	more = strtok_r(NULL, " \t\r", &rest);
	wish->insecure = insecure && strcmp(insecure, "insecure") == 0;
	if (more || (insecure && !wish->insecure))
		return err_set(e, -EINVAL, "line %d: a line is URL TYPE [insecure]", number);
	return wish->url != NULL;
}

/* The old source of that address and type, taken out of OLD. */
static bool take_old(struct sources *old, const struct source *one, struct source *ret)
{
	for (size_t i = 0; i < old->count; i++) {
		struct source *s = &old->items[i];

		if (!s->url || strcmp(s->url, one->url) != 0 || s->ops != one->ops ||
		    s->insecure != one->insecure)
			continue;
		*ret = *s;
		*s = (struct source){ 0 };
		return true;
	}
	return false;
}

/* ADDED says which of RET are new. */
static int read_lines(const struct host *h, char *text, struct sources *old,
		      struct sources *ret, bool added[static SOURCES_MAX], struct err *e)
{
	int number = 0;

	for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
		struct source one = { 0 }, kept = { 0 };
		struct source_wish wish;
		int r = read_line(line, ++number, &wish, e);

		if (r == 0)
			continue;
		if (r > 0)
			r = source_make(h, &wish, &one, e);
		if (r < 0)
			return err_wrap(e, r, "line %d", number);
		if (ret->count == SOURCES_MAX) {
			source_done(&one);
			return err_set(e, -E2BIG, "more than %d sources", SOURCES_MAX);
		}
		added[ret->count] = !take_old(old, &one, &kept);
		if (!added[ret->count]) {
			source_done(&one);
			one = kept;
		}
		if (sources_have(ret, &one)) {
			r = err_set(e, -EEXIST, "line %d: '%.200s' is there twice", number,
				    one.url);
			source_done(&one);
			return r;
		}
		sources_add(ret, &one);
	}
	return 0;
}

static void say_changes(const struct sources *edited, const bool *added,
			const struct sources *old, size_t *ret_count)
{
	for (size_t i = 0; i < edited->count; i++)
		if (added[i])
			sources_say("Added", &edited->items[i], "");
	for (size_t i = 0; i < old->count; i++) {
		if (!old->items[i].url)
			continue;
		sources_say("Deleted", &old->items[i], "");
		(*ret_count)++;
	}
}

static bool same_lines(const struct sources *s, const char *before)
{
	cleanup_buf struct buf b = BUF_INIT;

	write_lines(&b, s);
	return strcmp(buf_str(&b), before) == 0;
}

int sources_edit(const struct cli_call *call, const struct host *h, struct sources *s)
{
	cleanup_sources struct sources edited = { .config = jv_ref(s->config) };
	cleanup_buf struct buf before = BUF_INIT;
	cleanup_free char *after = NULL;
	bool added[SOURCES_MAX] = { false };
	struct err e = { 0 };
	size_t count = s->count, gone = 0;
	int r;

	write_lines(&before, s);
	r = edit(buf_str(&before), &after, &e);
	if (r == 0)
		r = read_lines(h, after, s, &edited, added, &e);
	if (r < 0)
		return imgadm_fail(call, "ConfigError", e.msg);
	if (same_lines(&edited, buf_str(&before))) {
		(void)puts("Image sources unchanged");
		return 0;
	}
	if (sources_store(h, &edited, &e) < 0)
		return imgadm_fail(call, "FileSystem", e.msg);
	say_changes(&edited, added, s, &gone);
	if (gone == 0 && edited.count == count)
		(void)puts("Reordered image sources");
	return 0;
}
