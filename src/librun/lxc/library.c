/* SPDX-License-Identifier: MIT */
/*
 * library.c - liblxc and all that it needs is loaded when a machine is started or
 * asked for, and not with the program: the hooks that liblxc has run while a machine
 * starts are this same program, and would each load it for nothing.
 */
#include "librun/lxc/lxc.h"

#include "base/macro.h"

#include <dlfcn.h>
#include <lxc/lxccontainer.h>

/* Of the headers that this is compiled with; it has been the same since LXC 1.0. */
#define LIBRARY "liblxc.so.1"

static struct {
	void *handle;
	__typeof__(lxc_container_new) *new;
	__typeof__(lxc_container_put) *put;
	__typeof__(lxc_get_version) *version;
} lib;

/* Of a function's address as data, which POSIX has dlsym() return and C does not know. */
static void find(void *ret, const char *name)
{
	*(void **)ret = dlsym(lib.handle, name);
}

static int load(struct err *e)
{
	if (lib.handle)
		return 0;
	lib.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!lib.handle)
		return err_set(e, -ENOENT, "cannot load liblxc: %s", dlerror());
	find(&lib.new, "lxc_container_new");
	find(&lib.put, "lxc_container_put");
	find(&lib.version, "lxc_get_version");
	if (lib.new &&lib.put && lib.version)
		return 0;
	(void)dlclose(lib.handle);
	lib.handle = NULL;
	return err_set(e, -ENOSYS, "'" LIBRARY "' is no liblxc");
}

struct lxc_container *lxc_open(const char *uuid, struct err *e)
{
	struct lxc_container *c = load(e) < 0 ? NULL : lib.new(uuid, LXC_PATH);

	if (!c && lib.handle)
		(void)!err_set(e, -EIO, "liblxc cannot make a container object");
	return c;
}

void lxc_close(struct lxc_container *c)
{
	(void)lib.put(c);
}

const char *lxc_version(void)
{
	return lib.version();
}
