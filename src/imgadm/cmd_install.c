/* SPDX-License-Identifier: MIT */
#include "imgadm/session.h"

#include "base/alloc.h"
#include "libimg/install.h"
#include "libimg/stage.h"
#include "libimgfile/describe.h"
#include "libmanifest/manifest.h"

#include <fcntl.h>

struct work {
	struct session session;
	const struct jv *manifest;
};

static const char *field(const struct work *w, const char *key)
{
	const char *text = jv_get_string(w->manifest, key);

	return text ? text : "";
}

static void on_begin(void *data, uint64_t total)
{
	struct session *s = data;
	const struct work *w = s->work;
	cleanup_free char *title = xasprintf(IMGADM_POOL "/%s", field(w, "uuid"));

	(void)fprintf(s->words, "Installing image %s (%s@%s)\n", field(w, "uuid"),
		      field(w, "name"), field(w, "version"));
	(void)fflush(s->words);
	session_catch_signals();
	session_bar(s, title, total);
}

static const char *code_of(int r)
{
	const char *code = stage_error_code(r);

	/* The original's word for a wrong size or checksum. */
	if (r == -EBADMSG)
		return "DownloadError";
	return code ? code : imgadm_local_code(r);
}

static void say_outcome(const struct work *w, enum install_outcome outcome)
{
	const char *before = outcome == INSTALL_DONE ? "Installed image" : "Image";
	const char *after = outcome == INSTALL_DONE ? ""
			    : outcome == INSTALL_WAS_THERE
				    ? " is already installed, skipping"
				    : " was imported while waiting on lock";

	(void)fprintf(w->session.words, "%s %s (%s@%s)%s\n", before, field(w, "uuid"),
		      field(w, "name"), field(w, "version"), after);
}

static void print_outcome(const struct work *w, const struct host *h,
			  enum install_outcome outcome)
{
	cleanup_image struct image img = { 0 };
	cleanup_jv struct jv *v = jv_object();

	jv_set(v, "uuid", jv_string(field(w, "uuid")));
	jv_set(v, "outcome",
	       jv_string(outcome == INSTALL_DONE ? "installed" : "already installed"));
	if (image_load(h, field(w, "uuid"), &img, NULL) == 0)
		jv_set(v, "meta", jv_copy(img.meta));
	if (!cli_has(w->session.call, "m"))
		jv_set(v, "manifest", jv_copy(w->manifest));
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

/* Without -m: what the file itself says. It is shown, so that it can be made better. */
static int make_manifest(const struct work *w, struct jv **ret)
{
	const struct cli_call *call = w->session.call;
	cleanup_free char *text = NULL;
	struct err e = { 0 };
	int r;

	session_catch_signals();
	r = image_describe(cli_get(call, "f"), cli_get(call, "u"), &session_interrupted, ret,
			   &e);
	if (r < 0)
		return imgadm_fail(call, code_of(r), e.msg);
	if (cli_has(call, "json"))
		return 0;
	text = jv_dump(*ret, 2);
	(void)fprintf(w->session.words, "Made a manifest:\n%s\n", text);
	return 0;
}

static int install(const struct cli_call *call, const struct host *h, uint64_t limit)
{
	cleanup_jv struct jv *manifest = NULL;
	struct work w = { .session = session_begin(call) };
	struct install_request req = {
		.file = cli_get(call, "f"),
		.max_bytes = limit,
		.progress = session_progress,
		.note = session_note,
		.begin = on_begin,
		.data = &w.session,
		.cancel = &session_interrupted,
	};
	enum install_outcome outcome;
	struct err e = { 0 };
	int r = cli_has(call, "m") ? load_manifest(call, &manifest)
				   : make_manifest(&w, &manifest);

	if (r != 0)
		return r;
	w.session.work = &w;
	w.manifest = req.manifest = manifest;
	r = image_install(h, &req, &outcome, &e);
	session_end_bar(&w.session, r == 0);
	if (r < 0)
		return imgadm_fail(call, code_of(r), e.msg);
	say_outcome(&w, outcome);
	if (cli_has(call, "json"))
		print_outcome(&w, h, outcome);
	return 0;
}

int cmd_install(struct cli_call *call, struct err *e)
{
	unsigned long long limit = 0;
	struct host h = { .fd = -1 };
	int r;

	if (!cli_has(call, "f"))
		return cli_wrong_use(call, "give -f FILE, and -m MANIFEST if there is one");
	if (cli_has(call, "m") && cli_has(call, "u"))
		return cli_wrong_use(call, "-u is for files without a manifest: -m has a UUID");
	if (cli_has(call, "u") && !uuid_is_valid(cli_get(call, "u")))
		return cli_wrong_use(call, "-u: '%s' is no UUID", cli_get(call, "u"));
	if (cli_get(call, "max-size") &&
	    cli_parse_size(cli_get(call, "max-size"), &limit, e) < 0)
		return cli_wrong_use(call, "--max-size: %s", e->msg);
	r = imgadm_begin(call, &h);
	if (r == 0)
		r = install(call, &h, limit);
	host_close(&h);
	return r;
}
