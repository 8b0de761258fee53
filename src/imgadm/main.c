/* SPDX-License-Identifier: MIT */
/*
 * imgadm - manage the images of this host.
 */
#include "imgadm/imgadm.h"

#include <stdio.h>

static const struct cli_opt global_opts[] = {
	{ .letter = 'E', .help = "end a failure with one line of JSON on standard error" },
	CLI_END,
};

static const struct cli_opt common_opts[] = {
	{ .letter = 'R',
	  .name = "root",
	  .arg = "DIR",
	  .help = "work on the host below DIR",
	  .complete = CLI_DIR },
	CLI_END,
};

#define POOL                                                                             \
	{                                                                                \
		.letter = 'P', .arg = "POOL", .help = "the pool", .complete = CLI_WORDS, \
		.words = IMGADM_POOL                                                     \
	}

static const struct cli_opt delete_opts[] = {
	{ .letter = 'j', .name = "json", .help = "print the result as JSON" },
	POOL,
	CLI_END,
};

static const struct cli_opt get_opts[] = {
	POOL,
	{ .letter = 'r', .help = "also what depends on the image" },
	CLI_END,
};

static const struct cli_opt install_opts[] = {
	{ .letter = 'f', .arg = "FILE", .help = "the image file", .complete = CLI_FILE },
	{ .letter = 'j', .name = "json", .help = "print the result as JSON" },
	{ .letter = 'm',
	  .arg = "MANIFEST",
	  .help = "the image's manifest",
	  .complete = CLI_FILE },
	{ .name = "max-size", .arg = "SIZE", .help = "refuse what unpacks to more (64G)" },
	POOL,
	{ .letter = 'q', .help = "no progress bar, no notes" },
	CLI_END,
};

static const struct cli_opt list_opts[] = {
	{ .letter = 'H', .help = "no header" },
	{ .letter = 'j', .name = "json", .help = "all there is, as JSON" },
	{ .letter = 'o', .arg = "FIELD,...", .help = "fields to show" },
	{ .letter = 's',
	  .arg = "FIELD,...",
	  .help = "fields to sort by, '-' before one reverses" },
	CLI_END,
};

static const struct cli_cmd commands[] = {
	{ .name = "delete",
	  .alias = "destroy",
	  .args = "UUID",
	  .summary = "delete an image",
	  .opts = delete_opts,
	  .min_operands = 1,
	  .max_operands = 1,
	  .complete = CLI_HELP,
	  .words = "images",
	  .run = cmd_delete },
	{ .name = "get",
	  .alias = "info",
	  .args = "UUID",
	  .summary = "show an installed image",
	  .opts = get_opts,
	  .min_operands = 1,
	  .max_operands = 1,
	  .complete = CLI_HELP,
	  .words = "images",
	  .run = cmd_get },
	{ .name = "install",
	  .args = "",
	  .summary = "install an image from files",
	  .opts = install_opts,
	  .run = cmd_install },
	{ .name = "list",
	  .args = "[FILTER...]",
	  .summary = "list the installed images",
	  .opts = list_opts,
	  .max_operands = -1,
	  .run = cmd_list },
	{ .name = "show",
	  .args = "UUID",
	  .summary = "show an image's manifest",
	  .min_operands = 1,
	  .max_operands = 1,
	  .complete = CLI_HELP,
	  .words = "images",
	  .run = cmd_show },
	{ .name = NULL },
};

static int complete(const char *kind ATTR_UNUSED, struct err *e)
{
	cleanup_image_list struct image_list list = { 0 };
	struct host h;
	int r = host_open(&h, NULL, e);

	if (r == 0) {
		r = image_list_load(&h, false, &list, e);
		host_close(&h);
	}
	for (size_t i = 0; r == 0 && i < list.count; i++)
		(void)puts(list.items[i].uuid);
	return r;
}

static const struct cli_prog program = {
	.name = "imgadm",
	.summary = "manage images",
	.opts = global_opts,
	.common = common_opts,
	.cmds = commands,
	.complete = complete,
	.usage_status = EXIT_FAILURE, /* the contract of this one: 2 says "not root" */
};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
