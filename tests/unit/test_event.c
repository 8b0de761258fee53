/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/event.h"

#include "unit.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct fixture {
	struct event *loop;
	struct event_source *source;
	int calls;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(event_new(&f->loop, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	event_free(f->loop);
	free(f);
	return 0;
}

static int leave(void *data, uint32_t events ATTR_UNUSED)
{
	struct fixture *f = data;

	f->calls++;
	event_exit(f->loop, 7);
	return 0;
}

static int fail_pipe(void *data, uint32_t events ATTR_UNUSED)
{
	struct fixture *f = data;

	f->calls++;
	return -EPIPE;
}

static int free_itself_then_wait(void *data, uint32_t events ATTR_UNUSED)
{
	struct fixture *f = data;

	event_source_free(f->source);
	return event_add_timer(f->loop, 1, leave, f, NULL, NULL);
}

static int read_then_leave(void *data, uint32_t events)
{
	struct fixture *f = data;

	f->calls++;
	if (events & EPOLLIN)
		event_exit(f->loop, (int)events);
	return 0;
}

static void a_timer_fires_once_and_not_before(void **state)
{
	struct fixture *f = *state;
	int64_t began = clock_now_ms();

	assert_int_equal(event_add_timer(f->loop, 30, leave, f, NULL, NULL), 0);
	assert_int_equal(event_run(f->loop, NULL), 7);
	assert_int_equal(f->calls, 1);
	assert_true(clock_now_ms() - began >= 29);
}

static void a_descriptor_says_what_happened(void **state)
{
	struct fixture *f = *state;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(
		event_add_io(f->loop, ends[0], EPOLLIN, read_then_leave, f, &f->source, NULL),
		0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(event_run(f->loop, NULL), EPOLLIN);
	event_source_free(f->source);
	close(ends[0]);
	close(ends[1]);
}

static void a_signal_is_delivered_to_the_loop(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(event_add_signal(f->loop, SIGUSR1, leave, f, NULL, NULL), 0);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(event_run(f->loop, NULL), 7);
	assert_int_equal(f->calls, 1);
}

static void a_failing_callback_ends_the_loop(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	assert_int_equal(event_add_timer(f->loop, 0, fail_pipe, f, NULL, NULL), 0);
	assert_int_equal(event_run(f->loop, &e), -EPIPE);
	assert_int_equal(e.code, -EPIPE);
	assert_int_equal(f->calls, 1);
}

static void a_source_may_be_freed_by_its_callback(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		event_add_timer(f->loop, 0, free_itself_then_wait, f, &f->source, NULL), 0);
	assert_int_equal(event_run(f->loop, NULL), 7);
	assert_int_equal(f->calls, 1);
}

static void a_freed_source_is_silent(void **state)
{
	struct fixture *f = *state;
	struct event_source *first, *second;

	assert_int_equal(event_add_timer(f->loop, 0, fail_pipe, f, &first, NULL), 0);
	assert_int_equal(event_add_timer(f->loop, 0, fail_pipe, f, &second, NULL), 0);
	assert_int_equal(event_add_timer(f->loop, 20, leave, f, NULL, NULL), 0);
	event_source_free(first);
	event_source_free(second);
	event_source_free(NULL);
	assert_int_equal(event_run(f->loop, NULL), 7);
	assert_int_equal(f->calls, 1);
}

static void a_bad_descriptor_is_said(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	assert_int_equal(event_add_io(f->loop, 9999, EPOLLIN, leave, f, NULL, &e), -EBADF);
	assert_string_equal(e.msg, "cannot watch a descriptor: Bad file descriptor");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(a_timer_fires_once_and_not_before),
		TEST(a_descriptor_says_what_happened),
		TEST(a_signal_is_delivered_to_the_loop),
		TEST(a_failing_callback_ends_the_loop),
		TEST(a_source_may_be_freed_by_its_callback),
		TEST(a_freed_source_is_silent),
		TEST(a_bad_descriptor_is_said),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
