/* SPDX-License-Identifier: MIT */
/*
 * builder - merges manifests and makes archives from them; see builder(1).
 *
 * Each command reads everything, reports every fault that it finds, and only
 * then, when there is none, prints or writes its result.
 */
#include "builder/accounts.h"
#include "builder/archive.h"
#include "builder/inventory.h"
#include "builder/manifest.h"
#include "builder/search.h"

#include "base/cli.h"

#include <signal.h>
#include <string.h>

static struct report new_report(const struct cli_call *call)
{
	return (struct report){ .out = stderr, .lenient = cli_has(call, "lenient") };
}

/* 0 when there was no fault; else the sentence that ends the list of them. */
static int verdict(const struct report *r, struct err *e)
{
	if (r->errors == 0)
		return 0;
	return err_set(e, -EINVAL, "refused for %zu error%s%s", r->errors,
		       r->errors == 1 ? "" : "s",
		       r->errors > REPORT_ERRORS_SHOWN ? ", not all of them shown" : "");
}

static int read_and_merge(struct cli_call *call, struct manifest *m, struct err *e)
{
	struct report r = new_report(call);

	for (int i = 0; i < cli_operands(call); i++)
		manifest_read(m, cli_operand(call, i), &r);
	manifest_merge(m, false, &r);
	return verdict(&r, e);
}

static int run_check(struct cli_call *call, struct err *e)
{
	cleanup_manifest struct manifest m = { 0 };

	return read_and_merge(call, &m, e);
}

static int run_merge(struct cli_call *call, struct err *e)
{
	cleanup_manifest struct manifest m = { 0 };
	int r = read_and_merge(call, &m, e);

	if (r == 0)
		manifest_print(&m, stdout);
	return r;
}

/* The manifests of -m and the folders of -s, which three commands share. */
static int load(struct cli_call *call, bool whole, struct manifest *m, struct search *s,
		struct report *r, struct err *e)
{
	const char *arg;

	if (!cli_has(call, "manifest") || !cli_has(call, "search"))
		return cli_wrong_use(call, "-m MANIFEST and -s DIR are needed");
	for (size_t i = 0; (arg = cli_get_nth(call, "search", i)); i++) {
		int res = search_add(s, arg, e);

		if (res < 0)
			return res;
	}
	for (size_t i = 0; (arg = cli_get_nth(call, "manifest", i)); i++)
		manifest_read(m, arg, r);
	manifest_merge(m, whole, r);
	return 0;
}

/* --mtime, else SOURCE_DATE_EPOCH, else 0: never the time of day. */
static int get_mtime(struct cli_call *call, uint64_t *ret_mtime, struct err *e)
{
	const char *given = cli_get(call, "mtime");
	const char *text = given ? given : getenv("SOURCE_DATE_EPOCH");
	size_t len;

	if (!text || !*text)
		text = "0";
	len = strspn(text, "0123456789");
	if (text[len] || len > 18) {
		if (given)
			return cli_wrong_use(call, "'%s' is not a number of seconds", given);
		return err_set(e, -EINVAL, "SOURCE_DATE_EPOCH is '%s', not a number of seconds",
			       text);
	}
	*ret_mtime = strtoull(text, NULL, 10);
	return 0;
}

static int run_archive(struct cli_call *call, struct err *e)
{
	cleanup_manifest struct manifest m = { 0 };
	cleanup_search struct search s = { 0 };
	cleanup_accounts struct accounts a = { 0 };
	struct report r = new_report(call);
	uint64_t mtime = 0;
	int res;

	if (!cli_has(call, "output"))
		return cli_wrong_use(call, "-o FILE is needed");
	res = get_mtime(call, &mtime, e);
	if (res == 0)
		res = load(call, true, &m, &s, &r, e);
	if (res != 0)
		return res;

	accounts_load(&a, &s, cli_get(call, "passwd"), cli_get(call, "group"), &r);
	accounts_resolve(&a, &m, &r);
	res = archive_write(&m, &s, mtime, cli_get(call, "output"), &r, e);
	return res < 0 ? res : verdict(&r, e);
}

static int run_sums(struct cli_call *call, struct err *e)
{
	cleanup_manifest struct manifest m = { 0 };
	cleanup_search struct search s = { 0 };
	struct report r = new_report(call);
	int res = load(call, true, &m, &s, &r, e);

	if (res == 0)
		res = inventory_sums(&m, &s, stdout, &r, e);
	return res != 0 ? res : verdict(&r, e);
}

static int run_unlisted(struct cli_call *call, struct err *e)
{
	cleanup_manifest struct manifest m = { 0 };
	cleanup_search struct search s = { 0 };
	struct report r = new_report(call);
	int res = load(call, false, &m, &s, &r, e);

	if (res == 0)
		res = verdict(&r, e);
	return res != 0 ? res : inventory_unlisted(&m, &s, stdout, e);
}

/* clang-format off */
#define OPT_LENIENT  { .letter = 'l', .name = "lenient", .help = "warn where the original only warned" }
#define OPT_MANIFEST { .letter = 'm', .name = "manifest", .arg = "MANIFEST", .help = "a manifest; several are merged", .many = true, .complete = CLI_FILE }
#define OPT_SEARCH   { .letter = 's', .name = "search", .arg = "DIR", .help = "where files are looked for, first one first", .many = true, .complete = CLI_DIR }

static const struct cli_opt merge_opts[] = { OPT_LENIENT, CLI_END };
static const struct cli_opt inventory_opts[] = { OPT_MANIFEST, OPT_SEARCH, CLI_END };
static const struct cli_opt archive_opts[] = {
	OPT_MANIFEST,
	OPT_SEARCH,
	{ .letter = 'o', .name = "output", .arg = "FILE", .help = "the archive to write", .complete = CLI_FILE },
	{ .name = "mtime", .arg = "SECONDS", .help = "time of every entry, since 1970; else SOURCE_DATE_EPOCH, or 0" },
	{ .name = "passwd", .arg = "FILE", .help = "the image's users; else etc/passwd in the search path", .complete = CLI_FILE },
	{ .name = "group", .arg = "FILE", .help = "the image's groups; else etc/group in the search path", .complete = CLI_FILE },
	CLI_END,
};

static const struct cli_cmd commands[] = {
	{ "archive", NULL, "", "write what the manifests list as a tar archive", archive_opts, 0, 0, CLI_ANY, NULL, run_archive },
	{ "check", NULL, "MANIFEST...", "merge manifests and print only what is wrong", merge_opts, 1, -1, CLI_FILE, NULL, run_check },
	{ "merge", NULL, "MANIFEST...", "merge manifests and print the result", merge_opts, 1, -1, CLI_FILE, NULL, run_merge },
	{ "sums", NULL, "", "print the SHA-256 of every regular file that is shipped", inventory_opts, 0, 0, CLI_ANY, NULL, run_sums },
	{ "unlisted", NULL, "", "print what the search path has and no manifest lists", inventory_opts, 0, 0, CLI_ANY, NULL, run_unlisted },
	{ 0 },
};
/* clang-format on */

int main(int argc, char **argv)
{
	static const struct cli_prog prog = {
		.name = "builder",
		.summary = "make an image's archive from manifests and a search path",
		.cmds = commands,
	};

	/* A file that may not grow further is an error with a message, not a signal. */
	(void)signal(SIGXFSZ, SIG_IGN);
	return cli_main(&prog, argc, argv);
}
