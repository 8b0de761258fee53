/* SPDX-License-Identifier: MIT */
/*
 * host_fixture.h - a host below a fresh folder, which must be empty in the end.
 */
#pragma once

#include "base/path.h"
#include "libsys/host.h"

#include "unit.h"

struct host_fixture {
	char path[32];
	struct host host;
};

static inline int host_fixture_setup(void **state)
{
	struct host_fixture *f = calloc(1, sizeof(*f));

	(void)snprintf(f->path, sizeof(f->path), "/tmp/unit.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	assert_int_equal(host_open(&f->host, f->path, NULL), 0);
	*state = f;
	return 0;
}

static inline int host_fixture_teardown(void **state)
{
	struct host_fixture *f = *state;
	int r;

	(void)unlinkat(f->host.fd, "etc/zones/.journal", AT_REMOVEDIR);
	(void)unlinkat(f->host.fd, "etc/zones/.claims", AT_REMOVEDIR);
	(void)unlinkat(f->host.fd, "etc/zones", AT_REMOVEDIR);
	(void)unlinkat(f->host.fd, "etc", AT_REMOVEDIR);
	host_close(&f->host);
	r = rmdir(f->path);
	if (r < 0)
		print_error("something is left in %s\n", f->path);
	free(f);
	return r;
}

#define host_test(fn) \
	cmocka_unit_test_setup_teardown(fn, host_fixture_setup, host_fixture_teardown)
