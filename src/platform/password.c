/* SPDX-License-Identifier: MIT */
/*
 * password.c - root's password: from the pool, from the boot options, from the
 * image, or made for this boot and shown once. docs/image.md 5.
 */
#include "platform/platform.h"

#include "base/alloc.h"
#include "base/fileio.h"
#include "base/log.h"
#include "libboot/cmdline.h"
#include "platform/shadow.h"

#include <crypt.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_BOOT "root.hash" /* in run/dais: the hash that this boot began with */

/* 32 letters that are not taken for each other: 5 bits each, 80 in all. */
#define LETTERS      "abcdefghijkmnpqrstuvwxyz23456789"
#define GROUPS       4
#define PER_GROUP    4
#define PASSWORD_LEN (GROUPS * PER_GROUP + GROUPS - 1)

/* 0: found. -ENOENT: there is none. */
static int from_pool(const struct host *h, char ret[static SHADOW_HASH_MAX + 1], struct err *e)
{
	cleanup_close int dir = openat(h->fd, "usbkey", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	size_t len;
	int r;

	if (dir < 0)
		return -ENOENT;
	r = file_read_all(dir, "shadow", SHADOW_MAX, &text, &len, e);
	return r < 0 ? r : shadow_get_root(text, "/usbkey/shadow", ret, e);
}

static int from_options(const struct host *h ATTR_UNUSED, char ret[static SHADOW_HASH_MAX + 1],
			struct err *e)
{
	static struct cmdline c;
	const char *hash;
	int r = cmdline_read(&c, "/proc/cmdline", e);

	if (r < 0)
		return r;
	hash = cmdline_get(&c, "root_shadow");
	if (!hash)
		return -ENOENT;
	if (!shadow_hash_is_valid(hash))
		return err_set(e, -EINVAL,
			       "the boot option root_shadow= is not a password's hash "
			       "(as 'openssl passwd -6' makes)");
	memcpy(ret, hash, strlen(hash) + 1);
	return 0;
}

/* ./configure --password: the image itself has one. */
static int from_image(const struct host *h, char ret[static SHADOW_HASH_MAX + 1], struct err *e)
{
	cleanup_close int etc = openat(h->fd, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *text = NULL;
	char hash[SHADOW_HASH_MAX + 1];
	size_t len;
	int r;

	if (etc < 0)
		return err_sys(e, "cannot open '/etc'");
	r = file_read_all(etc, "shadow", SHADOW_MAX, &text, &len, e);
	if (r == 0)
		r = shadow_get_root(text, "/etc/shadow", hash, e);
	if (r < 0)
		return r;
	if (*hash != '$') /* locked */
		return -ENOENT;
	memcpy(ret, hash, sizeof(hash));
	return 0;
}

static int generate(char ret_password[static PASSWORD_LEN + 1],
		    char ret_hash[static SHADOW_HASH_MAX + 1], struct err *e)
{
	unsigned char random[GROUPS * PER_GROUP];
	struct crypt_data *data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash;
	size_t n = 0;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, "cannot get random bytes");
	for (size_t i = 0; i < sizeof(random); i++) {
		if (i > 0 && i % PER_GROUP == 0)
			ret_password[n++] = '-';
		ret_password[n++] = LETTERS[random[i] % (sizeof(LETTERS) - 1)];
	}
	ret_password[n] = '\0';

	if (!crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)))
		return err_sys(e, "cannot make a salt");
	data = xcalloc(1, sizeof(*data));
	hash = crypt_r(ret_password, setting, data);
	if (!hash || *hash == '*' || strlen(hash) > SHADOW_HASH_MAX) {
		free(data);
		return err_set(e, -EIO, "cannot hash a password");
	}
	memcpy(ret_hash, hash, strlen(hash) + 1);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return 0;
}

/* Shown on the console alone: what is logged would be stored. */
static void show(const char *password)
{
	cleanup_close int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) {
		log_warning("root's password for this boot cannot be shown: no console");
		return;
	}
	(void)dprintf(
		fd,
		"\r\nThe password of root for this boot: %s\r\n"
		"It is shown once. 'passwd' sets another; with a pool, that one lasts.\r\n",
		password);
}

static int apply(const struct host *h, const char *hash, struct err *e)
{
	cleanup_close int etc = openat(h->fd, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int run = host_dir(h, HOST_RUN, 0755, e);
	cleanup_free char *text = NULL;
	cleanup_free char *changed = NULL;
	size_t len;
	int r;

	if (run < 0)
		return run;
	if (etc < 0)
		return err_sys(e, "cannot open '/etc'");
	r = file_read_all(etc, "shadow", SHADOW_MAX, &text, &len, e);
	if (r < 0)
		return r;
	changed = shadow_set_root(text, hash);
	r = file_write_atomic(etc, "shadow", changed, strlen(changed), e);
	return r < 0 ? r : file_write_atomic(run, AT_BOOT, hash, strlen(hash), e);
}

int platform_settle_password(const struct host *h, struct err *e)
{
	static int (*const sources[])(const struct host *h, char *ret,
				      struct err *e) = { from_pool, from_options, from_image };
	char hash[SHADOW_HASH_MAX + 1], password[PASSWORD_LEN + 1] = "";
	int r = -ENOENT;

	/* A bad one must not lock everybody out: the next is taken, and said. */
	for (size_t i = 0; r < 0 && i < ARRAY_SIZE(sources); i++) {
		struct err why = { 0 };

		r = sources[i](h, hash, &why);
		if (r < 0 && r != -ENOENT)
			log_warning("%s; ignoring", why.msg);
	}
	if (r < 0)
		r = generate(password, hash, e);
	if (r == 0)
		r = apply(h, hash, e);
	if (r == 0 && *password)
		show(password);
	explicit_bzero(password, sizeof(password));
	return r;
}

static bool pool_is_mounted(const struct host *h, int usbkey)
{
	struct stat root, st;

	return fstat(h->fd, &root) == 0 && fstat(usbkey, &st) == 0 && root.st_dev != st.st_dev;
}

int platform_keep_password(const struct host *h, struct err *e)
{
	cleanup_close int etc = openat(h->fd, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int run = openat(h->fd, HOST_RUN, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_close int usbkey = openat(h->fd, "usbkey", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *text = NULL, *before = NULL, *line = NULL;
	char hash[SHADOW_HASH_MAX + 1] = "";
	size_t len;
	int r;

	/* Before settle-password has run there is nothing to keep, and without a pool no place.
	 */
	if (etc < 0 || run < 0 || usbkey < 0 || !pool_is_mounted(h, usbkey) ||
	    file_read_all(run, AT_BOOT, SHADOW_MAX, &before, &len, NULL) < 0)
		return 0;
	r = file_read_all(etc, "shadow", SHADOW_MAX, &text, &len, e);
	if (r == 0)
		r = shadow_get_root(text, "/etc/shadow", hash, e);
	if (r < 0 || strcmp(hash, before) == 0)
		return r;
	line = xasprintf("root:%s::0:99999:7:::\n", hash);
	r = file_write_atomic(usbkey, "shadow", line, strlen(line), e);
	if (r == 0)
		log_info("root's password is now kept on the pool");
	return r;
}
