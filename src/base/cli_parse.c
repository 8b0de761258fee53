/* SPDX-License-Identifier: MIT */
/*
 * cli_parse.c - words of a command line to options and operands.
 */
#include "base/cli_private.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

/* Is NAME one of the blank separated WORDS? */
static bool is_among(const char *words, const char *name)
{
	size_t len = strlen(name);

	while (words && *words) {
		size_t n = strcspn(words, " ");

		if (n == len && memcmp(words, name, len) == 0)
			return true;
		words += n;
		words += strspn(words, " ");
	}
	return false;
}

const struct cli_cmd *cli_find_cmd(const struct cli_prog *prog, const char *name)
{
	for (const struct cli_cmd *cmd = prog->cmds; cmd && cmd->name; cmd++)
		if (strcmp(cmd->name, name) == 0 || (*name && is_among(cmd->alias, name)))
			return cmd;
	return NULL;
}

/* A command's own option goes before one of the same name for all. */
static bool is_taken(const struct cli_opt *opt, const struct cli_opt **opts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (opt->name && opts[i]->name && strcmp(opt->name, opts[i]->name) == 0)
			return true;
	return false;
}

static size_t collect(const struct cli_opt *table, const struct cli_opt **opts, size_t count)
{
	for (; table && (table->letter || table->name); table++) {
		if (is_taken(table, opts, count))
			continue;
		assert(count < CLI_OPTS_MAX);
		opts[count++] = table;
	}
	return count;
}

size_t cli_collect_opts(const struct cli_prog *prog, const struct cli_cmd *cmd,
			const struct cli_opt *ret_opts[static CLI_OPTS_MAX])
{
	size_t count = 0;

	if (cmd)
		count = collect(cmd->opts, ret_opts, count);
	if (cmd)
		count = collect(prog->common, ret_opts, count);
	if (!cmd || cmd == prog->main_cmd)
		count = collect(prog->opts, ret_opts, count);
	return count;
}

/* By LETTER, or by the LEN bytes of NAME. */
static const struct cli_opt *find_opt(const struct cli_call *call, char letter,
				      const char *name, size_t len)
{
	const struct cli_opt *opts[CLI_OPTS_MAX];
	size_t count = cli_collect_opts(call->prog, call->cmd, opts);

	for (size_t i = 0; i < count; i++) {
		const char *own = opts[i]->name;

		if (letter && opts[i]->letter == letter)
			return opts[i];
		if (name && own && strlen(own) == len && memcmp(own, name, len) == 0)
			return opts[i];
	}
	return NULL;
}

static int add_given(struct cli_call *call, const struct cli_opt *opt, const char *value,
		     const char *as, int as_len, struct err *e)
{
	if (opt->arg && !opt->many)
		for (size_t i = 0; i < call->given_count; i++)
			if (call->given[i].opt == opt)
				return err_set(e, -EINVAL,
					       "option '%.*s' may be given only once", as_len,
					       as);
	call->given[call->given_count++] = (struct cli_given){ .opt = opt, .value = value };
	return 0;
}

/* It is the program's, not a command's. */
static bool is_for_version(const struct cli_call *call, const char *word)
{
	return strcmp(word, "--version") == 0 && (!call->cmd || call->prog->main_cmd);
}

/* Both return how many words of ARGV they took (1 or 2), or a negative errno. */
static int parse_long(struct cli_call *call, char **argv, struct err *e)
{
	const char *word = argv[0];
	size_t len = strcspn(word + 2, "=");
	const char *value = word[2 + len] == '=' ? word + 3 + len : NULL;
	const struct cli_opt *opt = find_opt(call, '\0', word + 2, len);
	int shown = (int)len + 2;
	int taken = 1;

	if (!opt && strcmp(word, "--help") == 0) {
		call->wants_help = true;
		return 1;
	}
	if (!opt && is_for_version(call, word)) {
		call->wants_version = true;
		return 1;
	}
	if (!opt)
		return err_set(e, -EINVAL, "unknown option '%.*s'", shown, word);
	if (!opt->arg && value)
		return err_set(e, -EINVAL, "option '%.*s' takes no argument", shown, word);
	if (opt->arg && !value) {
		value = argv[1];
		taken = 2;
	}
	if (opt->arg && !value)
		return err_set(e, -EINVAL, "option '%.*s' needs an argument: %s", shown, word,
			       opt->arg);

	int r = add_given(call, opt, value, word, shown, e);
	return r < 0 ? r : taken;
}

static int parse_letters(struct cli_call *call, char **argv, struct err *e)
{
	for (const char *c = argv[0] + 1; *c; c++) {
		const struct cli_opt *opt = find_opt(call, *c, NULL, 0);
		char as[] = { '-', *c, '\0' };
		const char *value = NULL;
		int r;

		if (!opt && (*c == 'h' || *c == '?')) {
			call->wants_help = true;
			continue;
		}
		if (!opt)
			return err_set(e, -EINVAL, "unknown option '%s'", as);
		if (opt->arg)
			value = c[1] ? c + 1 : argv[1];
		if (opt->arg && !value)
			return err_set(e, -EINVAL, "option '%s' needs an argument: %s", as,
				       opt->arg);
		r = add_given(call, opt, value, as, 2, e);
		if (r < 0)
			return r;
		if (opt->arg)
			return c[1] ? 1 : 2;
	}
	return 1;
}

int cli_parse_words(struct cli_call *call, int argc, char **argv, int from, struct err *e)
{
	bool options_end = false;
	int i = from;

	while (i < argc) {
		const char *word = argv[i];
		int taken = 1;

		if (!options_end && strcmp(word, "--") == 0) {
			options_end = true;
		} else if (options_end || word[0] != '-' || word[1] == '\0') {
			if (!call->cmd)
				return i;
			call->operands[call->operand_count++] = word;
		} else {
			taken = word[1] == '-' ? parse_long(call, argv + i, e)
					       : parse_letters(call, argv + i, e);
		}
		if (taken < 0)
			return taken;
		i += taken;
	}
	return i;
}

int cli_check_operands(const struct cli_call *call, struct err *e)
{
	const struct cli_cmd *cmd = call->cmd;
	int max = cmd->max_operands < 0 ? INT_MAX : cmd->max_operands;

	if (call->operand_count < cmd->min_operands)
		return err_set(e, -EINVAL, "operand missing, expected: %s", cmd->args);
	if (call->operand_count > max)
		return err_set(e, -EINVAL, "unexpected operand '%s'", call->operands[max]);
	return 0;
}
