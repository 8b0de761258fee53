/* SPDX-License-Identifier: MIT */
/*
 * nictagadm - manage the NIC tags of this host.
 */
#include "nictagadm/nictagadm.h"

#include <stdio.h>
#include <string.h>

#define ROOT                                                              \
	{                                                                 \
		.letter = 'R', .name = "root", .arg = "DIR",              \
		.help = "work on the host below DIR", .complete = CLI_DIR \
	}

static const struct cli_opt common_opts[] = { ROOT, CLI_END };

static const struct cli_opt global_opts[] = {
	ROOT,
	{ .letter = 'v', .help = "say which file is used" },
	CLI_END,
};

#define FLAG(c, text)                         \
	{                                     \
		.letter = (c), .help = (text) \
	}
#define RECORD_ONLY FLAG('n', "change the record only, leave the links as they are")
#define PROPS                                                           \
	{                                                               \
		.letter = 'p', .arg = "PROP=VALUE,...",                 \
		.help = "address, bridge, link, mac, mtu", .many = true \
	}

static const struct cli_opt add_opts[] = {
	FLAG('l', "a switch inside this host, without an interface"),
	RECORD_ONLY,
	PROPS,
	CLI_END,
};

static const struct cli_opt update_opts[] = {
	FLAG('l', "refused: such a switch has neither MAC nor MTU"),
	RECORD_ONLY,
	PROPS,
	CLI_END,
};

static const struct cli_opt delete_opts[] = {
	FLAG('f', "also when a VM uses it"),
	RECORD_ONLY,
	CLI_END,
};

static const struct cli_opt exists_opts[] = {
	FLAG('l', "print only the names that are missing"),
	CLI_END,
};

static const struct cli_opt list_opts[] = {
	{ .letter = 'd',
	  .arg = "DELIM",
	  .help = "what stands between the fields of -p (default ':')" },
	FLAG('L', "no switches inside this host"),
	FLAG('l', "only switches inside this host"),
	FLAG('p', "one line a tag, for programs"),
	CLI_END,
};

#define TAG_NAMES .complete = CLI_HELP, .words = "tags"

/* The original says so before every error. */
#define WITH_PREFIX(cmd)                                           \
	static int run_##cmd(struct cli_call *call, struct err *e) \
	{                                                          \
		int r = cmd_##cmd(call, e);                        \
		return r < 0 ? err_wrap(e, r, "Error") : r;        \
	}

WITH_PREFIX(add)
WITH_PREFIX(delete)
WITH_PREFIX(exists)
WITH_PREFIX(list)
WITH_PREFIX(up)
WITH_PREFIX(update)
WITH_PREFIX(vms)

static const struct cli_cmd commands[] = {
	/* clang-format off */
	{ .name = "add", .args = "NAME [MAC|LINK]", .summary = "make a tag",
	  .opts = add_opts, .min_operands = 1, .max_operands = 2, .run = run_add },
	{ .name = "delete", .args = "NAME", .summary = "delete a tag",
	  .opts = delete_opts, .min_operands = 1, .max_operands = 1, TAG_NAMES, .run = run_delete },
	{ .name = "exists", .args = "NAME...", .summary = "are there tags of these names?",
	  .opts = exists_opts, .max_operands = -1, TAG_NAMES, .run = run_exists },
	{ .name = "list", .args = "", .summary = "list the tags",
	  .opts = list_opts, .run = run_list },
	{ .name = "up", .args = "[NAME...]", .summary = "bring up the bridges of these tags, or of all",
	  .max_operands = -1, TAG_NAMES, .run = run_up },
	{ .name = "update", .args = "NAME [MAC|LINK]", .summary = "change a tag",
	  .opts = update_opts, .min_operands = 1, .max_operands = 2, TAG_NAMES, .run = run_update },
	{ .name = "vms", .args = "NAME", .summary = "print the VMs that use a tag",
	  .min_operands = 1, .max_operands = 1, TAG_NAMES, .run = run_vms },
	{ .name = NULL },
	/* clang-format on */
};

/* Names of tags, one a line, for completion. */
static int complete(const char *kind, struct err *e)
{
	cleanup_tags struct tags t = TAGS_INIT;
	int r;

	if (strcmp(kind, "tags") != 0)
		return err_set(e, -EINVAL, "'%s' is nothing to complete", kind);
	r = tags_open(&t, NULL, false, e);
	for (size_t i = 0; r == 0 && i < t.count; i++)
		printf("%s\n", t.tags[i].name);
	return r;
}

static const struct cli_prog prog = {
	.name = "nictagadm",
	.summary = "manage the NIC tags of this host",
	.opts = global_opts,
	.common = common_opts,
	.cmds = commands,
	.complete = complete,
	.bare_errors = true,
};

static bool is_command(const char *name)
{
	for (const struct cli_cmd *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return true;
	return strcmp(name, "help") == 0;
}

int main(int argc, char **argv)
{
	/* The original's text and status, which are not the frame's. */
	if (argc > 1 && argv[1][0] != '-' && !is_command(argv[1])) {
		fprintf(stderr, "Error: unknown command %s\n", argv[1]);
		return EXIT_FAILURE;
	}
	return cli_main(&prog, argc, argv);
}
