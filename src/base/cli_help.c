/* SPDX-License-Identifier: MIT */
/*
 * cli_help.c - what the table says of itself: usage, help, list of options.
 */
#include "base/cli_private.h"

#include <stdio.h>
#include <string.h>

#define HELP_COLUMN 28

static bool has_opts(const struct cli_prog *prog, const struct cli_cmd *cmd)
{
	const struct cli_opt *opts[CLI_OPTS_MAX];

	return cli_collect_opts(prog, cmd, opts) > 0;
}

void cli_usage(struct buf *b, const struct cli_prog *prog, const struct cli_cmd *cmd)
{
	buf_addf(b, "usage: %s", prog->name);
	if (!cmd) {
		buf_addf(b, "%s COMMAND [OPTION...] [OPERAND...]\n",
			 has_opts(prog, NULL) ? " [OPTION...]" : "");
		return;
	}
	if (cmd != prog->main_cmd)
		buf_addf(b, " %s", cmd->name);
	if (has_opts(prog, cmd))
		buf_adds(b, " [OPTION...]");
	if (cmd->args && *cmd->args)
		buf_addf(b, " %s", cmd->args);
	buf_addc(b, '\n');
}

/* Two columns; a long left one puts the right one on the next line. */
static void add_row(struct buf *b, const char *left, const char *right)
{
	int width = HELP_COLUMN - 2;

	if (strlen(left) < (size_t)width)
		buf_addf(b, "  %-*s%s\n", width, left, right);
	else
		buf_addf(b, "  %s\n  %-*s%s\n", left, width, "", right);
}

static void add_opt(struct buf *b, const struct cli_opt *opt)
{
	cleanup_buf struct buf left = BUF_INIT;

	if (opt->letter)
		buf_addf(&left, "-%c", opt->letter);
	else
		buf_adds(&left, "  ");
	if (opt->name)
		buf_addf(&left, "%s--%s", opt->letter ? ", " : "  ", opt->name);
	if (opt->arg)
		buf_addf(&left, " %s", opt->arg);
	add_row(b, buf_str(&left), opt->help);
}

static void add_opts(struct buf *b, const struct cli_prog *prog, const struct cli_cmd *cmd)
{
	const struct cli_opt *opts[CLI_OPTS_MAX];
	size_t count = cli_collect_opts(prog, cmd, opts);

	buf_adds(b, "\noptions:\n");
	for (size_t i = 0; i < count; i++)
		add_opt(b, opts[i]);
	add_row(b, "    --help", "show this help");
	if (!cmd || cmd == prog->main_cmd)
		add_row(b, "    --version", "show the version");
}

static void add_cmds(struct buf *b, const struct cli_prog *prog)
{
	buf_adds(b, "\ncommands:\n");
	for (const struct cli_cmd *cmd = prog->cmds; cmd->name; cmd++) {
		cleanup_buf struct buf left = BUF_INIT;

		buf_adds(&left, cmd->name);
		for (const char *c = cmd->alias; c && *c; c++) {
			if (c == cmd->alias || c[-1] == ' ')
				buf_adds(&left, ", ");
			if (*c != ' ')
				buf_addc(&left, *c);
		}
		add_row(b, buf_str(&left), cmd->summary);
	}
	add_row(b, "help", "show the help of a command");
}

void cli_help(struct buf *b, const struct cli_prog *prog, const struct cli_cmd *cmd)
{
	cli_usage(b, prog, cmd);
	buf_addf(b, "\n%s\n", cmd && cmd != prog->main_cmd ? cmd->summary : prog->summary);
	if (cmd && cmd->alias)
		buf_addf(b, "also called: %s\n", cmd->alias);
	if (!cmd)
		add_cmds(b, prog);
	add_opts(b, prog, cmd);
	if (!cmd)
		buf_addf(b, "\n'%s help COMMAND' shows a command's options\n", prog->name);
}

static void list_opts(struct buf *b, const char *owner, const struct cli_prog *prog,
		      const struct cli_cmd *cmd)
{
	const struct cli_opt *opts[CLI_OPTS_MAX];
	size_t count = cli_collect_opts(prog, cmd, opts);

	for (size_t i = 0; i < count; i++) {
		buf_addf(b, "option %s", owner);
		if (opts[i]->letter)
			buf_addf(b, " -%c", opts[i]->letter);
		if (opts[i]->name)
			buf_addf(b, " --%s", opts[i]->name);
		if (opts[i]->arg)
			buf_addf(b, " =%s", opts[i]->arg);
		buf_addc(b, '\n');
	}
}

static void list_aliases(struct buf *b, const struct cli_cmd *cmd)
{
	for (const char *c = cmd->alias; c && *c;) {
		int len = (int)strcspn(c, " ");

		buf_addf(b, "alias %.*s %s\n", len, c, cmd->name);
		c += len;
		c += strspn(c, " ");
	}
}

void cli_list_options(struct buf *b, const struct cli_prog *prog)
{
	list_opts(b, "-", prog, prog->main_cmd);
	for (const struct cli_cmd *cmd = prog->cmds; cmd && cmd->name; cmd++) {
		buf_addf(b, "command %s\n", cmd->name);
		list_aliases(b, cmd);
		list_opts(b, cmd->name, prog, cmd);
	}
}
