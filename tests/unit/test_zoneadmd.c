/* SPDX-License-Identifier: MIT */
/*
 * The client side: what commands find of a supervisor, without one and with a small
 * program in its place.
 */
#include "libvm/zoneadmd.h"

#include "base/jv.h"
#include "base/path.h"
#include "libsys/procfs.h"

#include "unit.h"

#include <signal.h>

#define UUID   "11111111-2222-4333-8444-555555555555"
#define RUNDIR "run/dais/" UUID

struct fixture {
	struct unit_dir *d;
	struct host host;
	char program[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(unit_dir_setup((void **)&f->d), 0);
	assert_int_equal(host_open(&f->host, f->d->path, NULL), 0);
	assert_int_equal(path_mkdir_all(f->d->fd, "zones/" UUID, 0700, NULL), 0);
	(void)snprintf(f->program, sizeof(f->program), "%s/program", f->d->path);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	assert_int_equal(path_remove_tree(f->d->fd, "run", NULL), 0);
	assert_int_equal(path_remove_tree(f->d->fd, "zones", NULL), 0);
	(void)unlinkat(f->d->fd, "program", 0);
	host_close(&f->host);
	r = unit_dir_teardown((void **)&f->d);
	free(f);
	return r;
}

static void set_state(struct fixture *f, const char *format, long long a, long long b)
{
	char *text = NULL;

	assert_int_equal(path_mkdir_all(f->d->fd, RUNDIR, 0700, NULL), 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	assert_true(asprintf(&text, format, a, b) > 0);
#pragma GCC diagnostic pop
	unit_write(f->d, RUNDIR "/state.json", text);
	free(text);
}

/* A supervisor that says SAYS on descriptor 3 and goes away. */
static void set_program(struct fixture *f, const char *says)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\nprintf '%%s' '%s' >&3\n", says);
	unit_write(f->d, "program", text);
	assert_int_equal(fchmodat(f->d->fd, "program", 0700, 0), 0);
}

static void a_link_is_named_after_its_vm(void **state)
{
	char name[ZONEADMD_LINK_NAME], other[ZONEADMD_LINK_NAME];

	(void)state;
	zoneadmd_link_name(UUID, 0, name);
	assert_string_equal(name, "dza4e86d573fn0");
	zoneadmd_link_name(UUID, 31, name);
	assert_string_equal(name, "dza4e86d573fn31");
	assert_true(strlen(name) < ZONEADMD_LINK_NAME);
	/* Only its last digit is another one. */
	zoneadmd_link_name("11111111-2222-4333-8444-555555555556", 31, other);
	assert_string_not_equal(name, other);
}

static void without_a_state_nothing_runs(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(zoneadmd_vm_pid(&f->host, UUID), 0);
	assert_int_equal(zoneadmd_stop_vm(&f->host, "/nonexistent", UUID, true, 0, NULL), 0);
}

static void a_state_is_believed_only_about_a_living_process(void **state)
{
	struct fixture *f = *state;
	uint64_t start = 0;

	assert_int_equal(procfs_start_time(getpid(), &start, NULL), 0);
	set_state(f, "{\"pid\":%lld,\"pid_start\":%lld}", getpid(), (long long)start);
	assert_int_equal(zoneadmd_vm_pid(&f->host, UUID), getpid());
	set_state(f, "{\"pid\":%lld,\"pid_start\":%lld}", getpid(), (long long)start - 1);
	assert_int_equal(zoneadmd_vm_pid(&f->host, UUID), 0);
	set_state(f, "{\"pid\":%lld,\"pid_start\":%lld}", -1, 0);
	assert_int_equal(zoneadmd_vm_pid(&f->host, UUID), 0);
	set_state(f, "{\"pid\":%lld,\"pid_start\":%lld}", 1LL << 40, 0);
	assert_int_equal(zoneadmd_vm_pid(&f->host, UUID), 0);
	set_state(f, "half a fi", 0, 0);
	assert_int_equal(zoneadmd_vm_pid(&f->host, UUID), 0);
}

static void only_a_supervisor_that_was_killed_leaves_an_orphan(void **state)
{
	struct fixture *f = *state;
	uint64_t start = 0;
	int fd;

	assert_int_equal(procfs_start_time(getpid(), &start, NULL), 0);
	assert_false(zoneadmd_is_orphaned(&f->host, UUID)); /* nothing is there */
	set_state(f, "{\"supervisor\":%lld,\"supervisor_start\":%lld}", getpid(),
		  (long long)start);
	assert_false(zoneadmd_is_orphaned(&f->host, UUID));
	fd = zoneadmd_supervisor_pidfd(&f->host, UUID);
	assert_true(fd >= 0);
	close(fd);
	/* Another process with its number is not it. */
	set_state(f, "{\"state\":\"running\",\"supervisor\":%lld,\"supervisor_start\":%lld}",
		  getpid(), (long long)start - 1);
	assert_true(zoneadmd_is_orphaned(&f->host, UUID));
	assert_int_equal(zoneadmd_supervisor_pidfd(&f->host, UUID), -ENOENT);
	set_state(f, "{\"state\":\"stopped\"}", 0, 0);
	assert_false(zoneadmd_is_orphaned(&f->host, UUID));
}

static void a_vm_that_stopped_in_peace_needs_no_supervisor_to_stop(void **state)
{
	struct fixture *f = *state;

	set_state(f, "{\"state\":\"stopped\"}", 0, 0);
	assert_int_equal(zoneadmd_stop_vm(&f->host, "/nonexistent", UUID, true, 0, NULL), 0);
}

static void a_dead_supervisor_gets_a_successor(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	set_state(f, "{\"state\":\"running\"}", 0, 0);
	assert_int_not_equal(zoneadmd_stop_vm(&f->host, "/nonexistent", UUID, true, 0, &e), 0);
	set_program(f, "{\"ok\":true,\"running\":false}\n");
	assert_int_equal(zoneadmd_stop_vm(&f->host, f->program, UUID, true, 0, &e), 0);
	/* One that says that it runs, and cannot be asked, is not tried for ever. */
	set_program(f, "{\"ok\":true,\"running\":true}\n");
	assert_int_equal(zoneadmd_stop_vm(&f->host, f->program, UUID, true, 0, &e), -EAGAIN);
}

static void what_does_not_run_has_nothing_to_reload(void **state)
{
	cleanup_jv struct jv *warnings = NULL;
	struct fixture *f = *state;
	struct err e = { 0 };

	assert_int_equal(zoneadmd_reload(&f->host, "/nonexistent", UUID, NULL, &e), 0);
	set_state(f, "{\"state\":\"stopped\"}", 0, 0);
	assert_int_equal(zoneadmd_reload(&f->host, "/nonexistent", UUID, &warnings, &e), 0);
	assert_int_equal(jv_type(warnings), JV_ARRAY);
	assert_int_equal(jv_len(warnings), 0);
	/* A supervisor that was killed has a successor, which may find that it has ended. */
	set_state(f, "{\"state\":\"running\"}", 0, 0);
	assert_int_not_equal(zoneadmd_reload(&f->host, "/nonexistent", UUID, NULL, &e), 0);
	set_program(f, "{\"ok\":true,\"running\":false}\n");
	assert_int_equal(zoneadmd_reload(&f->host, f->program, UUID, NULL, &e), 0);
}

static void a_start_brings_warnings_or_the_reason(void **state)
{
	cleanup_jv struct jv *warnings = NULL;
	struct fixture *f = *state;
	struct err e = { 0 };

	set_program(f, "{\"ok\":true,\"warnings\":[\"cpu_cap: no\"]}\n");
	assert_int_equal(zoneadmd_start_vm(&f->host, f->program, UUID, &warnings, &e), 0);
	assert_string_equal(jv_as_string(jv_at(warnings, 0)), "cpu_cap: no");

	set_program(f, "{\"ok\":false,\"code\":-16,\"error\":\"it is busy\"}\n");
	assert_int_equal(zoneadmd_start_vm(&f->host, f->program, UUID, NULL, &e), -EBUSY);
	assert_string_equal(e.msg, "it is busy");
	set_program(f, "{\"ok\":false,\"code\":7}\n");
	assert_int_equal(zoneadmd_start_vm(&f->host, f->program, UUID, NULL, &e), -EIO);
}

static void a_supervisor_that_dies_in_the_start_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	set_program(f, "");
	assert_int_equal(zoneadmd_start_vm(&f->host, f->program, UUID, NULL, &e), -EPIPE);
	assert_non_null(strstr(e.msg, "zoneadmd ended before it was ready"));
	set_program(f, "{\"ok\":true");
	assert_int_equal(zoneadmd_start_vm(&f->host, f->program, UUID, NULL, &e), -EPIPE);
	set_program(f, "what\n");
	assert_int_not_equal(zoneadmd_start_vm(&f->host, f->program, UUID, NULL, &e), 0);
}

static void a_log_that_has_grown_keeps_one_generation(void **state)
{
	struct fixture *f = *state;
	int fd = zoneadmd_open_log(&f->host, UUID, NULL);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 300000), 0);
	close(fd);
	fd = zoneadmd_open_log(&f->host, UUID, NULL);
	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
	assert_true(unit_exists(f->d, "zones/" UUID "/logs/zoneadmd.log.0"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(a_link_is_named_after_its_vm),
		TEST(without_a_state_nothing_runs),
		TEST(a_state_is_believed_only_about_a_living_process),
		TEST(only_a_supervisor_that_was_killed_leaves_an_orphan),
		TEST(a_vm_that_stopped_in_peace_needs_no_supervisor_to_stop),
		TEST(a_dead_supervisor_gets_a_successor),
		TEST(what_does_not_run_has_nothing_to_reload),
		TEST(a_start_brings_warnings_or_the_reason),
		TEST(a_supervisor_that_dies_in_the_start_is_noticed),
		TEST(a_log_that_has_grown_keeps_one_generation),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
