/* SPDX-License-Identifier: MIT */
/*
 * cli_complete.c - completion scripts for bash and zsh.
 *
 * The body of both is the same shell text; it calls four functions whose bodies
 * differ: PREFIX_offer 'WORD:WHAT IT DOES'..., PREFIX_words WORD..., PREFIX_list
 * WORD... (joined by commas), PREFIX_files, PREFIX_dirs, and PREFIX_ask KIND,
 * which has the program itself print the candidates. They see $cur, the word to
 * complete.
 */
#include "base/cli_private.h"

#include <string.h>

/* In these "@" stands for the function's name and "^" for the program's. */
static const char bash_head[] =
	"# bash completion for ^, made by '^ --completion bash'\n"
	"# Candidates are compared here: compgen -W would expand what is in them.\n"
	"@_words() { local w; for w in \"$@\"; do\n"
	"\tif [[ $w == \"$cur\"* ]]; then COMPREPLY+=(\"$w\"); fi; done; }\n"
	"@_offer() { @_words \"${@%%:*}\"; }\n"
	"@_list() { local head=; if [[ $cur == *,* ]]; then head=${cur%,*},; fi\n"
	"\t@_words \"${@/#/$head}\"; }\n"
	"@_paths() { compopt -o filenames 2>/dev/null\n"
	"\tmapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\"); }\n"
	"@_files() { @_paths -f; }\n"
	"@_dirs() { @_paths -d; }\n"
	"@_ask() { local -a found\n"
	"\tmapfile -t found < <(\"${COMP_WORDS[0]}\" --complete \"$1\" 2>/dev/null)\n"
	"\t@_words \"${found[@]}\"; }\n"
	"@() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} cmd= i\n"
	"\tlocal -a line=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n"
	"\tCOMPREPLY=()\n"
	"\t# readline cuts '--name=value' at the '='.\n"
	"\tif [[ $cur == = ]]; then cur=\n"
	"\telif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n";

static const char zsh_head[] =
	"#compdef ^\n"
	"# zsh completion for ^, made by '^ --completion zsh'\n"
	"@_words() { compadd -- \"$@\"; }\n"
	"@_list() { compset -P '*,'; cur=${cur##*,}; compadd -- \"$@\"; }\n"
	"@_offer() { local -a offers=(\"$@\"); _describe ^ offers; }\n"
	"@_files() { _files; }\n"
	"@_dirs() { _files -/; }\n"
	"@_ask() { compadd -- ${(f)\"$(\"${words[1]}\" --complete \"$1\" 2>/dev/null)\"}; }\n"
	"@() {\n"
	"\tlocal cur=${words[CURRENT]} prev=${words[CURRENT-1]} cmd= i\n"
	"\tlocal -a line=(\"${(@)words[2,CURRENT-1]}\")\n"
	"\tif [[ $cur == --*=* ]]; then prev=${cur%%=*}; cur=${cur#*=}; compset -P '*='; fi\n";

static const char bash_tail[] = "}\ncomplete -F @ ^\n";

static const char zsh_tail[] = "}\n"
			       "if [[ $funcstack[1] == _^ ]]; then @; else compdef @ ^; fi\n";

/* The shells' function names: letters, digits and '_' of the program's name. */
static void add_function(struct buf *b, const struct cli_prog *prog)
{
	buf_adds(b, "_dais_");
	for (const char *c = prog->name; *c; c++)
		buf_addc(b, (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ? *c : '_');
}

static void add_template(struct buf *b, const struct cli_prog *prog, const char *text)
{
	for (; *text; text++) {
		if (text[0] == '@' &&
		    (text[1] == '_' || text[1] == '(' || text[1] == ' ' || text[1] == ';'))
			add_function(b, prog);
		else if (text[0] == '^')
			buf_adds(b, prog->name);
		else
			buf_addc(b, text[0]);
	}
}

static void add_quoted(struct buf *b, const char *text)
{
	buf_addc(b, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_adds(b, "'\\'");
		buf_addc(b, *text);
	}
	buf_addc(b, '\'');
}

/* 'CMD -o'|'CMD --order' */
static void add_pattern(struct buf *b, const char *before, const struct cli_opt *opt)
{
	buf_addc(b, '\t');
	if (opt->letter)
		buf_addf(b, "'%s-%c'", before, opt->letter);
	if (opt->letter && opt->name)
		buf_addc(b, '|');
	if (opt->name)
		buf_addf(b, "'%s--%s'", before, opt->name);
	buf_addc(b, ')');
}

static void add_action(struct buf *b, const struct cli_prog *prog, enum cli_complete complete,
		       const char *words)
{
	static const char *const calls[] = {
		[CLI_FILE] = "_files", [CLI_DIR] = "_dirs",  [CLI_WORDS] = "_words ",
		[CLI_LIST] = "_list ", [CLI_HELP] = "_ask ",
	};

	if (complete == CLI_ANY)
		return;
	buf_addc(b, ' ');
	add_function(b, prog);
	buf_adds(b, calls[complete]);
	if (complete == CLI_WORDS || complete == CLI_LIST || complete == CLI_HELP)
		buf_adds(b, words);
	buf_addc(b, ';');
}

/* Finds $cmd among the words before the one to complete. */
static void add_walk(struct buf *b, const struct cli_prog *prog)
{
	const struct cli_opt *opts[CLI_OPTS_MAX];
	size_t count = cli_collect_opts(prog, NULL, opts);

	buf_adds(b, "\tlocal skip=\n\tfor i in \"${line[@]}\"; do\n"
		    "\t\tif [[ -n $skip ]]; then skip=; continue; fi\n\t\tcase $i in\n");
	for (size_t i = 0; i < count; i++) {
		if (!opts[i]->arg)
			continue;
		buf_addc(b, '\t');
		add_pattern(b, "", opts[i]);
		buf_adds(b, " skip=1 ;;\n");
	}
	buf_adds(b, "\t\t-*) ;;\n\t\t*) cmd=$i; break ;;\n\t\tesac\n\tdone\n\tcase $cmd in\n");
	for (const struct cli_cmd *cmd = prog->cmds; cmd->name; cmd++) {
		if (!cmd->alias)
			continue;
		buf_addc(b, '\t');
		for (const char *c = cmd->alias; *c; c++)
			buf_addc(b, *c == ' ' ? '|' : *c);
		buf_addf(b, ") cmd=%s ;;\n", cmd->name);
	}
	buf_adds(b, "\tesac\n");
}

/* What follows an option that takes an argument. */
static void add_arguments(struct buf *b, const struct cli_prog *prog, const struct cli_cmd *cmd,
			  const char *name)
{
	const struct cli_opt *opts[CLI_OPTS_MAX];
	size_t count = cli_collect_opts(prog, cmd, opts);
	cleanup_buf struct buf before = BUF_INIT;

	buf_addf(&before, "%s ", name);
	for (size_t i = 0; i < count; i++) {
		if (!opts[i]->arg)
			continue;
		add_pattern(b, buf_str(&before), opts[i]);
		add_action(b, prog, opts[i]->complete, opts[i]->words);
		buf_adds(b, " return ;;\n");
	}
}

static void add_offer(struct buf *b, const char *dashes, const char *name, size_t len,
		      const char *help)
{
	cleanup_buf struct buf text = BUF_INIT;

	buf_addf(&text, "%s%.*s:%s", dashes, (int)len, name, help);
	buf_addc(b, ' ');
	add_quoted(b, buf_str(&text));
}

static void add_option_words(struct buf *b, const struct cli_prog *prog,
			     const struct cli_cmd *cmd, const char *name)
{
	const struct cli_opt *opts[CLI_OPTS_MAX];
	size_t count = cli_collect_opts(prog, cmd, opts);

	buf_addf(b, "\t'%s -'*) ", name);
	add_function(b, prog);
	buf_adds(b, "_offer");
	for (size_t i = 0; i < count; i++) {
		if (opts[i]->letter)
			add_offer(b, "-", &opts[i]->letter, 1, opts[i]->help);
		if (opts[i]->name)
			add_offer(b, "--", opts[i]->name, strlen(opts[i]->name), opts[i]->help);
	}
	add_offer(b, "--", "help", 4, "show help");
	if (!cmd || cmd == prog->main_cmd)
		add_offer(b, "--", "version", 7, "show the version");
	buf_adds(b, " ;;\n");
}

static void add_commands(struct buf *b, const struct cli_prog *prog)
{
	buf_adds(b, "\t' '*|'help '*) ");
	add_function(b, prog);
	buf_adds(b, "_offer");
	for (const struct cli_cmd *cmd = prog->cmds; cmd->name; cmd++)
		add_offer(b, "", cmd->name, strlen(cmd->name), cmd->summary);
	add_offer(b, "", "help", 4, "show the help of a command");
	buf_adds(b, " ;;\n");
}

static void add_operands(struct buf *b, const struct cli_prog *prog, const struct cli_cmd *cmd,
			 const char *name)
{
	buf_addf(b, "\t'%s '*)", name);
	add_action(b, prog, cmd->complete, cmd->words);
	buf_adds(b, " ;;\n");
}

static void add_body(struct buf *b, const struct cli_prog *prog)
{
	if (prog->cmds)
		add_walk(b, prog);

	buf_adds(b, "\tcase \"$cmd $prev\" in\n");
	add_arguments(b, prog, prog->main_cmd, "");
	for (const struct cli_cmd *cmd = prog->cmds; cmd && cmd->name; cmd++)
		add_arguments(b, prog, cmd, cmd->name);

	buf_adds(b, "\tesac\n\tcase \"$cmd $cur\" in\n");
	add_option_words(b, prog, prog->main_cmd, "");
	for (const struct cli_cmd *cmd = prog->cmds; cmd && cmd->name; cmd++)
		add_option_words(b, prog, cmd, cmd->name);
	if (prog->cmds)
		add_commands(b, prog);
	else
		add_operands(b, prog, prog->main_cmd, "");
	for (const struct cli_cmd *cmd = prog->cmds; cmd && cmd->name; cmd++)
		add_operands(b, prog, cmd, cmd->name);
	buf_adds(b, "\tesac\n");
}

int cli_completion(struct buf *b, const struct cli_prog *prog, const char *shell, struct err *e)
{
	bool bash = strcmp(shell, "bash") == 0;

	if (!bash && strcmp(shell, "zsh") != 0)
		return err_set(e, -EINVAL, "no completion for '%s': bash or zsh", shell);
	add_template(b, prog, bash ? bash_head : zsh_head);
	add_body(b, prog);
	add_template(b, prog, bash ? bash_tail : zsh_tail);
	return 0;
}
