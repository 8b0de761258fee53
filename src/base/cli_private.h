/* SPDX-License-Identifier: MIT */
/*
 * cli_private.h - what the files cli*.c share. Nobody else includes it.
 */
#pragma once

#include "base/buf.h"
#include "base/cli.h"

struct cli_given {
	const struct cli_opt *opt;
	const char *value; /* NULL for a flag */
};

struct cli_call {
	const struct cli_prog *prog;
	const struct cli_cmd *cmd; /* NULL until it is known */
	const char *typed;         /* the command's name as typed; NULL: none */
	struct cli_given *given;
	size_t given_count;
	const char **operands;
	int operand_count;
	bool wants_help;
	bool wants_version;
};

/* cli_parse.c */
#define CLI_OPTS_MAX 64

const struct cli_cmd *cli_find_cmd(const struct cli_prog *prog, const char *name);
/* The options that may stand with CMD (NULL: before a command). Returns how many. */
size_t cli_collect_opts(const struct cli_prog *prog, const struct cli_cmd *cmd,
			const struct cli_opt *ret_opts[static CLI_OPTS_MAX]);
/*
 * Reads the words of ARGV from FROM on. Before the command it stops at the first
 * operand. Returns the number of the first word not read, or a negative errno.
 */
int cli_parse_words(struct cli_call *call, int argc, char **argv, int from, struct err *e);
int cli_check_operands(const struct cli_call *call, struct err *e);

/* cli_help.c: CMD is NULL for the program. */
void cli_usage(struct buf *b, const struct cli_prog *prog, const struct cli_cmd *cmd);
void cli_help(struct buf *b, const struct cli_prog *prog, const struct cli_cmd *cmd);
void cli_list_options(struct buf *b, const struct cli_prog *prog);

/* cli_complete.c: -EINVAL for a SHELL that is not known. */
int cli_completion(struct buf *b, const struct cli_prog *prog, const char *shell,
		   struct err *e);
