/* SPDX-License-Identifier: MIT */
#include "imgadm/target.h"

#include "libimg/install.h"
#include "libmanifest/manifest.h"

#include <fcntl.h>
#include <sys/stat.h>

static int load_manifest(const struct cli_call *call, struct jv **ret)
{
	struct err e = { 0 };
	int r = manifest_load(AT_FDCWD, cli_get(call, "m"), ret, &e);

	if (r == 0)
		r = image_check_installable(*ret, &e);
	return r == 0 ? 0
		      : imgadm_fail(call,
				    r == -EBADMSG   ? "InvalidManifest"
				    : r == -EINVAL  ? "ManifestValidation"
				    : r == -ENOTSUP ? "NotSupported"
						    : "FileSystem",
				    e.msg);
}

static int open_file(const struct cli_call *call, const struct jv *manifest, int *ret)
{
	const char *path = cli_get(call, "f");
	int64_t size = jv_get_int(jv_at(jv_get(manifest, "files"), 0), "size", -1);
	struct err e = { 0 };
	struct stat st;

	*ret = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (*ret < 0 || fstat(*ret, &st) < 0)
		(void)err_sys(&e, "cannot open '%s'", path);
	else if (!S_ISREG(st.st_mode))
		(void)err_set(&e, -EINVAL, "'%s' is not a regular file", path);
	else if (st.st_size != size)
		(void)err_set(&e, -EINVAL,
			      "'%s' has %lld bytes, the manifest says %lld (files[0].size)",
			      path, (long long)st.st_size, (long long)size);
	return e.msg[0] ? imgadm_fail(call, "FileSystem", e.msg) : 0;
}

static int publish_files(struct cli_call *call, const struct host *h)
{
	cleanup_jv struct jv *manifest = NULL;
	cleanup_close int fd = -1;
	cleanup_target struct target to = { 0 };
	struct session s = session_begin(call);
	int r = load_manifest(call, &manifest);

	if (r == 0)
		r = target_find(call, h, cli_operand(call, 0), &to);
	if (r == 0)
		r = open_file(call, manifest, &fd);
	return r != 0 ? r : target_publish(&s, &to, manifest, fd, cli_get(call, "f"));
}

int cmd_publish(struct cli_call *call, struct err *e ATTR_UNUSED)
{
	struct host h = { .fd = -1 };
	int r;

	if (!cli_has(call, "m") || !cli_has(call, "f"))
		return cli_wrong_use(call, "give both -m MANIFEST and -f FILE");
	r = imgadm_begin(call, &h);
	if (r == 0)
		r = publish_files(call, &h);
	host_close(&h);
	return r;
}
