/* SPDX-License-Identifier: MIT */
#include "imgadm/imgadm.h"

#include "base/alloc.h"
#include "base/progress.h"
#include "libimg/install.h"
#include "libimg/manifest.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

struct session {
	bool quiet;
	FILE *words; /* standard output, or standard error beside --json */
	const struct jv *manifest;
	struct progress *bar;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signo ATTR_UNUSED)
{
	interrupted = 1;
}

/* Only once the work begins: whoever waits for a lock may just end. */
static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i], &action, NULL);
}

static const char *field(const struct session *s, const char *key)
{
	const char *text = jv_get_string(s->manifest, key);

	return text ? text : "";
}

static void on_begin(void *data, uint64_t total)
{
	struct session *s = data;
	cleanup_free char *title = xasprintf(IMGADM_POOL "/%s", field(s, "uuid"));

	(void)fprintf(s->words, "Installing image %s (%s@%s)\n", field(s, "uuid"),
		      field(s, "name"), field(s, "version"));
	(void)fflush(s->words);
	catch_signals();
	s->bar = progress_begin(title, total, s->quiet || !isatty(STDERR_FILENO));
}

static void on_progress(void *data, uint64_t done)
{
	struct session *s = data;

	progress_update(s->bar, done);
}

static void on_note(void *data, const char *line)
{
	struct session *s = data;

	if (!s->quiet)
		(void)fprintf(stderr, "imgadm install: %s\n", line);
}

static const char *code_of(int r)
{
	switch (r) {
	case -EBADMSG:
		return "DownloadError"; /* the original's word for a wrong size or checksum */
	case -EINVAL:
	case -EFBIG:
	case -E2BIG:
	case -ENAMETOOLONG:
		return "UncompressionError";
	case -ENOTSUP:
		return "NotSupported";
	case -EINTR:
		return "InternalError";
	default:
		return "FileSystem";
	}
}

static void say_outcome(const struct session *s, enum install_outcome outcome)
{
	const char *before = outcome == INSTALL_DONE ? "Installed image" : "Image";
	const char *after = outcome == INSTALL_DONE ? ""
			    : outcome == INSTALL_WAS_THERE
				    ? " is already installed, skipping"
				    : " was imported while waiting on lock";

	(void)fprintf(s->words, "%s %s (%s@%s)%s\n", before, field(s, "uuid"), field(s, "name"),
		      field(s, "version"), after);
}

static void print_outcome(const struct session *s, const struct host *h,
			  enum install_outcome outcome)
{
	cleanup_image struct image img = { 0 };
	cleanup_jv struct jv *v = jv_object();

	jv_set(v, "uuid", jv_string(field(s, "uuid")));
	jv_set(v, "outcome",
	       jv_string(outcome == INSTALL_DONE ? "installed" : "already installed"));
	if (image_load(h, field(s, "uuid"), &img, NULL) == 0)
		jv_set(v, "meta", jv_copy(img.meta));
	imgadm_print_json(v);
}

static int load_manifest(const struct cli_call *call, struct jv **ret)
{
	struct err e = { 0 };
	int r = manifest_load(AT_FDCWD, cli_get(call, "m"), ret, &e);

	if (r == 0) {
		r = image_check_installable(*ret, &e);
		return r == 0          ? 0
		       : r == -ENOTSUP ? imgadm_fail(call, "NotSupported", e.msg)
				       : imgadm_fail(call, "ManifestValidation", e.msg);
	}
	return imgadm_fail(call,
			   r == -EBADMSG  ? "InvalidManifest"
			   : r == -EINVAL ? "ManifestValidation"
					  : "FileSystem",
			   e.msg);
}

static int install(const struct cli_call *call, const struct host *h, uint64_t limit)
{
	cleanup_jv struct jv *manifest = NULL;
	struct session s = { .quiet = cli_has(call, "q"),
			     .words = cli_has(call, "json") ? stderr : stdout };
	struct install_request req = {
		.file = cli_get(call, "f"),
		.max_bytes = limit,
		.progress = on_progress,
		.note = on_note,
		.begin = on_begin,
		.data = &s,
		.cancel = &interrupted,
	};
	enum install_outcome outcome;
	struct err e = { 0 };
	int r = load_manifest(call, &manifest);

	if (r != 0)
		return r;
	s.manifest = req.manifest = manifest;
	r = image_install(h, &req, &outcome, &e);
	progress_end(s.bar, r == 0);
	if (r < 0)
		return imgadm_fail(call, code_of(r), e.msg);
	say_outcome(&s, outcome);
	if (cli_has(call, "json"))
		print_outcome(&s, h, outcome);
	return 0;
}

int cmd_install(struct cli_call *call, struct err *e)
{
	unsigned long long limit = 0;
	struct host h = { .fd = -1 };
	int r;

	if (!cli_has(call, "m") || !cli_has(call, "f"))
		return cli_wrong_use(call, "give both -m MANIFEST and -f FILE");
	if (cli_get(call, "max-size") &&
	    cli_parse_size(cli_get(call, "max-size"), &limit, e) < 0)
		return cli_wrong_use(call, "--max-size: %s", e->msg);
	r = imgadm_begin(call, &h);
	if (r == 0)
		r = install(call, &h, limit);
	host_close(&h);
	return r;
}
