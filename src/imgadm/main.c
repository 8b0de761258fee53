/* SPDX-License-Identifier: MIT */
/*
 * imgadm - manage the images of this host.
 */
#include "imgadm/imgadm.h"

#include "librecord/record.h"
#include "libsource/source_ops.h"

#include <stdio.h>
#include <string.h>

static const struct cli_opt global_opts[] = {
	{ .letter = 'E', .help = "end a failure with one line of JSON on standard error" },
	{ .letter = 'v',
	  .name = "verbose",
	  .help = "say each request and step on standard error" },
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

#define FIELDS                                                                      \
	{ .letter = 'H', .help = "no header" },                                     \
		{ .letter = 'j', .name = "json", .help = "all there is, as JSON" }, \
	{                                                                           \
		.letter = 'o', .arg = "FIELD,...", .help = "fields to show"         \
	}

#define SORT                                                         \
	{                                                            \
		.letter = 's', .arg = "FIELD,...",                   \
		.help = "fields to sort by, '-' before one reverses" \
	}

static const struct cli_opt ancestry_opts[] = {
	FIELDS,
	POOL,
	CLI_END,
};

static const struct cli_opt avail_opts[] = {
	FIELDS,
	SORT,
	CLI_END,
};

static const struct cli_opt check_opts[] = {
	{ .letter = 'j', .name = "json", .help = "print the result as JSON" },
	{ .letter = 'r', .name = "repair", .help = "remove what can be removed" },
	CLI_END,
};

static const struct cli_opt create_opts[] = {
	{ .letter = 'c',
	  .name = "compression",
	  .arg = "NAME",
	  .help = "compress the file (none)",
	  .complete = CLI_WORDS,
	  .words = "none gzip bzip2 xz zstd" },
	{ .letter = 'i',
	  .name = "incremental",
	  .help = "only what differs from the image that the VM was made from" },
	{ .letter = 'j', .name = "json", .help = "print the manifest, and nothing else" },
	{ .letter = 'm',
	  .arg = "MANIFEST",
	  .help = "the manifest to begin with, - is standard input",
	  .complete = CLI_FILE },
	{ .name = "max-origin-depth",
	  .arg = "N",
	  .help = "refuse -i when more than N images would depend on each other" },
	{ .letter = 'o',
	  .name = "output-template",
	  .arg = "PATH",
	  .help = "a folder, or how the paths of both files begin (NAME-VERSION)",
	  .complete = CLI_FILE },
	{ .letter = 'p',
	  .name = "publish",
	  .arg = "URL",
	  .help = "keep no files: hand it to this server, as 'publish' does" },
	{ .letter = 'q', .help = "no progress bar, no notes" },
	{ .letter = 's',
	  .arg = "SCRIPT",
	  .help = "run the script in a copy of the VM, and take that",
	  .complete = CLI_FILE },
	{ .name = "timeout",
	  .arg = "SECONDS",
	  .help = "how long each stage of the script may take (300)" },
	CLI_END,
};

static const struct cli_opt import_opts[] = {
	{ .name = "arch",
	  .arg = "NAME",
	  .help = "of registries' images, the one for this processor (amd64, arm/v7)" },
	{ .letter = 'C', .arg = "CHANNEL", .help = "ask for this channel" },
	{ .letter = 'j', .name = "json", .help = "print the result as JSON" },
	{ .name = "max-size", .arg = "SIZE", .help = "refuse what unpacks to more (64G)" },
	POOL,
	{ .letter = 'q', .help = "no progress bar, no notes" },
	{ .letter = 'S',
	  .arg = "URL",
	  .help = "ask this IMGAPI server instead of the configured sources",
	  .many = true },
	CLI_END,
};

static const struct cli_opt sources_opts[] = {
	{ .letter = 'a', .arg = "URL", .help = "add a source" },
	{ .name = "add-docker-hub", .help = "add https://docker.io, a container registry" },
	{ .letter = 'c', .name = "check", .help = "ask all sources whether they are there" },
	{ .name = "ca-file",
	  .arg = "FILE",
	  .help = "trust the authorities in FILE alone",
	  .complete = CLI_FILE },
	{ .letter = 'd', .arg = "URL", .help = "delete a source" },
	{ .letter = 'e', .help = "edit the list of sources" },
	{ .letter = 'f', .name = "force", .help = "add it even when it does not answer" },
	{ .letter = 'j', .name = "json", .help = "print the sources as JSON" },
	{ .letter = 'k', .name = "insecure", .help = "do not check its certificate" },
	{ .name = "login", .arg = "NAME", .help = "ask as NAME, signed with --login-key" },
	{ .name = "login-key",
	  .arg = "FILE",
	  .help = "the private key of --login",
	  .complete = CLI_FILE },
	{ .name = "public-key",
	  .arg = "FILE",
	  .help = "the key that its manifests are signed with",
	  .complete = CLI_FILE },
	{ .letter = 't',
	  .arg = "TYPE",
	  .help = "what it speaks",
	  .complete = CLI_WORDS,
	  .words = "imgapi docker oci simplestreams" },
	{ .letter = 'v',
	  .name = "verbose",
	  .help = "a table with all about them",
	  .apart = true },
	CLI_END,
};

static const struct cli_opt update_opts[] = {
	{ .letter = 'j', .name = "json", .help = "print the result as JSON" },
	{ .letter = 'n', .name = "dry-run", .help = "say what would change" },
	CLI_END,
};

static const struct cli_opt vacuum_opts[] = {
	{ .letter = 'f', .name = "force", .help = "ask no question" },
	{ .letter = 'j', .name = "json", .help = "print the result as JSON" },
	{ .name = "keep", .arg = "N", .help = "leave the newest N of each name" },
	{ .letter = 'n', .name = "dry-run", .help = "say what would be deleted" },
	{ .name = "older-than",
	  .arg = "DAYS",
	  .help = "leave what was installed in the last DAYS days" },
	{ .letter = 'v',
	  .name = "verbose",
	  .help = "say why the others are kept",
	  .apart = true },
	CLI_END,
};

static const struct cli_opt validate_opts[] = {
	{ .letter = 'j', .name = "json", .help = "print what is wrong as JSON" },
	{ .name = "mode",
	  .arg = "MODE",
	  .help = "whose rules: minimal (a host's), dc, public, private (a server's)",
	  .complete = CLI_WORDS,
	  .words = "minimal dc public private" },
	{ .letter = 'u', .help = "bring it up to version 2 first, and print it" },
	CLI_END,
};

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
	  .help = "the image's manifest (one is made)",
	  .complete = CLI_FILE },
	{ .name = "max-size", .arg = "SIZE", .help = "refuse what unpacks to more (64G)" },
	POOL,
	{ .letter = 'q', .help = "no progress bar, no notes" },
	{ .letter = 'u', .arg = "UUID", .help = "the UUID of the manifest that is made" },
	CLI_END,
};

static const struct cli_opt publish_opts[] = {
	{ .letter = 'f', .arg = "FILE", .help = "the image file", .complete = CLI_FILE },
	{ .letter = 'm',
	  .arg = "MANIFEST",
	  .help = "the image's manifest",
	  .complete = CLI_FILE },
	{ .letter = 'q', .help = "no progress bar, no notes" },
	CLI_END,
};

static const struct cli_opt list_opts[] = {
	{ .name = "docker", .help = "images of container registries, a row for each tag" },
	FIELDS,
	SORT,
	CLI_END,
};

static const struct cli_cmd commands[] = {
	{ .name = "ancestry",
	  .args = "UUID",
	  .summary = "list an image and what it was made from",
	  .opts = ancestry_opts,
	  .min_operands = 1,
	  .max_operands = 1,
	  .complete = CLI_HELP,
	  .words = "images",
	  .run = cmd_ancestry },
	{ .name = "avail",
	  .alias = "available",
	  .args = "[FILTER...]",
	  .summary = "list the images that the sources have",
	  .opts = avail_opts,
	  .max_operands = -1,
	  .run = cmd_avail },
	{ .name = "check",
	  .args = "",
	  .summary = "look for what interrupted commands left",
	  .opts = check_opts,
	  .run = cmd_check },
	{ .name = "create",
	  .args = "VM [FIELD=VALUE...]",
	  .summary = "make an image from a VM",
	  .opts = create_opts,
	  .min_operands = 1,
	  .max_operands = -1,
	  .complete = CLI_HELP,
	  .words = "vms",
	  .run = cmd_create },
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
	{ .name = "import",
	  .args = "UUID|NAME|oci:DIR[:TAG]...",
	  .summary = "install images from the sources",
	  .opts = import_opts,
	  .min_operands = 1,
	  .max_operands = -1,
	  .complete = CLI_HELP,
	  .words = "avail",
	  .run = cmd_import },
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
	{ .name = "publish",
	  .args = "URL",
	  .summary = "hand an image to an IMGAPI server or a container registry",
	  .opts = publish_opts,
	  .min_operands = 1,
	  .max_operands = 1,
	  .run = cmd_publish },
	{ .name = "show",
	  .args = "UUID|NAME",
	  .summary = "show the manifest that a source has",
	  .min_operands = 1,
	  .max_operands = 1,
	  .complete = CLI_HELP,
	  .words = "avail",
	  .run = cmd_show },
	{ .name = "sources",
	  .args = "",
	  .summary = "list, add, delete and check sources",
	  .opts = sources_opts,
	  .run = cmd_sources },
	{ .name = "update",
	  .args = "[UUID...]",
	  .summary = "refresh the manifests of installed images",
	  .opts = update_opts,
	  .max_operands = -1,
	  .complete = CLI_HELP,
	  .words = "images",
	  .run = cmd_update },
	{ .name = "vacuum",
	  .args = "",
	  .summary = "delete the images that nothing needs",
	  .opts = vacuum_opts,
	  .run = cmd_vacuum },
	{ .name = "validate",
	  .args = "MANIFEST",
	  .summary = "check a manifest",
	  .opts = validate_opts,
	  .min_operands = 1,
	  .max_operands = 1,
	  .complete = CLI_FILE,
	  .run = cmd_validate },
	{ .name = NULL },
};

static void complete_avail(const struct sources *s)
{
	const struct source *list[SOURCES_MAX] = { NULL };
	struct source_answer answers[SOURCES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->items[i].ops->lists)
			list[count++] = &s->items[i];
	source_ask(s, list, count, SOURCE_LIST, NULL, answers);
	for (size_t i = 0; i < count; i++) {
		for (size_t n = 0; n < jv_len(answers[i].value); n++)
			(void)puts(jv_get_string(jv_at(answers[i].value, n), "uuid"));
		source_answer_done(&answers[i]);
	}
}

static int complete_vms(const struct host *h, struct err *e)
{
	cleanup_free record_uuid *uuids = NULL;
	size_t count = 0;
	int r = record_list(h, &uuids, &count, e);

	for (size_t i = 0; r == 0 && i < count; i++)
		(void)puts(uuids[i]);
	return r;
}

static int complete(const char *kind, struct err *e)
{
	cleanup_image_list struct image_list list = { 0 };
	cleanup_sources struct sources s = { 0 };
	struct host h;
	int r = host_open(&h, NULL, e);

	if (r < 0)
		return r;
	if (strcmp(kind, "avail") == 0) {
		r = sources_load(&h, &s, e);
		s.http.tries = 1;
		s.http.connect_s = 3; /* somebody waits at a prompt */
		if (r == 0)
			complete_avail(&s);
	} else if (strcmp(kind, "vms") == 0) {
		r = complete_vms(&h, e);
	} else {
		r = image_list_load(&h, false, &list, e);
	}
	host_close(&h);
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
	.misused = imgadm_misused,
	.error_name = imgadm_error_name,
	.help_first = true,
	.usage_status = EXIT_FAILURE, /* the contract of this one: 2 says "not root" */
};

int main(int argc, char **argv)
{
	return cli_main(&program, argc, argv);
}
