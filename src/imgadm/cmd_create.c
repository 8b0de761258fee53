/* SPDX-License-Identifier: MIT */
/*
 * create: an image from a VM.
 *
 *	manifest ▶ the VM's tree, prepared where a script is given (vm_capture.h)
 *	▶ archive, compressed (pack.h) ▶ both files, or published
 */
#include "imgadm/create.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "libvm/vm_capture.h"
#include "libvm/zoneadmd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT_MAX ((size_t)1 << 20)

static void creation_done(struct creation *c)
{
	jv_unref(c->record);
	jv_unref(c->manifest);
	image_done(&c->origin);
	target_done(&c->target);
}

/* ---- what is asked for ------------------------------------------------------------ */

static int take_compression(struct creation *c)
{
	const char *name = cli_get(c->call, "c");

	for (c->compression = 0; c->compression < COMPRESSION_MAX_; c->compression++)
		if (strcmp(name ? name : "none", compression_name(c->compression)) == 0)
			return 0;
	return cli_wrong_use(c->call, "-c is none, gzip, bzip2, xz or zstd, not '%s'", name);
}

static int take_depth(const struct creation *c, unsigned long *ret)
{
	const char *text = cli_get(c->call, "max-origin-depth");
	char *end;

	*ret = 0;
	if (!text)
		return 0;
	*ret = strtoul(text, &end, 10);
	if (*end || *ret < 2 || *ret > 100)
		return cli_wrong_use(c->call, "--max-origin-depth is a number from 2 to 100");
	return 0;
}

static int take_timeout(const struct creation *c, unsigned int *ret)
{
	const char *text = cli_get(c->call, "timeout");
	unsigned long seconds;
	char *end;

	*ret = 0;
	if (!text)
		return 0;
	seconds = strtoul(text, &end, 10);
	if (*end || seconds < 1 || seconds > 86400)
		return cli_wrong_use(c->call, "--timeout is a number of seconds up to 86400");
	*ret = (unsigned int)seconds;
	return 0;
}

/* ---- the VM and where it comes from ------------------------------------------------ */

/* Images from IMG down to its base. */
static unsigned long depth_of(const struct creation *c)
{
	const struct jv *manifest = c->origin.manifest;
	struct image img = { 0 };
	unsigned long depth = 1;
	const char *origin;

	while ((origin = jv_get_string(manifest, "origin")) && depth++ < 100) {
		struct image next = { 0 };

		if (image_load(c->host, origin, &next, NULL) < 0)
			break;
		image_done(&img);
		img = next;
		manifest = img.manifest;
	}
	image_done(&img);
	return depth;
}

static int load_origin(struct creation *c)
{
	const char *uuid = jv_get_string(c->record, "image_uuid");
	unsigned long max = 0;
	int r = take_depth(c, &max);

	if (r == 0 && uuid)
		(void)!image_load(c->host, uuid, &c->origin, NULL);
	if (r != 0 || !c->incremental)
		return r;
	if (!uuid)
		return imgadm_fail(c->call, "VmHasNoOrigin",
				   "cannot create an incremental image: the VM has no origin "
				   "image");
	if (!c->origin.manifest) {
		cleanup_free char *msg =
			xasprintf("origin image \"%s\" is not installed", uuid);

		return imgadm_fail(c->call, "OriginNotInstalled", msg);
	}
	if (max && depth_of(c) + 1 > max) {
		cleanup_free char *msg =
			xasprintf("image would have more than %lu images in its chain; create "
				  "a full one, without -i",
				  max);

		return imgadm_fail(c->call, "MaxOriginDepth", msg);
	}
	return 0;
}

/* ---- the work ---------------------------------------------------------------------- */

static const char *code_of(int r)
{
	switch (r) {
	case -ENOENT:
		return "VmNotFound";
	case -EBUSY:
		return "VmNotStopped";
	case -ETIMEDOUT:
		return "Timeout";
	case -ENODATA:
		return "PrepareImageDidNotRun";
	case -EREMOTEIO:
		return "PrepareImageError";
	default:
		return imgadm_local_code(r);
	}
}

static int write_image(struct creation *c, const struct vm_capture *tree, struct output *o,
		       struct err *e)
{
	cleanup_free char *title = xasprintf(IMGADM_POOL "/%s", c->uuid);
	struct pack_request req = {
		.rootfd = tree->rootfd,
		.basefd = tree->basefd,
		.compression = c->compression,
		.outfd = o->fd,
		.progress = session_progress,
		.data = &c->session,
		.cancel = &session_interrupted,
	};
	struct pack_result res;
	int r;

	session_bar(&c->session, title, 0);
	r = pack(&req, &res, e);
	session_end_bar(&c->session, r == 0);
	if (r < 0)
		return r;
	if (res.counts.left_out) {
		cleanup_free char *line = xasprintf("left out %llu device nodes and sockets",
						    (unsigned long long)res.counts.left_out);

		session_note(&c->session, line);
	}
	create_set_file(c, &res);
	return 0;
}

static int deliver(struct creation *c, struct output *o, struct err *e)
{
	cleanup_free char *line = NULL;
	int r;

	if (c->target.url)
		return target_publish(&c->session, &c->target, c->manifest, o->fd, o->name);
	r = output_end(c, o, e);
	if (r < 0)
		return imgadm_fail(c->call, "FileSystem", e->msg);
	line = xasprintf("Saving manifest to \"%s.imgmanifest\"\nSaving image to \"%s%s\"",
			 o->prefix, strcmp(o->dir, ".") == 0 ? "" : o->dir, o->name);
	session_say(&c->session, line);
	return 0;
}

static int work(struct creation *c, const struct vm_capture_request *req,
		const struct vm_host *vh)
{
	cleanup_vm_capture struct vm_capture tree = VM_CAPTURE_INIT;
	cleanup_output struct output o = OUTPUT_INIT;
	struct err e = { 0 };
	int r = output_begin(c, &o, &e);

	if (r < 0)
		return imgadm_fail(c->call, "FileSystem", e.msg);
	session_catch_signals();
	r = vm_capture(vh, req, &tree, &e);
	if (r == 0)
		r = write_image(c, &tree, &o, &e);
	if (r < 0)
		return imgadm_fail(c->call, code_of(r), e.msg);
	r = deliver(c, &o, &e);
	if (r == 0 && cli_has(c->call, "json"))
		imgadm_print_json(c->manifest);
	return r;
}

/* Before the work, not after it: what cannot be published is not made. */
static int find_target(struct creation *c)
{
	const char *url = cli_get(c->call, "publish");
	int r;

	if (!url)
		return 0;
	r = target_find(c->call, c->host, url, &c->target);
	if (r != 0 || !c->target.is_registry)
		return r;
	if (c->incremental)
		return cli_wrong_use(c->call, "a registry takes whole images: -i and "
					      "docker:// do not go together");
	if (c->compression == COMPRESSION_BZIP2 || c->compression == COMPRESSION_XZ)
		return cli_wrong_use(c->call, "a registry takes none, gzip and zstd, not %s",
				     compression_name(c->compression));
	return 0;
}

static int create(struct creation *c)
{
	cleanup_free char *zoneadmd = zoneadmd_find();
	cleanup_free char *script = NULL;
	size_t len;
	const struct vm_host vh = { c->host, zoneadmd };
	struct vm_capture_request req = {
		.image = c->uuid,
		.say = session_say,
		.data = &c->session,
		.cancel = &session_interrupted,
	};
	struct err e = { 0 };
	int r = take_timeout(c, &req.stage_s);

	if (r == 0 && cli_has(c->call, "s")) {
		if (file_read_all(AT_FDCWD, cli_get(c->call, "s"), SCRIPT_MAX, &script, &len,
				  &e) < 0)
			return imgadm_fail(c->call, "FileSystem", e.msg);
		req.script = script;
	}
	if (r == 0)
		r = find_target(c);
	if (r == 0)
		r = create_load_vm(c);
	req.vm = jv_get_string(c->record, "uuid");
	if (r == 0)
		r = load_origin(c);
	if (r == 0)
		r = create_make_manifest(c);
	if (c->incremental)
		req.base = c->origin.uuid;
	return r != 0 ? r : work(c, &req, &vh);
}

int cmd_create(struct cli_call *call, struct err *e ATTR_UNUSED)
{
	cleanup_with(creation_done) struct creation c = {
		.call = call,
		.session = session_begin(call),
		.incremental = cli_has(call, "i"),
	};
	struct host h = { .fd = -1 };
	int r;

	if (cli_has(call, "publish") && cli_has(call, "o"))
		return cli_wrong_use(call, "-p keeps no files: it does not go with -o");
	r = take_compression(&c);
	if (r != 0)
		return r;
	uuid_generate_random(c.uuid);
	r = imgadm_begin(call, &h);
	c.host = &h;
	if (r == 0)
		r = create(&c);
	host_close(&h);
	return r;
}
