/* SPDX-License-Identifier: MIT */
/*
 * test_cli.c - the frame of the command lines, by a program that lends and
 * returns books. Each call runs in a process of its own with its output kept.
 */
#include "base/buf.h"
#include "base/cli.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/version.h"

#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

static const struct cli_opt prog_opts[] = {
	{ .letter = 'R',
	  .name = "root",
	  .arg = "DIR",
	  .help = "root folder",
	  .complete = CLI_DIR },
	CLI_END,
};

static const struct cli_opt common_opts[] = {
	{ .letter = 'd', .name = "debug", .help = "accepted" },
	CLI_END,
};

static const struct cli_opt lend_opts[] = {
	{ .letter = 'H', .help = "no header" },
	{ .letter = 'p', .name = "parsable", .help = "for scripts: don't align" },
	{ .letter = 'o',
	  .name = "order",
	  .arg = "COLUMN",
	  .help = "sort by this column",
	  .complete = CLI_WORDS,
	  .words = "title author" },
	{ .letter = 't',
	  .name = "to",
	  .arg = "READER",
	  .help = "who gets it",
	  .many = true,
	  .complete = CLI_HELP,
	  .words = "readers" },
	{ .letter = 'c',
	  .arg = "COLUMN,...",
	  .help = "show these",
	  .complete = CLI_LIST,
	  .words = "title author year" },
	{ .name = "file", .arg = "FILE", .help = "read more from it", .complete = CLI_FILE },
	CLI_END,
};

static int run_lend(struct cli_call *call, struct err *e ATTR_UNUSED)
{
	printf("%s H%d p%d d%d", cli_command(call), cli_has(call, "H"),
	       cli_has(call, "parsable"), cli_has(call, "debug"));
	printf(" root=%s order=%s", cli_get(call, "root"), cli_get(call, "order"));
	for (size_t i = 0; cli_get_nth(call, "to", i); i++)
		printf(" to=%s", cli_get_nth(call, "to", i));
	for (int i = 0; i < cli_operands(call); i++)
		printf(" [%s]", cli_operand(call, i));
	printf("%s\n", cli_operand(call, cli_operands(call)) ? "!" : "");
	return 0;
}

static int run_return(struct cli_call *call, struct err *e)
{
	if (strcmp(cli_operand(call, 0), "wrong") == 0)
		return cli_wrong_use(call, "no book is called '%s'", cli_operand(call, 0));
	if (strcmp(cli_operand(call, 0), "three") == 0)
		return 3;
	printf("before\n");
	return err_set(e, -EBUSY, "'%s' is still being read", cli_operand(call, 0));
}

static const struct cli_cmd commands[] = {
	{ .name = "lend",
	  .alias = "give l",
	  .args = "[BOOK...]",
	  .summary = "lend books",
	  .opts = lend_opts,
	  .max_operands = -1,
	  .complete = CLI_FILE,
	  .run = run_lend },
	{ .name = "return",
	  .args = "BOOK",
	  .summary = "take a book back",
	  .min_operands = 1,
	  .max_operands = 1,
	  .complete = CLI_HELP,
	  .words = "books",
	  .run = run_return },
	{ 0 },
};

static int complete(const char *kind, struct err *e ATTR_UNUSED)
{
	if (strcmp(kind, "readers") == 0)
		printf("anna\nanton\n$(touch hacked)\nberta\n");
	else if (strcmp(kind, "books") == 0)
		printf("atlas\nbible\n");
	return 0;
}

static const struct cli_prog library = {
	.name = "library",
	.summary = "lend books and take them back",
	.opts = prog_opts,
	.common = common_opts,
	.cmds = commands,
	.complete = complete,
};

static const struct cli_cmd only = {
	.args = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.opts = lend_opts,
	.run = run_lend,
	.complete = CLI_WORDS,
	.words = "red green",
};

static const struct cli_prog single = { .name = "one-tool",
					.summary = "do it",
					.main_cmd = &only };

static struct {
	char out[16384], err[16384];
	int status;
} result;

static void read_all(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	close(fd);
}

static void run_prog(const struct cli_prog *prog, const char *line)
{
	char words[512], *argv[32] = { NULL }, *save = NULL;
	int argc = 0, status;
	int out = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int err = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	pid_t pid;

	(void)snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(w, "''") == 0 ? w + 2 : w;
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		(void)dup2(out, STDOUT_FILENO);
		(void)dup2(err, STDERR_FILENO);
		_exit(cli_main(prog, argc, argv));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	result.status = WEXITSTATUS(status);
	read_all(out, result.out, sizeof(result.out));
	read_all(err, result.err, sizeof(result.err));
}

static void assert_answer(const char *line, const char *want)
{
	run_prog(&library, line);
	assert_string_equal(result.err, "");
	assert_string_equal(result.out, want);
	assert_int_equal(result.status, 0);
}

static void assert_wrong_use(const char *line, const char *want)
{
	run_prog(&library, line);
	assert_string_equal(result.out, "");
	assert_memory_equal(result.err, want, strlen(want));
	assert_memory_equal(result.err + strlen(want), "\nusage: library ", 16);
	assert_int_equal(result.status, 2);
}

static void options_stand_before_and_after_operands(void **state ATTR_UNUSED)
{
	assert_answer("x lend", "lend H0 p0 d0 root=(null) order=(null)\n");
	assert_answer("x lend a -H b --parsable",
		      "lend H1 p1 d0 root=(null) order=(null) [a] [b]\n");
	assert_answer("x -R /r lend -d a", "lend H0 p0 d1 root=/r order=(null) [a]\n");
	assert_answer("x --root=/r give", "give H0 p0 d0 root=/r order=(null)\n");
	assert_answer("x l", "l H0 p0 d0 root=(null) order=(null)\n");
}

static void letters_and_arguments_may_be_joined(void **state ATTR_UNUSED)
{
	assert_answer("x lend -Hpo title", "lend H1 p1 d0 root=(null) order=title\n");
	assert_answer("x lend -Hotitle x", "lend H1 p0 d0 root=(null) order=title [x]\n");
	assert_answer("x lend --order=a=b", "lend H0 p0 d0 root=(null) order=a=b\n");
	assert_answer("x lend --order=", "lend H0 p0 d0 root=(null) order=\n");
	assert_answer("x lend -t a --to b -tc",
		      "lend H0 p0 d0 root=(null) order=(null) to=a to=b to=c\n");
}

static void two_dashes_end_the_options(void **state ATTR_UNUSED)
{
	assert_answer("x lend -- -H -- --help",
		      "lend H0 p0 d0 root=(null) order=(null) [-H] [--] [--help]\n");
	assert_answer("x lend - ''", "lend H0 p0 d0 root=(null) order=(null) [-] []\n");
	assert_answer("x -- lend a", "lend H0 p0 d0 root=(null) order=(null) [a]\n");
}

static void wrong_use_is_said_with_the_usage(void **state ATTR_UNUSED)
{
	assert_wrong_use("x lend -x", "library lend: unknown option '-x'");
	assert_wrong_use("x lend -Hx", "library lend: unknown option '-x'");
	assert_wrong_use("x lend --no-such=1", "library lend: unknown option '--no-such'");
	assert_wrong_use("x lend --ord a", "library lend: unknown option '--ord'");
	assert_wrong_use("x lend -o", "library lend: option '-o' needs an argument: COLUMN");
	assert_wrong_use("x lend --order",
			 "library lend: option '--order' needs an argument: COLUMN");
	assert_wrong_use("x lend --parsable=1",
			 "library lend: option '--parsable' takes no argument");
	assert_wrong_use("x lend -o a --order b",
			 "library lend: option '--order' may be given only once");
	assert_wrong_use("x return", "library return: operand missing, expected: BOOK");
	assert_wrong_use("x return a b", "library return: unexpected operand 'b'");
	assert_wrong_use("x return wrong", "library return: no book is called 'wrong'");
	assert_wrong_use("x burn", "library: 'burn' is not a command");
	assert_wrong_use("x ''", "library: '' is not a command");
	assert_wrong_use("x help burn", "library: 'burn' is not a command");
	assert_wrong_use("x -z lend", "library: unknown option '-z'");
	assert_wrong_use("x --completion fish",
			 "library: no completion for 'fish': bash or zsh");
}

static void no_words_at_all_show_the_commands(void **state ATTR_UNUSED)
{
	run_prog(&library, "x");
	assert_int_equal(result.status, 2);
	assert_memory_equal(result.err, "usage: library [OPTION...] COMMAND", 34);
	assert_non_null(strstr(result.err, "\n  lend, give, l             lend books\n"));
}

static void a_failure_is_said_and_comes_after_the_output(void **state ATTR_UNUSED)
{
	run_prog(&library, "x return atlas");
	assert_int_equal(result.status, 1);
	assert_string_equal(result.out, "before\n");
	assert_string_equal(result.err, "library return: 'atlas' is still being read\n");
	run_prog(&library, "x return three");
	assert_int_equal(result.status, 3);
	assert_string_equal(result.err, "");
}

static void a_bare_program_says_it_as_its_contract_has_it(void **state ATTR_UNUSED)
{
	struct cli_prog bare = library;

	bare.bare_errors = true;
	run_prog(&bare, "x burn");
	assert_memory_equal(result.err, "Invalid command: \"burn\".\nusage: library ", 40);
	assert_int_equal(result.status, 2);
	run_prog(&bare, "x return atlas");
	assert_string_equal(result.err, "'atlas' is still being read\n");
	bare.usage_status = 1;
	run_prog(&bare, "x return");
	assert_int_equal(result.status, 1);
}

static void help_is_asked_for_in_many_ways(void **state ATTR_UNUSED)
{
	static const char *const program[] = { "x help", "x --help", "x -h", "x -?" };
	static const char *const lend[] = { "x help lend", "x lend --help", "x give -h",
					    "x lend a --help -x" };

	for (size_t i = 0; i < ARRAY_SIZE(program); i++) {
		run_prog(&library, program[i]);
		assert_int_equal(result.status, 0);
		assert_non_null(strstr(result.out, "\ncommands:\n"));
		assert_non_null(
			strstr(result.out, "\n  -R, --root DIR            root folder\n"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(lend); i++) {
		run_prog(&library, lend[i]);
		assert_int_equal(result.status, 0);
		assert_memory_equal(result.out, "usage: library lend [OPTION...] [BOOK...]\n",
				    42);
		assert_non_null(strstr(result.out, "\n  -o, --order COLUMN        sort by"));
		assert_non_null(strstr(result.out, "\n      --file FILE           read more"));
		assert_non_null(strstr(result.out, "\n  -d, --debug               accepted\n"));
	}
}

static void a_program_without_commands_has_options_and_operands(void **state ATTR_UNUSED)
{
	run_prog(&single, "x -H file");
	assert_string_equal(result.out, "(null) H1 p0 d0 root=(null) order=(null) [file]\n");
	run_prog(&single, "x -Z file");
	assert_string_equal(result.err, "one-tool: unknown option '-Z'\n"
					"usage: one-tool [OPTION...] FILE\n");
	run_prog(&single, "x --help");
	assert_memory_equal(result.out, "usage: one-tool [OPTION...] FILE\n\ndo it\n", 40);
}

static void the_version_is_told(void **state ATTR_UNUSED)
{
	assert_answer("x --version", "library " DAIS_VERSION "\n");
	assert_answer("x -R /tmp --version", "library " DAIS_VERSION "\n");
}

static void every_option_is_listed_for_the_check(void **state ATTR_UNUSED)
{
	assert_answer(
		"x --list-options",
		"option - -R --root =DIR\n"
		"command lend\nalias give lend\nalias l lend\n"
		"option lend -H\noption lend -p --parsable\n"
		"option lend -o --order =COLUMN\n"
		"option lend -t --to =READER\noption lend -c =COLUMN,...\noption lend --file =FILE\n"
		"option lend -d --debug\n"
		"command return\noption return -d --debug\n");
}

/* Output that nobody reads any more is no failure; a full disk is. */
static void the_end_of_the_output_is_watched(void **state ATTR_UNUSED)
{
	char *argv[] = { (char *)"x", (char *)"lend", NULL };
	int ends[2], status;

	for (int full = 0; full < 2; full++) {
		assert_int_equal(pipe(ends), 0);
		(void)fflush(NULL);
		if (fork() == 0) {
			int fd = full ? open("/dev/full", O_WRONLY) : ends[1];
			int null = open("/dev/null", O_WRONLY);

			(void)dup2(fd, STDOUT_FILENO);
			(void)dup2(null, STDERR_FILENO);
			close(ends[0]);
			_exit(cli_main(&library, 2, argv));
		}
		close(ends[0]);
		close(ends[1]);
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), full);
	}
}

static void children_are_heard_of_whoever_starts_us(void **state ATTR_UNUSED)
{
	char *argv[] = { (char *)"library", (char *)"--version", NULL };
	struct sigaction sa = { 0 };
	void (*before)(int) = signal(SIGCHLD, SIG_IGN);

	assert_int_equal(cli_main(&library, 2, argv), 0);
	assert_int_equal(sigaction(SIGCHLD, NULL, &sa), 0);
	assert_true(sa.sa_handler == SIG_DFL);
	(void)signal(SIGCHLD, before);
}

static void sizes_are_powers_of_1024(void **state ATTR_UNUSED)
{
	static const struct {
		const char *text;
		unsigned long long bytes;
		int r;
	} rows[] = {
		{ "4096", 4096, 0 },       { "0", 0, 0 },
		{ "10G", 10ULL << 30, 0 }, { "512m", 512ULL << 20, 0 },
		{ "1k", 1024, 0 },         { "16383P", 16383ULL << 50, 0 },
		{ "16384P", 0, -ERANGE },  { "18446744073709551616", 0, -ERANGE },
		{ "", 0, -EINVAL },        { "G", 0, -EINVAL },
		{ "-1", 0, -EINVAL },      { "1.5G", 0, -EINVAL },
		{ "10GB", 0, -EINVAL },    { " 1", 0, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned long long n = 0;

		assert_int_equal(cli_parse_size(rows[i].text, &n, NULL), rows[i].r);
		assert_int_equal(n, rows[i].bytes);
	}
}

/* ---- completion, by the shells themselves ---- */

/*
 * Writes the script and, as ./library, a program that gives the candidates: the
 * scripts ask the program by the name that the user typed.
 */
static void write_scripts(const struct unit_dir *d, const struct cli_prog *prog,
			  const char *shell)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "x --completion %s", shell);
	run_prog(prog, line);
	assert_int_equal(result.status, 0);
	unit_write(d, "script", result.out);
	unit_write(
		d, "library",
		"#!/bin/sh\ncase \"$1 $2\" in\n"
		"'--complete readers') printf 'anna\\nanton\\n$(touch hacked)\\nberta\\n' ;;\n"
		"'--complete books') printf 'atlas\\nbible\\n' ;;\nesac\n");
	assert_int_equal(fchmodat(d->fd, "library", 0700, 0), 0);
	unit_write(d, "some-file", "");
	assert_int_equal(mkdirat(d->fd, "some-dir", 0700), 0);
}

static void remove_scripts(const struct unit_dir *d)
{
	static const char *const names[] = { "script", "driver", "library", "some-file",
					     "some-dir" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(path_remove_tree(d->fd, names[i], NULL), 0);
}

static const char bash_driver[] = "cd \"$1\"; . ./script; function=$2; shift 2\n"
				  "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); $function\n"
				  "echo \"${COMPREPLY[@]}\"\n";

/* zsh's own machinery is replaced by functions that print what they are given. */
static const char zsh_driver[] =
	"emulate zsh; cd \"$1\"; compdef() { }\n"
	"compadd() { local w; [[ $1 == -- ]] && shift; for w in \"$@\"; do\n"
	"  [[ $w == \"$cur\"* ]] && found+=(\"$w\"); done }\n"
	"_describe() { local w; for w in \"${(@P)2}\"; do compadd -- \"${w%%:*}\"; done }\n"
	"_files() { local w; for w in *(N); do\n"
	"  [[ $1 != -/ || -d $w ]] && compadd -- $w; done }\n"
	"compset() { }\n"
	". ./script; function=$2; shift 2; found=()\n"
	"words=(\"$@\"); CURRENT=$#; $function\n"
	"print -r -- $found\n";

static void assert_completes(const struct unit_dir *d, const char *shell, const char *function,
			     const char *line, const char *want)
{
	cleanup_buf struct buf out = BUF_INIT;
	const char *argv[32] = { shell, "driver", d->path, function };
	char words[256], *save = NULL;
	size_t argc = 4;
	struct err e = { 0 };
	char driver[64];

	(void)snprintf(driver, sizeof(driver), "%s/driver", d->path);
	argv[1] = driver;
	(void)snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(w, "''") == 0 ? "" : w;
	if (proc_run(argv, &out, &e) < 0)
		fail_msg("%s: %s", line, e.msg);
	if (out.len > 0 && out.data[out.len - 1] == '\n')
		out.data[out.len - 1] = '\0';
	if (strcmp(buf_str(&out), want) != 0)
		fail_msg("%s, '%s': got '%s', want '%s'", shell, line, buf_str(&out), want);
}

static void walk_completions(const struct unit_dir *d, const char *shell)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{ "./library ''", "lend return help" },
		{ "./library re", "return" },
		{ "./library -", "-R --root --help --version" },
		{ "./library -R some", "some-dir" },
		{ "./library -R /r le", "lend" },
		{ "./library help l", "lend" },
		{ "./library lend --p", "--parsable" },
		{ "./library give --o", "--order" },
		{ "./library lend -o ''", "title author" },
		{ "./library l --order a", "author" },
		{ "./library l -c a", "author" },
		{ "./library lend -t an", "anna anton" },
		{ "./library lend -t $", "$(touch hacked)" },
		{ "./library lend some", "some-dir some-file" },
		{ "./library return ''", "atlas bible" },
		{ "./library return b", "bible" },
		{ "./library burn x", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_completes(d, shell, "_dais_library", rows[i].line, rows[i].want);
	assert_false(unit_exists(d, "hacked"));
}

static void bash_completes(void **state)
{
	struct unit_dir *d = *state;

	write_scripts(d, &library, "bash");
	unit_write(d, "driver", bash_driver);
	walk_completions(d, "bash");
	assert_completes(d, "bash", "_dais_library", "./library lend --order = t", "title");
	assert_completes(d, "bash", "_dais_library", "./library lend -c title,y", "title,year");
	assert_completes(d, "bash", "_dais_library",
			 "./library lend --order =", "title author");
	remove_scripts(d);

	write_scripts(d, &single, "bash");
	unit_write(d, "driver", bash_driver);
	assert_completes(d, "bash", "_dais_one_tool", "one-tool -H ''", "red green");
	assert_completes(d, "bash", "_dais_one_tool", "one-tool -o t", "title");
	remove_scripts(d);
}

static void zsh_completes(void **state)
{
	const char *const probe[] = { "zsh", "-c", "true", NULL };
	struct unit_dir *d = *state;

	if (proc_run(probe, NULL, NULL) == -ENOENT)
		skip();
	write_scripts(d, &library, "zsh");
	unit_write(d, "driver", zsh_driver);
	walk_completions(d, "zsh");
	assert_completes(d, "zsh", "_dais_library", "./library lend -c title,y", "year");
	remove_scripts(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(options_stand_before_and_after_operands),
		cmocka_unit_test(letters_and_arguments_may_be_joined),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(wrong_use_is_said_with_the_usage),
		cmocka_unit_test(no_words_at_all_show_the_commands),
		cmocka_unit_test(a_failure_is_said_and_comes_after_the_output),
		cmocka_unit_test(a_bare_program_says_it_as_its_contract_has_it),
		cmocka_unit_test(help_is_asked_for_in_many_ways),
		cmocka_unit_test(a_program_without_commands_has_options_and_operands),
		cmocka_unit_test(the_version_is_told),
		cmocka_unit_test(every_option_is_listed_for_the_check),
		cmocka_unit_test(the_end_of_the_output_is_watched),
		cmocka_unit_test(children_are_heard_of_whoever_starts_us),
		cmocka_unit_test(sizes_are_powers_of_1024),
		unit_test_in_dir(bash_completes),
		unit_test_in_dir(zsh_completes),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
