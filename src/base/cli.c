/* SPDX-License-Identifier: MIT */
/*
 * cli.c - from main() to run() and back: the one place that prints errors.
 */
#include "base/alloc.h"
#include "base/cli_private.h"
#include "base/log.h"
#include "base/version.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int usage_status(const struct cli_prog *prog)
{
	return prog->usage_status ? prog->usage_status : EXIT_USAGE;
}

/* "PROG: ", "PROG COMMAND: ", or nothing where the contract wants the bare text. */
static void print_error(const struct cli_prog *prog, const struct cli_cmd *cmd, int code,
			const char *msg)
{
	bool named = cmd && cmd != prog->main_cmd;

	if (!prog->bare_errors)
		fprintf(stderr, "%s%s%s: ", prog->name, named ? " " : "",
			named ? cmd->name : "");
	if (prog->error_name)
		fprintf(stderr, "error (%s): ", prog->error_name(code, msg));
	fprintf(stderr, "%s\n", msg);
}

static void print_usage(const struct cli_prog *prog, const struct cli_cmd *cmd)
{
	cleanup_buf struct buf b = BUF_INIT;

	/* Without a command the list of commands is what helps. */
	if (cmd)
		cli_usage(&b, prog, cmd);
	else
		cli_help(&b, prog, prog->main_cmd);
	(void)fputs(buf_str(&b), stderr);
}

static int wrong_use(const struct cli_call *call, const struct cli_cmd *cmd, const char *msg)
{
	const struct cli_prog *prog = call->prog;

	if (prog->failed)
		prog->failed(call, -EINVAL, msg);
	print_error(prog, cmd, 0, msg);
	print_usage(prog, cmd);
	if (prog->misused)
		prog->misused(call, msg);
	return usage_status(prog);
}

int cli_wrong_use(struct cli_call *call, const char *fmt, ...)
{
	char msg[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return wrong_use(call, call->cmd, msg);
}

static bool is_opt(const struct cli_opt *opt, const char *key)
{
	if (opt->name && strcmp(opt->name, key) == 0)
		return true;
	return key[0] && !key[1] && opt->letter == key[0];
}

static bool is_in(const struct cli_opt *table, const struct cli_opt *opt)
{
	for (; table && (table->letter || table->name); table++)
		if (table == opt)
			return true;
	return false;
}

/* Does the command mean another thing by KEY than the program does before it? */
static bool is_hidden(const struct cli_call *call, const char *key)
{
	const struct cli_opt *o = call->cmd ? call->cmd->opts : NULL;

	for (; o && (o->letter || o->name); o++)
		if (is_opt(o, key))
			return o->apart;
	return false;
}

/* Is the I-th given what a command means by KEY? */
static bool is_given(const struct cli_call *call, size_t i, const char *key)
{
	const struct cli_opt *opt = call->given[i].opt;

	return is_opt(opt, key) && !(is_in(call->prog->opts, opt) && is_hidden(call, key));
}

const char *cli_get_nth(const struct cli_call *call, const char *opt, size_t n)
{
	for (size_t i = 0; i < call->given_count; i++)
		if (is_given(call, i, opt) && n-- == 0)
			return call->given[i].value;
	return NULL;
}

const char *cli_get(const struct cli_call *call, const char *opt)
{
	for (size_t i = call->given_count; i-- > 0;)
		if (is_given(call, i, opt))
			return call->given[i].value;
	return NULL;
}

bool cli_has(const struct cli_call *call, const char *opt)
{
	for (size_t i = 0; i < call->given_count; i++)
		if (is_given(call, i, opt))
			return true;
	return false;
}

bool cli_has_before(const struct cli_call *call, const char *opt)
{
	for (size_t i = 0; i < call->given_count; i++)
		if (is_opt(call->given[i].opt, opt) &&
		    is_in(call->prog->opts, call->given[i].opt))
			return true;
	return false;
}

int cli_operands(const struct cli_call *call)
{
	return call->operand_count;
}

const char *cli_operand(const struct cli_call *call, int n)
{
	return n >= 0 && n < call->operand_count ? call->operands[n] : NULL;
}

const char *cli_command(const struct cli_call *call)
{
	return call->typed;
}

/* The reader went away, which is its right; a pipe says so even after the fact. */
static bool reader_left(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return errno == EPIPE || (poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)));
}

/* A full disk must not look like success. */
static int finish(const struct cli_prog *prog, int status)
{
	bool failed = ferror(stdout) != 0;

	errno = 0;
	failed |= fflush(stdout) != 0;
	if (!failed || reader_left())
		return status;
	fprintf(stderr, "%s: cannot write output: %s\n", prog->name,
		strerror(errno ? errno : EIO));
	return status ? status : EXIT_FAILURE;
}

static int show_help(const struct cli_prog *prog, const struct cli_cmd *cmd)
{
	cleanup_buf struct buf b = BUF_INIT;

	cli_help(&b, prog, cmd ? cmd : prog->main_cmd);
	(void)fputs(buf_str(&b), stdout);
	return EXIT_SUCCESS;
}

static int unknown_command(const struct cli_call *call, const char *name)
{
	const struct cli_prog *prog = call->prog;
	cleanup_free char *msg = NULL;

	msg = prog->bare_errors ? xasprintf("Invalid command: \"%s\".", name)
				: xasprintf("'%s' is not a command", name);
	return wrong_use(call, NULL, msg);
}

static int help_command(const struct cli_call *call, int argc, char **argv)
{
	const struct cli_prog *prog = call->prog;
	const struct cli_cmd *cmd;

	if (argc < 1)
		return show_help(prog, NULL);
	cmd = cli_find_cmd(prog, argv[0]);
	return cmd ? show_help(prog, cmd) : unknown_command(call, argv[0]);
}

static int run(struct cli_call *call)
{
	const struct cli_prog *prog = call->prog;
	struct err e = { 0 };
	int r = cli_check_operands(call, &e);
	const char *msg;

	if (r < 0)
		return wrong_use(call, call->cmd, e.msg);
	r = call->cmd->run(call, &e);
	if (r >= 0)
		return r;
	(void)fflush(stdout); /* what was done comes before what failed */
	msg = e.msg[0] ? e.msg : strerror(-r);
	if (prog->failed)
		prog->failed(call, r, msg);
	print_error(prog, call->cmd, r, msg);
	return EXIT_FAILURE;
}

static int no_command(const struct cli_call *call)
{
	const struct cli_prog *prog = call->prog;

	if (prog->help_first)
		(void)show_help(prog, NULL);
	else
		print_usage(prog, NULL);
	if (prog->misused)
		prog->misused(call, NULL);
	return usage_status(prog);
}

static bool is_help(const struct cli_prog *prog, const char *word)
{
	if (prog->help_first && strcmp(word, "?") == 0)
		return true;
	return strcmp(word, "help") == 0 && !cli_find_cmd(prog, "help");
}

static int show_version(const struct cli_prog *prog)
{
	printf("%s %s\n", prog->name, DAIS_VERSION);
	return EXIT_SUCCESS;
}

static int parse_and_run(struct cli_call *call, int argc, char **argv)
{
	const struct cli_prog *prog = call->prog;
	struct err e = { 0 };
	int i = 1;

	if (prog->main_cmd) {
		call->cmd = prog->main_cmd;
	} else {
		i = cli_parse_words(call, argc, argv, i, &e);
		if (i < 0)
			return wrong_use(call, NULL, e.msg);
		if (call->wants_help)
			return show_help(prog, NULL);
		if (call->wants_version)
			return show_version(prog);
		if (i == argc)
			return no_command(call);
		if (is_help(prog, argv[i]))
			return help_command(call, argc - i - 1, argv + i + 1);
		call->typed = argv[i];
		call->cmd = cli_find_cmd(prog, argv[i++]);
		if (!call->cmd)
			return unknown_command(call, call->typed);
	}
	i = cli_parse_words(call, argc, argv, i, &e);
	if (call->wants_help)
		return show_help(prog, call->cmd);
	if (call->wants_version && i >= 0)
		return show_version(prog);
	return i < 0 ? wrong_use(call, call->cmd, e.msg) : run(call);
}

static int print_completion(const struct cli_prog *prog, const char *shell)
{
	cleanup_buf struct buf b = BUF_INIT;
	struct err e = { 0 };

	if (cli_completion(&b, prog, shell, &e) < 0)
		return wrong_use(&(struct cli_call){ .prog = prog }, NULL, e.msg);
	(void)fputs(buf_str(&b), stdout);
	return EXIT_SUCCESS;
}

/* What every program answers. Returns the exit status, or -1: an ordinary call. */
static int answer_builtin(const struct cli_prog *prog, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	cleanup_buf struct buf b = BUF_INIT;

	if (strcmp(word, "--list-options") == 0) {
		cli_list_options(&b, prog);
		(void)fputs(buf_str(&b), stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(word, "--completion") == 0 && argc == 3)
		return print_completion(prog, argv[2]);
	if (strcmp(word, "--complete") == 0 && argc == 3)
		return prog->complete && prog->complete(argv[2], NULL) == 0 ? EXIT_SUCCESS
									    : EXIT_FAILURE;
	return -1;
}

/* A number below 3 that is closed would be given to the next file we open. */
static void fill_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static void ignore_signal(int signo ATTR_UNUSED)
{
}

/* A handler, not SIG_IGN: what we execute starts with the default again. */
static void survive_broken_pipes(void)
{
	struct sigaction sa = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };

	(void)sigaction(SIGPIPE, &sa, NULL);
}

/* Who started us may ignore it, and we would too: then nobody has the status of a child. */
static void hear_of_children(void)
{
	(void)signal(SIGCHLD, SIG_DFL);
}

int cli_main(const struct cli_prog *prog, int argc, char **argv)
{
	cleanup_free struct cli_given *given = NULL;
	cleanup_free const char **operands = NULL;
	struct cli_call call = { .prog = prog };
	size_t room;
	int status;

	fill_standard_fds();
	survive_broken_pipes();
	hear_of_children();
	log_setup(prog->name, NULL);

	status = answer_builtin(prog, argc, argv);
	if (status < 0) {
		/* No more options than there are bytes in all words. */
		room = 1;
		for (int i = 1; i < argc; i++)
			room += strlen(argv[i]);
		given = xcalloc(room, sizeof(*given));
		operands = xcalloc((size_t)argc + 1, sizeof(*operands));
		call.given = given;
		call.operands = operands;
		status = parse_and_run(&call, argc, argv);
	}
	return finish(prog, status);
}

int cli_parse_size(const char *text, unsigned long long *ret_bytes, struct err *e)
{
	static const char units[] = "KMGTP";
	unsigned long long n = 0;
	const char *c = text;
	const char *unit;

	for (; isdigit((unsigned char)*c); c++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (unsigned int)(*c - '0'), &n))
			return err_set(e, -ERANGE, "size '%s' is too large", text);

	unit = *c ? strchr(units, toupper((unsigned char)*c)) : NULL;
	if (c == text || (*c && (!unit || c[1])))
		return err_set(e, -EINVAL, "size '%s' is not a number with K, M, G, T or P",
			       text);
	for (const char *u = units; unit && u <= unit; u++)
		if (__builtin_mul_overflow(n, 1024, &n))
			return err_set(e, -ERANGE, "size '%s' is too large", text);
	*ret_bytes = n;
	return 0;
}
