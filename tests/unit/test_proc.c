/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/path.h"
#include "base/proc.h"

#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#define SH(script)                       \
	(const char *const[])            \
	{                                \
		"sh", "-c", script, NULL \
	}

static void output_comes_back(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf out = BUF_INIT;

	assert_int_equal(proc_run(SH("echo one; echo two >&2; echo three"), &out, NULL), 0);
	assert_string_equal(buf_str(&out), "one\nthree\n");
	assert_int_equal(proc_run(SH("echo unread"), NULL, NULL), 0);
}

static void a_failure_says_the_last_line(void **state ATTR_UNUSED)
{
	struct err e = { 0 };

	assert_int_equal(
		proc_run(SH("echo first >&2; echo why; echo last >&2; echo >&2; exit 3"), NULL,
			 &e),
		-EIO);
	assert_string_equal(e.msg, "'sh' failed with status 3: last");
	assert_int_equal(proc_run(SH("exit 4"), NULL, &e), -EIO);
	assert_string_equal(e.msg, "'sh' failed with status 4");
	assert_int_equal(proc_run(SH("kill -9 $$"), NULL, &e), -EIO);
	assert_string_equal(e.msg, "'sh' was killed by signal 9");
}

static void a_program_that_is_not_there_is_said(void **state ATTR_UNUSED)
{
	const char *const argv[] = { "no-such-program", NULL };
	struct err e = { 0 };

	assert_int_equal(proc_run(argv, NULL, &e), -ENOENT);
	assert_string_equal(e.msg, "cannot run 'no-such-program': No such file or directory");
}

/* A child that says more than a pipe holds on both sides must neither hang nor fill memory. */
static void what_is_kept_is_bounded(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf out = BUF_INIT;
	struct err e = { 0 };

	assert_int_equal(
		proc_run(SH("i=0; while [ $i -lt 3000 ]; do i=$((i + 1));"
			    " echo 0123456789012345678901234567890123456789012345678 ;"
			    " echo 0123456789012345678901234567890123456789012345678 >&2;"
			    " done; echo the end >&2; exit 1"),
			 &out, &e),
		-EIO);
	assert_int_equal(out.len, 64 << 10);
	assert_string_equal(e.msg, "'sh' failed with status 1: the end");
}

static void standard_input_is_empty(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf out = BUF_INIT;

	assert_int_equal(proc_run(SH("cat; echo done"), &out, NULL), 0);
	assert_string_equal(buf_str(&out), "done\n");
}

/* What the program leaves running holds its pipes; we wait for the program only. */
static void a_grandchild_does_not_hold_us(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf out = BUF_INIT;
	int64_t began = clock_now_ms();
	int pid;

	assert_int_equal(proc_run(SH("sleep 30 & echo $!"), &out, NULL), 0);
	pid = (int)strtol(buf_str(&out), NULL, 10);
	assert_true(pid > 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_true(clock_now_ms() - began < 25000);
}

static void nothing_of_ours_leaks_into_the_child(void **state ATTR_UNUSED)
{
	cleanup_buf struct buf out = BUF_INIT;
	sigset_t set, old;
	int fd = fcntl(STDERR_FILENO, F_DUPFD, 50); /* without O_CLOEXEC, as a library would */

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
	assert_int_equal(
		proc_run(
			SH("[ -e /proc/$$/fd/50 ] && echo leaked; exec grep SigBlk /proc/self/status"),
			&out, NULL),
		0);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	assert_in_range(fd, 50, 50);
	assert_string_equal(buf_str(&out), "SigBlk:\t0000000000000000\n");
	close(fd);
}

static void a_daemon_has_its_own_session_and_what_it_was_given(void **state)
{
	struct unit_dir *d = *state;
	const char *const argv[] = {
		"sh", "-c",
		"cat <&3 >&2; [ -t 0 ] || echo no terminal >&2; [ -e /proc/$$/fd/50 ] && echo leaked >&2;"
		"cut -d' ' -f6 /proc/$$/stat >&2; echo $$ >&2",
		NULL
	};
	char text[256] = "", want[256];
	int leak = fcntl(STDERR_FILENO, F_DUPFD, 50);
	int log, keep, status;
	pid_t pid;

	unit_write(d, "keep", "kept\n");
	unit_write(d, "log", "");
	keep = openat(d->fd, "keep", O_RDONLY | O_CLOEXEC);
	log = openat(d->fd, "log", O_RDWR | O_APPEND | O_CLOEXEC);
	assert_int_equal(proc_spawn_daemon(argv, log, keep, &pid, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	assert_true(pread(log, text, sizeof(text) - 1, 0) > 0);
	(void)snprintf(want, sizeof(want), "kept\nno terminal\n%d\n%d\n", pid, pid);
	assert_string_equal(text, want);
	close(leak);
	close(keep);
	close(log);
	assert_int_equal(path_remove_tree(d->fd, "keep", NULL), 0);
	assert_int_equal(path_remove_tree(d->fd, "log", NULL), 0);
}

static void a_daemon_that_is_not_there_is_said(void **state ATTR_UNUSED)
{
	const char *const argv[] = { "/no/such/daemon", NULL };
	struct err e = { 0 };
	pid_t pid = 77;

	assert_int_equal(proc_spawn_daemon(argv, -1, -1, &pid, &e), -ENOENT);
	assert_string_equal(e.msg, "cannot run '/no/such/daemon': No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(output_comes_back),
		cmocka_unit_test(a_failure_says_the_last_line),
		cmocka_unit_test(a_program_that_is_not_there_is_said),
		cmocka_unit_test(what_is_kept_is_bounded),
		cmocka_unit_test(standard_input_is_empty),
		cmocka_unit_test(a_grandchild_does_not_hold_us),
		cmocka_unit_test(nothing_of_ours_leaks_into_the_child),
		unit_test_in_dir(a_daemon_has_its_own_session_and_what_it_was_given),
		cmocka_unit_test(a_daemon_that_is_not_there_is_said),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
