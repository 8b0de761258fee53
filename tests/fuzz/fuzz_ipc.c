/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ipc.c - bytes of a peer that may be anybody. They are taken as a request
 * by a server and as an answer by a client.
 */
#include "base/jv.h"
#include "libipc/ipc.h"

#include "fuzz.h"

#include <sys/socket.h>

/* ENDS[0] receives what its peer has sent; the peer sends no more and reads nothing. */
static void feed(int ends[2], const uint8_t *data, size_t size)
{
	int room = 512 << 10;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
	    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
		abort();
	/* What does not fit into the socket is not sent: the limit is far below that. */
	(void)!send(ends[1], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(ends[1], SHUT_WR);
}

static void done(const int ends[2])
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void check(int r, const struct err *e, const struct jv *message)
{
	if (r == 0 && jv_type(message) != JV_OBJECT)
		abort();
	if (r < 0 && (e->code != r || message))
		abort();
}

static void as_server(const uint8_t *data, size_t size)
{
	cleanup_jv struct jv *request = NULL;
	struct err e = { 0 };
	int ends[2], r;

	feed(ends, data, size);
	r = ipc_receive(ends[0], 1000, &request, &e);
	check(r, &e, request);
	done(ends);
}

static void as_client(const uint8_t *data, size_t size)
{
	cleanup_jv struct jv *request = jv_object();
	cleanup_jv struct jv *answer = NULL;
	struct err e = { 0 };
	int ends[2], r;

	feed(ends, data, size);
	r = ipc_call(ends[0], request, 1000, &answer, &e);
	check(r, &e, answer);
	done(ends);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_server(data, size);
	as_client(data, size);
	return 0;
}
