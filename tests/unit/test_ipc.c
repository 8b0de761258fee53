/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/jv.h"
#include "libipc/ipc.h"

#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define SOON_MS 5000

struct fixture {
	struct unit_dir *d;
	int listener;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = { 0 };

	assert_int_equal(unit_dir_setup((void **)&f->d), 0);
	f->listener = ipc_listen(f->d->fd, "s", &e);
	if (f->listener < 0)
		fail_msg("%s", e.msg);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int r;

	close_p(&f->listener);
	(void)unlinkat(f->d->fd, "s", 0);
	r = unit_dir_teardown((void **)&f->d);
	free(f);
	return r;
}

static void connect_both(const struct fixture *f, int *client, int *server)
{
	struct ipc_peer peer;

	*client = ipc_connect(f->d->fd, "s", SOON_MS, NULL);
	assert_true(*client >= 0);
	*server = ipc_accept(f->listener, &peer, NULL);
	assert_true(*server >= 0);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, geteuid());
	assert_int_equal(peer.gid, getegid());
}

static struct jv *object(const char *text)
{
	struct jv *v = NULL;

	assert_int_equal(jv_parse(text, strlen(text), "test", &v, NULL), 0);
	return v;
}

static void the_socket_is_its_owners_only(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(fstatat(f->d->fd, "s", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0600);
	assert_int_equal(fcntl(f->listener, F_GETFD), FD_CLOEXEC);
}

static void nobody_waiting_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct ipc_peer peer;

	assert_int_equal(ipc_accept(f->listener, &peer, NULL), -EAGAIN);
}

static void a_live_listener_is_not_replaced(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	assert_int_equal(ipc_listen(f->d->fd, "s", &e), -EADDRINUSE);
	assert_string_equal(e.msg, "another process listens on 's'");
}

static void a_dead_listener_is_replaced(void **state)
{
	struct fixture *f = *state;
	int client, server;

	close_p(&f->listener);
	assert_int_equal(ipc_connect(f->d->fd, "s", 0, NULL), -ECONNREFUSED);
	f->listener = ipc_listen(f->d->fd, "s", NULL);
	assert_true(f->listener >= 0);
	connect_both(f, &client, &server);
	close(client);
	close(server);
}

static void what_is_no_socket_is_kept(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	unit_write(f->d, "file", "precious");
	assert_int_equal(ipc_listen(f->d->fd, "file", &e), -EEXIST);
	assert_string_equal(e.msg, "'file' exists and is not a socket");
	assert_int_equal(ipc_listen(f->d->fd, "../s", &e), -EINVAL);
	assert_int_equal(unlinkat(f->d->fd, "file", 0), 0);
	assert_int_equal(ipc_connect(f->d->fd, "file", 0, NULL), -ENOENT);
}

/* Answers one request, in a process of its own, as a daemon would. */
static pid_t serve(const struct fixture *f, const char *more, const char *error)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct pollfd p = { .fd = f->listener, .events = POLLIN };
		struct jv *request = NULL;
		struct ipc_peer peer;
		struct err e = { 0 };
		int fd;

		(void)poll(&p, 1, SOON_MS);
		fd = ipc_accept(f->listener, &peer, NULL);
		if (fd < 0 || ipc_receive(fd, SOON_MS, &request, NULL) < 0)
			_exit(1);
		(void)err_set(&e, -EBUSY, "%s", error ? error : "");
		_exit((error ? ipc_answer_error(fd, &e, SOON_MS, NULL)
			     : ipc_answer_ok(fd, more ? object(more) : NULL, SOON_MS, NULL)) !=
		      0);
	}
	return pid;
}

static int call(const struct fixture *f, const char *request, struct jv **ret_answer,
		struct err *e)
{
	cleanup_close int fd = ipc_connect(f->d->fd, "s", SOON_MS, NULL);
	cleanup_jv struct jv *v = object(request);

	assert_true(fd >= 0);
	return ipc_call(fd, v, SOON_MS, ret_answer, e);
}

static void a_request_is_answered(void **state)
{
	struct fixture *f = *state;
	cleanup_jv struct jv *answer = NULL;
	cleanup_free char *text = NULL;
	int status;
	pid_t pid = serve(f, "{\"state\":\"running\"}", NULL);

	assert_int_equal(call(f, "{\"request\":\"status\"}", &answer, NULL), 0);
	text = jv_dump(answer, 0);
	assert_string_equal(text, "{\"ok\":true,\"state\":\"running\"}");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_refusal_becomes_the_callers_error(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	pid_t pid = serve(f, NULL, "the VM is busy");

	assert_int_equal(call(f, "{}", NULL, &e), -EBUSY);
	assert_string_equal(e.msg, "the VM is busy");
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void assert_received(const struct fixture *f, const char *bytes, size_t len, int want)
{
	struct jv *message = NULL;
	struct err e = { 0 };
	int client, server;

	connect_both(f, &client, &server);
	assert_int_equal(send(client, bytes, len, 0), (ssize_t)len);
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	assert_int_equal(ipc_receive(server, SOON_MS, &message, &e), want);
	assert_int_equal(e.code, want < 0 ? want : 0);
	jv_unref(message);
	close(client);
	close(server);
}

static void what_is_no_message_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_received(f, "{\"a\":1}\n", 8, 0);
	assert_received(f, "[1]\n", 4, -EBADMSG);
	assert_received(f, "{\n", 2, -EBADMSG);
	assert_received(f, "\n", 1, -EBADMSG);
	assert_received(f, "{}\n{}\n", 6, -EBADMSG);
	assert_received(f, "{\"half\":", 8, -ECONNRESET);
	assert_received(f, "", 0, -ECONNRESET);
}

static void a_message_is_bounded_on_both_sides(void **state)
{
	struct fixture *f = *state;
	cleanup_free char *text = malloc(IPC_MESSAGE_MAX + 2);
	cleanup_jv struct jv *large = jv_object();
	struct err e = { 0 };
	int client, server;

	memset(text, ' ', IPC_MESSAGE_MAX + 2);
	text[0] = '{';
	text[IPC_MESSAGE_MAX - 1] = '}';
	text[IPC_MESSAGE_MAX] = '\n';
	assert_received(f, text, IPC_MESSAGE_MAX + 1, 0);
	text[IPC_MESSAGE_MAX] = ' ';
	assert_received(f, text, IPC_MESSAGE_MAX + 2, -EMSGSIZE);

	text[IPC_MESSAGE_MAX] = '\0';
	jv_set(large, "text", jv_string(text));
	connect_both(f, &client, &server);
	assert_int_equal(ipc_send(client, large, SOON_MS, &e), -EMSGSIZE);
	close(client);
	close(server);
}

static void a_silent_peer_is_given_up(void **state)
{
	struct fixture *f = *state;
	cleanup_jv struct jv *request = jv_object();
	struct err e = { 0 };
	int64_t began = clock_now_ms();
	int client, server;

	connect_both(f, &client, &server);
	assert_int_equal(send(server, "{\"drip", 6, 0), 6);
	assert_int_equal(ipc_call(client, request, 40, NULL, &e), -ETIMEDOUT);
	assert_string_equal(e.msg, "the other side did not answer in time");
	assert_true(clock_now_ms() - began >= 39);
	close(client);
	close(server);
}

static void a_peer_that_does_not_read_is_given_up(void **state)
{
	struct fixture *f = *state;
	cleanup_jv struct jv *large = jv_object();
	struct err e = { 0 };
	int client, server, r = 0;
	char text[60001];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	jv_set(large, "text", jv_string(text));
	connect_both(f, &client, &server);
	for (int i = 0; r == 0 && i < 1000; i++)
		r = ipc_send(client, large, 20, &e);
	assert_int_equal(r, -ETIMEDOUT);
	close(server);
	assert_int_equal(ipc_send(client, large, 20, &e), -EPIPE);
	close(client);
}

static void a_full_queue_times_out(void **state)
{
	struct fixture *f = *state;
	int clients[8], count = 0;
	struct err e = { 0 };

	assert_int_equal(listen(f->listener, 1), 0);
	for (; count < 8; count++) {
		clients[count] = ipc_connect(f->d->fd, "s", 30, &e);
		if (clients[count] < 0)
			break;
	}
	assert_in_range(count, 1, 7);
	assert_int_equal(clients[count], -ETIMEDOUT);
	while (count-- > 0)
		close(clients[count]);
}

static void a_code_that_is_none_is_a_protocol_error(void **state)
{
	struct fixture *f = *state;
	cleanup_jv struct jv *request = jv_object();
	struct err e = { 0 };
	static const char answer[] = "{\"ok\":false,\"code\":7}\n";
	int client, server;

	connect_both(f, &client, &server);
	assert_int_equal(send(server, answer, strlen(answer), 0), (ssize_t)strlen(answer));
	assert_int_equal(ipc_call(client, request, SOON_MS, NULL, &e), -EPROTO);
	assert_string_equal(e.msg, "the other side refused and did not say why");
	close(client);
	close(server);
}

/* A console speaks as soon as it is there, which may be before its answer was read. */
static void what_follows_an_answer_is_the_callers(void **state)
{
	struct fixture *f = *state;
	cleanup_jv struct jv *request = jv_object();
	static const char bytes[] = "{\"ok\":true}\nlogin: ";
	char rest[16] = { 0 };
	int client, server;

	connect_both(f, &client, &server);
	assert_int_equal(send(server, bytes, strlen(bytes), 0), (ssize_t)strlen(bytes));
	assert_int_equal(ipc_call(client, request, SOON_MS, NULL, NULL), 0);
	assert_int_equal(recv(client, rest, sizeof(rest) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(rest, "login: ");
	close(client);
	close(server);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(the_socket_is_its_owners_only),
		TEST(nobody_waiting_is_no_error),
		TEST(a_live_listener_is_not_replaced),
		TEST(a_dead_listener_is_replaced),
		TEST(what_is_no_socket_is_kept),
		TEST(a_request_is_answered),
		TEST(a_refusal_becomes_the_callers_error),
		TEST(what_is_no_message_is_refused),
		TEST(a_message_is_bounded_on_both_sides),
		TEST(a_silent_peer_is_given_up),
		TEST(a_peer_that_does_not_read_is_given_up),
		TEST(a_full_queue_times_out),
		TEST(a_code_that_is_none_is_a_protocol_error),
		TEST(what_follows_an_answer_is_the_callers),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
