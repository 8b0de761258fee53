/* SPDX-License-Identifier: MIT */
#include "libsys/procfs.h"

#include "unit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static pid_t sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0)
		pause();
	return pid;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_process_is_itself_only_with_its_start_time(void **state)
{
	uint64_t start = 0;

	(void)state;
	assert_int_equal(procfs_start_time(getpid(), &start, NULL), 0);
	assert_true(start > 0);
	assert_true(procfs_is_alive(getpid(), start));
	assert_false(procfs_is_alive(getpid(), start + 1));
	assert_false(procfs_is_alive(0, start));
	assert_false(procfs_is_alive(-1, start));
}

static void a_zombie_does_not_live(void **state)
{
	uint64_t start = 0;
	siginfo_t info;
	pid_t pid = sleeper();

	(void)state;
	assert_int_equal(procfs_start_time(pid, &start, NULL), 0);
	assert_true(procfs_is_alive(pid, start));
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(procfs_is_alive(pid, start));
	end(pid);
	assert_int_equal(procfs_start_time(pid, &start, NULL), -ESRCH);
}

/* The name is the process's to choose; it stands before the fields that matter. */
static void a_name_cannot_lie_about_the_parent(void **state)
{
	pid_t parent = 0;
	char name[16];

	(void)state;
	assert_int_equal(prctl(PR_SET_NAME, "x) R 1 1 (y\n"), 0);
	assert_int_equal(procfs_parent(getpid(), &parent, NULL), 0);
	assert_int_equal(parent, getppid());
	procfs_name(getpid(), name);
	assert_string_equal(name, "x) R 1 1 (y");
	assert_int_equal(prctl(PR_SET_NAME, "test_procfs"), 0);
}

static void a_signal_is_awaited_when_caught_or_held_back(void **state)
{
	sigset_t set;

	(void)state;
	assert_false(procfs_awaits_signal(getpid(), SIGUSR1));
	(void)signal(SIGUSR1, SIG_IGN);
	assert_false(procfs_awaits_signal(getpid(), SIGUSR1));
	(void)signal(SIGUSR1, SIG_DFL);

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGRTMIN + 4);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	assert_true(procfs_awaits_signal(getpid(), SIGRTMIN + 4));
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	assert_false(procfs_awaits_signal(getpid(), SIGRTMIN + 4));
}

/* Busybox's init does this, and was never asked to end. */
static void who_fetches_signals_awaits_them(void **state)
{
	struct timespec nap = { .tv_nsec = 1000000 };
	bool awaits = false;
	sigset_t set;
	pid_t pid;

	(void)state;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR2);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	pid = fork();
	if (pid == 0) {
		int got;

		(void)sigwait(&set, &got);
		_exit(0);
	}
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (int i = 0; i < 5000 && !awaits; i++) {
		(void)nanosleep(&nap, NULL);
		awaits = procfs_awaits_signal(pid, SIGUSR2);
	}
	assert_true(awaits);
	end(pid);
}

static void we_are_not_the_init_of_a_namespace_below_ours(void **state)
{
	(void)state;
	assert_false(procfs_is_namespace_init(getpid()));
	assert_false(procfs_is_namespace_init(1));
}

static void a_descriptor_tells_the_end(void **state)
{
	pid_t pid = sleeper();
	int fd = pidfd_open_process(pid, NULL);

	(void)state;
	assert_true(fd >= 0);
	assert_false(pidfd_wait_end(fd, 0));
	assert_int_equal(pidfd_signal(fd, SIGKILL, NULL), 0);
	assert_true(pidfd_wait_end(fd, 5000));
	end(pid);
	assert_int_equal(pidfd_signal(fd, SIGKILL, NULL), 0);
	close(fd);
	assert_int_equal(pidfd_open_process(pid, NULL), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(a_process_is_itself_only_with_its_start_time),
		cmocka_unit_test(a_zombie_does_not_live),
		cmocka_unit_test(a_name_cannot_lie_about_the_parent),
		cmocka_unit_test(a_signal_is_awaited_when_caught_or_held_back),
		cmocka_unit_test(who_fetches_signals_awaits_them),
		cmocka_unit_test(we_are_not_the_init_of_a_namespace_below_ours),
		cmocka_unit_test(a_descriptor_tells_the_end),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
