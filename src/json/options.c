/* SPDX-License-Identifier: MIT */
#include "json/options.h"
#include "json/json.h"

#include "base/alloc.h"
#include "base/cli.h"

#include <string.h>

#define FLAG(c, long_name, text)                                   \
	{                                                          \
		.letter = (c), .name = (long_name), .help = (text) \
	}
#define MODES "jsony json json-0 json-2 json-4 inspect compact"

static const struct cli_opt table[] = {
	FLAG('H', NULL, "drop HTTP headers before the JSON"),
	FLAG('g', "group", "documents in a row are the items of one array"),
	FLAG('\0', "merge", "objects in a row become one, the last member counts"),
	FLAG('\0', "deep-merge", "the same, in depth"),
	FLAG('a', "array", "print each item of an array for itself, lookups in columns"),
	FLAG('A', NULL, "-e and -c are about an array, not about its items"),
	FLAG('k', "keys", "the names of an object's members"),
	FLAG('M', "items", "an object as an array of its keys and values"),
	{ .letter = 'e', .arg = "CODE", .help = "run JavaScript on it", .many = true },
	{ .letter = 'c',
	  .arg = "CODE",
	  .help = "leave out where the JavaScript is false",
	  .many = true },
	{ .letter = 'f', .arg = "FILE", .help = "read FILE", .complete = CLI_FILE },
	FLAG('I', "in-place", "write the result to the file of -f"),
	FLAG('q', "quiet", "no message when the input is not JSON"),
	FLAG('n', "validate", "say only whether the input is JSON"),
	FLAG('j', NULL, "print JSON"),
	FLAG('i', NULL, "print as a JavaScript console does"),
	{ .letter = 'o',
	  .name = "output",
	  .arg = "MODE",
	  .help = MODES,
	  .complete = CLI_WORDS,
	  .words = MODES },
	FLAG('0', NULL, "print JSON on one line"),
	FLAG('2', NULL, "print JSON, indented by two blanks"),
	FLAG('4', NULL, "print JSON, indented by four blanks"),
	{ .letter = 'd', .arg = "DELIM", .help = "what is between the columns of -a" },
	{ .letter = 'D', .arg = "DELIM", .help = "what is between the names of a lookup" },
	FLAG('u', NULL, "accepted, has no effect"),
	CLI_END,
};

static int never_run(struct cli_call *call ATTR_UNUSED, struct err *e)
{
	return err_set(e, -EINVAL, "no such request");
}

static const struct cli_cmd command = {
	.args = "[LOOKUP...]",
	.summary = "cut JSON from standard input, or from a file",
	.opts = table,
	.max_operands = -1,
	.run = never_run,
};

static const struct cli_prog program = {
	.name = "json",
	.summary = "cut JSON",
	.main_cmd = &command,
	.usage_status = 1,
};

bool options_for_frame(int argc, char **argv)
{
	static const char *const words[] = { "-h", "--help", "--completion", "--list-options",
					     "--complete" };

	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(words); i++)
		if (strcmp(argv[1], words[i]) == 0)
			return true;
	return false;
}

int options_frame(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}

void options_done(struct options *o)
{
	free(o->run);
	free(o->filter);
	free(o->lookups);
	free(o->delimiter_text);
}

static void append(const char **list, const char *value)
{
	while (*list)
		list++;
	*list = value;
}

/* DIGITS, of which there may be none; ten blanks are the most. */
static int indent_of(const char *digits)
{
	return !*digits ? 0 : digits[1] ? 10 : *digits - '0';
}

static int set_output(struct options *o, const char *mode, struct err *e)
{
	static const struct {
		const char *name;
		enum output_mode mode;
	} known[] = { { "jsony", OUTPUT_JSONY },
		      { "json", OUTPUT_JSON },
		      { "inspect", OUTPUT_INSPECT },
		      { "compact", OUTPUT_COMPACT } };
	const char *indent = strchr(mode, '-');
	size_t len = indent ? (size_t)(indent - mode) : strlen(mode);

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i].name) != len || memcmp(known[i].name, mode, len) != 0)
			continue;
		if (indent && (known[i].mode > OUTPUT_JSON ||
			       strspn(indent + 1, "0123456789") != strlen(indent + 1)))
			break;
		o->output = known[i].mode;
		if (indent)
			o->indent = indent_of(indent + 1);
		return 0;
	}
	return err_set(e, -EINVAL, "unknown output mode: '%s'", mode);
}

/* "\t" and the like, as a shell without $'' leaves them. */
static void set_delimiter(struct options *o, const char *text)
{
	static const char from[] = "tnr\\";
	static const char to[] = "\t\n\r\\";
	char *out;

	free(o->delimiter_text);
	o->delimiter_text = out = xmalloc(strlen(text) + 1);
	for (; *text; text++) {
		const char *known = *text == '\\' && text[1] ? strchr(from, text[1]) : NULL;

		*out++ = known ? to[known - from] : *text;
		text += known != NULL;
	}
	*out = '\0';
	o->delimiter = o->delimiter_text;
}

static int set_flag(struct options *o, char c)
{
	const struct {
		char letter;
		bool *flag;
	} flags[] = { { 'a', &o->array },    { 'A', &o->whole },        { 'k', &o->keys },
		      { 'g', &o->group },    { 'q', &o->quiet },        { 'n', &o->validate },
		      { 'I', &o->in_place }, { 'H', &o->drop_headers }, { 'M', &o->items } };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (flags[i].letter == c) {
			*flags[i].flag = true;
			if (c == 'a' || c == 'A') /* the last one counts */
				*(c == 'a' ? &o->whole : &o->array) = false;
			return 0;
		}
	if (c == 'i') {
		o->output = OUTPUT_INSPECT;
	} else if (c == 'j' || c == '0' || c == '2' || c == '4') {
		o->output = OUTPUT_JSON;
		o->indent = c == 'j' ? o->indent : c - '0';
	} else {
		return c == 'u' ? 0 : -ENOENT;
	}
	return 0;
}

static int set_value(struct options *o, char c, const char *value, struct err *e)
{
	uint32_t code;

	switch (c) {
	case 'e':
		append(o->run, value);
		return 0;
	case 'c':
		append(o->filter, value);
		return 0;
	case 'f':
		o->file = value;
		return 0;
	case 'd':
		set_delimiter(o, value);
		return 0;
	case 'D':
		if (utf8_char(value, value + strlen(value), &code) != strlen(value) || !*value)
			return err_set(e, -EINVAL,
				       "invalid lookup delim '%s' (must be a single char)",
				       value);
		o->separator = value;
		return 0;
	default:
		return set_output(o, value, e);
	}
}

static int no_value(char c, struct err *e)
{
	if (c == 'o')
		return err_set(e, -EINVAL, "no argument given for '-o|--output' option");
	return err_set(e, -EINVAL, "option '-%c' needs an argument", c);
}

/* Both: how many words were taken. */
static int parse_letters(struct options *o, char **argv, struct err *e)
{
	if (!argv[0][1])
		return err_set(e, -EINVAL, "unknown option '-'");
	for (const char *c = argv[0] + 1; *c; c++) {
		const char *value = c[1] ? c + 1 : argv[1];
		int r;

		if (!strchr("ecfdDo", *c)) {
			if (set_flag(o, *c) < 0)
				return err_set(e, -EINVAL, "unknown option '-%c'", *c);
			continue;
		}
		if (!value)
			return no_value(*c, e);
		r = set_value(o, *c, value, e);
		return r < 0 ? r : c[1] ? 1 : 2;
	}
	return 1;
}

static int parse_long(struct options *o, char **argv, struct err *e)
{
	static const struct {
		const char *name;
		char letter;
	} flags[] = { { "--group", 'g' }, { "--array", 'a' },    { "--keys", 'k' },
		      { "--quiet", 'q' }, { "--validate", 'n' }, { "--in-place", 'I' },
		      { "--items", 'M' } };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strcmp(argv[0], flags[i].name) == 0) {
			(void)set_flag(o, flags[i].letter);
			return 1;
		}
	if (strcmp(argv[0], "--merge") == 0 || strcmp(argv[0], "--deep-merge") == 0) {
		o->merge = argv[0][2] == 'm' ? MERGE_SHALLOW : MERGE_DEEP;
		return 1;
	}
	if (strcmp(argv[0], "--output") != 0)
		return err_set(e, -EINVAL, "unknown option '%s'", argv[0]);
	if (!argv[1])
		return no_value('o', e);
	r = set_output(o, argv[1], e);
	return r < 0 ? r : 2;
}

static int check(const struct options *o, struct err *e)
{
	if (o->group && o->merge != MERGE_NONE)
		return err_set(e, -EINVAL,
			       "cannot use -g|--group and --merge options together");
	if (o->keys && o->lookups[0])
		return err_set(e, -EINVAL,
			       "cannot use -k|--keys option and lookup arguments together");
	if (o->in_place && !o->file)
		return err_set(e, -EINVAL, "-I|--in-place needs a file to change: -f FILE");
	return 0;
}

int options_parse(struct options *o, int argc, char **argv, struct err *e)
{
	bool ended = false;
	size_t room = (size_t)argc + 1;

	*o = (struct options){ .indent = 2, .delimiter = " ", .separator = "." };
	o->run = xcalloc(room, sizeof(*o->run));
	o->filter = xcalloc(room, sizeof(*o->filter));
	o->lookups = xcalloc(room, sizeof(*o->lookups));
	for (int i = 1, r = 1; i < argc; i += r) {
		r = 1;
		if (ended || argv[i][0] != '-')
			append(o->lookups, argv[i]);
		else if (strcmp(argv[i], "--") == 0)
			ended = true;
		else if (argv[i][1] == '-')
			r = parse_long(o, argv + i, e);
		else
			r = parse_letters(o, argv + i, e);
		if (r < 0)
			return r;
	}
	return check(o, e);
}
