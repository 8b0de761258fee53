/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the frame of every command line: one table gives parsing, --help,
 * completion and the check against the manual page.
 *
 *	PROG COMMAND [OPTION...] [OPERAND...]       programs with commands
 *	PROG [OPTION...] [OPERAND...]               programs without
 *
 * Options may stand before and after operands, "--" ends them; letters may be
 * joined ("-Hp", "-oname"), long options take "--name value" and "--name=value".
 * An option that takes an argument is given once unless the table says many.
 *
 * Every program also answers, for the build and for packagers:
 *
 *	PROG help [COMMAND], PROG --help, PROG COMMAND --help    stdout, status 0
 *	PROG --version
 *	PROG --completion bash|zsh      a completion script made from the table
 *	PROG --list-options             "command NAME", "alias NAME COMMAND" and
 *	                                "option COMMAND|- FORM...[ =ARG]" lines, which
 *	                                tools/check-man holds against the page
 *	PROG --complete KIND            candidates, for the completion scripts
 *
 * "-h" and "-?" are --help wherever the table gives the letter no other meaning.
 * A reader of standard output who left is no error.
 *
 * Exit status: 0 done, 1 failed, 2 wrong use. A usage error is one line that
 * says what is wrong, then the usage, both on standard error.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define EXIT_USAGE 2

/* What completion offers for an operand or an option's argument. */
enum cli_complete {
	CLI_ANY,   /* nothing */
	CLI_FILE,  /* file names */
	CLI_DIR,   /* folder names */
	CLI_WORDS, /* the words in cli_opt.words, blank separated */
	CLI_LIST,  /* the same, any number of them joined by commas */
	CLI_HELP,  /* what "PROG --complete KIND" prints, KIND being in .words; see
		      cli_prog.complete */
};

struct cli_opt {
	char letter;      /* 0: long form only */
	const char *name; /* long form without dashes; NULL: letter only */
	const char *arg;  /* argument's name as shown, in capitals; NULL: a flag */
	const char *help; /* one line, lower case, no stop */
	bool many;        /* may be given again */
	enum cli_complete complete;
	const char *words;
	bool apart; /* a command's: means another thing than the program's of its name */
};

/* Ends a table of options. */
#define CLI_END                \
	{                      \
		.letter = '\0' \
	}

struct cli_call; /* one parsed command line; valid while run() runs */

struct cli_cmd {
	const char *name;
	const char *alias; /* blank separated, or NULL */
	const char *args;  /* operands as in the SYNOPSIS, "" for none */
	const char *summary;
	const struct cli_opt *opts; /* may be NULL */
	int min_operands;
	int max_operands;           /* -1: any number */
	enum cli_complete complete; /* of the operands */
	const char *words;          /* see cli_opt.words */
	/*
	 * Returns 0 or a negative errno with E filled: it is printed as
	 * "PROG COMMAND: MESSAGE" by cli_main(), status 1. A positive result is
	 * taken as the exit status, nothing is printed. For wrong use that only
	 * run() can see: return cli_wrong_use().
	 */
	int (*run)(struct cli_call *call, struct err *e);
};

struct cli_prog {
	const char *name;
	const char *summary;
	const struct cli_opt *opts; /* before the command, or the only ones; may be NULL */
	const struct cli_opt
		*common; /* each command takes these besides its own; may be NULL */
	const struct cli_cmd
		*cmds; /* ends with a NULL name; sorted by name. NULL: see main_cmd */
	const struct cli_cmd *main_cmd; /* a program without commands */
	/* Prints candidates of KIND, one a line, for "PROG --complete KIND". May be NULL. */
	int (*complete)(const char *kind, struct err *e);
	bool bare_errors; /* print the message alone, without "PROG COMMAND: " (vmadm's
			     contract) */
	int usage_status; /* exit status of wrong use; 0: EXIT_USAGE */
	/*
	 * Called before an error or wrong use is printed, for programs that tell it in
	 * another form as well. CODE is a negative errno. May be NULL.
	 */
	void (*failed)(const struct cli_call *call, int code, const char *msg);
	/* Called after wrong use was told; MSG is NULL when there was no command. May be NULL.
	 */
	void (*misused)(const struct cli_call *call, const char *msg);
	/*
	 * The name of an error in this program's contract: with it they are told as "PROG
	 * COMMAND: error (NAME): MESSAGE". CODE is a negative errno, or 0 for wrong use. May be
	 * NULL.
	 */
	const char *(*error_name)(int code, const char *msg);
	bool help_first; /* no command: help on standard output; '?' is "help" */
};

/* Parses, runs, prints the error, flushes standard output. The result is the exit status. */
int cli_main(const struct cli_prog *prog, int argc, char **argv);

/*
 * By the option's name (or its letter as a string when it has no name). Where the command has
 * an option of this name that is apart, one that stood before the command does not count: for
 * that, ask cli_has_before().
 */
bool cli_has(const struct cli_call *call, const char *opt);
bool cli_has_before(const struct cli_call *call, const char *opt);
const char *cli_get(const struct cli_call *call, const char *opt); /* last one, or NULL */
const char *cli_get_nth(const struct cli_call *call, const char *opt, size_t n); /* or NULL */
int cli_operands(const struct cli_call *call);
const char *cli_operand(const struct cli_call *call, int n); /* or NULL */
const char *cli_command(const struct cli_call *call);        /* as typed, alias included */

/* Says what is wrong, then the usage, and gives what run() has to return. */
ATTR_MUST_CHECK int cli_wrong_use(struct cli_call *call, const char *fmt, ...)
	ATTR_PRINTF(2, 3);

/* "10G", "512M", "4096": bytes, powers of 1024. -EINVAL for anything else, -ERANGE on overflow.
 */
ATTR_MUST_CHECK int cli_parse_size(const char *text, unsigned long long *ret_bytes,
				   struct err *e);
