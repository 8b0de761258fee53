/* SPDX-License-Identifier: MIT */
#include "libboot/cmdline.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/*
 * Take the word at *P apart, in place: quotes are dropped, the first '=' that
 * stands outside them or right behind them ends the name. *P is left behind it.
 */
static int take_word(struct cmdline *c, char **p, struct err *e)
{
	char *from = *p, *to = *p, *start = *p, *value = NULL;
	bool quoted = false;

	for (; *from && (quoted || !is_blank(*from)); from++) {
		if (*from == '"') {
			quoted = !quoted;
			continue;
		}
		if (*from == '=' && !value) {
			*to++ = '\0';
			value = to;
			continue;
		}
		*to++ = *from;
	}
	if (quoted) {
		*to = '\0';
		return err_set(e, -EINVAL,
			       "kernel command line: the quote in '%s' is not closed", start);
	}
	if (c->count == CMDLINE_WORDS_MAX)
		return err_set(e, -E2BIG, "kernel command line: more than %d words",
			       CMDLINE_WORDS_MAX);
	*p = *from ? from + 1 : from;
	*to = '\0';
	c->words[c->count].name = start;
	c->words[c->count].value = value ? value : to;
	c->count++;
	return 0;
}

int cmdline_parse(struct cmdline *c, const char *text, size_t len, struct err *e)
{
	char *p;

	c->count = 0;
	if (len > CMDLINE_MAX)
		return err_set(e, -E2BIG, "kernel command line: longer than %d bytes",
			       CMDLINE_MAX);
	if (memchr(text, '\0', len))
		return err_set(e, -EINVAL, "kernel command line: has a byte of zero");
	memcpy(c->text, text, len);
	c->text[len] = '\0';

	for (p = c->text; *p;) {
		int r;

		if (is_blank(*p)) {
			p++;
			continue;
		}
		r = take_word(c, &p, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int cmdline_read(struct cmdline *c, const char *path, struct err *e)
{
	char text[CMDLINE_MAX + 1];
	size_t len = 0;
	ssize_t n = 0;
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	/* One byte more than allowed, so that a longer line is noticed. */
	while (len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return err_sys(e, "cannot read '%s'", path);
	return cmdline_parse(c, text, len, e);
}

const char *cmdline_get(const struct cmdline *c, const char *name)
{
	for (size_t i = c->count; i > 0; i--) {
		if (strcmp(c->words[i - 1].name, name) == 0)
			return c->words[i - 1].value;
	}
	return NULL;
}

bool cmdline_is_true(const struct cmdline *c, const char *name)
{
	static const char *const yes[] = { "", "true", "yes", "on", "1" };
	const char *value = cmdline_get(c, name);

	for (size_t i = 0; value && i < ARRAY_SIZE(yes); i++) {
		if (strcmp(value, yes[i]) == 0)
			return true;
	}
	return false;
}
