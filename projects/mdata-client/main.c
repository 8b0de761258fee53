/* SPDX-License-Identifier: MIT */
/*
 * mdata-get, mdata-put, mdata-delete, mdata-list - metadata, from inside.
 *
 * One program under four names. It asks the host over whatever there is, again after
 * a reset when no answer comes, and gives up in the end. Status: 0 it is done, 1 there
 * is no such key, 2 it failed, 3 wrong use.
 */
#include "mdata.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Longer is refused by the host. */
#define VALUE_MAX ((size_t)128 << 10)

#define ANSWER_MS   6000
#define TIMEOUT_S   45
#define TIMEOUT_MAX 86400
#define PAUSE_MS    100

struct call {
	const char *program;
	const struct tool *tool;
	struct link link;
	int64_t until;
	const char *key;
	struct text value;
};

struct tool {
	const char *name;
	const char *verb;
	const char *args;
	int min, max; /* operands */
};

static const struct tool tools[] = {
	{ "mdata-get", "GET", "KEY", 1, 1 },
	{ "mdata-put", "PUT", "KEY [VALUE]", 1, 2 },
	{ "mdata-delete", "DELETE", "KEY", 1, 1 },
	{ "mdata-list", "KEYS", "", 0, 0 },
};

static int wrong_use(const struct call *c, const char *what)
{
	if (*what)
		(void)fprintf(stderr, "%s: %s\n", c->program, what);
	(void)fprintf(stderr, "usage: %s [-t SECONDS] [-s PATH]%s%s\n", c->program,
		      *c->tool->args ? " " : "", c->tool->args);
	return WRONG_USE;
}

static int failed(const struct call *c, const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", c->program, what);
	return FAILED;
}

/* ---- asking -------------------------------------------------------------------- */

static void build(const struct call *c, uint32_t id, struct text *frame)
{
	struct text pair = { 0 };

	if (strcmp(c->tool->verb, "PUT") == 0) {
		frame_pair(&pair, c->key, c->value.data, c->value.len);
		frame_build(frame, id, c->tool->verb, pair.data, pair.len);
	} else {
		frame_build(frame, id, c->tool->verb, c->key, c->key ? strlen(c->key) : 0);
	}
	text_free(&pair);
}

/* One try. Damaged lines, and answers to others, are passed over. */
static bool try_once(struct call *c, char code[static 16], struct text *payload)
{
	struct text frame = { 0 };
	int64_t until;
	uint32_t id;
	char *line;
	bool ok;

	if (!link_open(&c->link, c->until))
		return false;
	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		id = (uint32_t)now_ms();
	build(c, id, &frame);
	until = now_ms() + ANSWER_MS;
	ok = link_send(&c->link, &frame, c->until);
	text_free(&frame);
	if (until > c->until)
		until = c->until;
	while (ok && (line = link_line(&c->link, until))) {
		text_free(payload);
		if (frame_parse(line, id, code, payload))
			return true;
	}
	return false;
}

static bool ask(struct call *c, char code[static 16], struct text *payload)
{
	for (;;) {
		bool ok = try_once(c, code, payload);

		link_close(&c->link);
		if (ok || now_ms() + PAUSE_MS >= c->until)
			return ok;
		(void)usleep(PAUSE_MS * 1000);
	}
}

/* ---- telling ------------------------------------------------------------------- */

/* The text, with a newline at its end where it has none. */
static int print(const struct call *c, const struct text *t)
{
	bool ended = t->len > 0 && t->data[t->len - 1] == '\n';
	bool is_list = strcmp(c->tool->verb, "KEYS") == 0;

	if (t->len > 0)
		(void)fwrite(t->data, 1, t->len, stdout);
	/* No keys are no line; an empty value is an empty one. */
	if (!ended && !(is_list && t->len == 0))
		(void)fputc('\n', stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		return failed(c, strerror(errno));
	return DONE;
}

static int tell(struct call *c, const char *code, const struct text *payload)
{
	bool reads = strcmp(c->tool->verb, "GET") == 0 || strcmp(c->tool->verb, "KEYS") == 0;

	if (strcmp(code, "SUCCESS") == 0)
		return reads ? print(c, payload) : DONE;
	if (strcmp(code, "NOTFOUND") == 0) {
		(void)fprintf(stderr, "No metadata for '%s'\n", c->key ? c->key : "");
		return NOT_FOUND;
	}
	return failed(c, payload->len ? payload->data : "the host refuses that");
}

static int run(struct call *c)
{
	struct text payload = { 0 };
	char code[16];
	int status;

	c->link.fd = -1;
	if (!link_exists(&c->link))
		return failed(c, "there is no way to the host: no socket, and no second serial "
				 "port");
	status = ask(c, code, &payload) ? tell(c, code, &payload)
					: failed(c, "the host does not answer");
	text_free(&payload);
	text_free(&c->value);
	return status;
}

/* ---- what was asked ------------------------------------------------------------ */

static int read_value(struct call *c)
{
	char data[4096];
	ssize_t n;

	if (isatty(STDIN_FILENO))
		return wrong_use(c, "the value is a second argument, or comes from a file or "
				    "a pipe");
	while ((n = read(STDIN_FILENO, data, sizeof(data))) != 0) {
		if (n < 0 && errno != EINTR)
			return failed(c, strerror(errno));
		if (n > 0)
			text_add(&c->value, data, (size_t)n);
		if (c->value.len > VALUE_MAX)
			return failed(c, "the value is longer than 128 KiB");
	}
	return DONE;
}

static bool take_timeout(const char *text, int64_t *ret_until)
{
	char *end;
	long seconds = strtol(text, &end, 10);

	if (end == text || *end || seconds < 1 || seconds > TIMEOUT_MAX)
		return false;
	*ret_until = now_ms() + seconds * 1000;
	return true;
}

static int parse(struct call *c, int argc, char **argv)
{
	int option;

	c->until = now_ms() + TIMEOUT_S * 1000;
	while ((option = getopt(argc, argv, "+s:t:")) != -1) {
		if (option == 's')
			c->link.path = optarg;
		else if (option != 't')
			return wrong_use(c, "");
		else if (!take_timeout(optarg, &c->until))
			return wrong_use(c, "-t takes seconds, from 1 to 86400");
	}
	argc -= optind;
	argv += optind;
	if (argc < c->tool->min || argc > c->tool->max)
		return wrong_use(c, argc < c->tool->min ? "a key is needed" : "too many words");
	c->key = argc > 0 ? argv[0] : NULL;
	if (c->key && !*c->key)
		return wrong_use(c, "a key is not empty");
	if (argc > 1)
		text_add(&c->value, argv[1], strlen(argv[1]));
	else if (c->tool->max > 1)
		return read_value(c);
	return DONE;
}

int main(int argc, char **argv)
{
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	struct call c = { .program = slash      ? slash + 1
				     : argc > 0 ? argv[0]
						: "mdata-get",
			  .link = { .fd = -1 } };
	int status;

	(void)signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (strcmp(c.program, tools[i].name) == 0)
			c.tool = &tools[i];
	if (!c.tool) {
		(void)fprintf(stderr,
			      "%s: I am mdata-get, mdata-put, mdata-delete or mdata-list\n",
			      c.program);
		return WRONG_USE;
	}
	status = parse(&c, argc, argv);
	return status == DONE ? run(&c) : status;
}
