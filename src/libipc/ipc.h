/* SPDX-License-Identifier: MIT */
/*
 * ipc.h - one JSON object a line each way over a unix stream socket.
 *
 *	client                              server (an event loop)
 *	ipc_connect() ───────────────────▶  ipc_listen() ... ipc_accept()
 *	ipc_call(request, &answer)  ──────▶ ipc_receive() ... ipc_answer_ok/error()
 *
 * A message is one object of at most IPC_MESSAGE_MAX bytes and the newline that
 * ends it. Every wait has a deadline, so neither side can hold the other. Who
 * the other side is comes from the kernel (SO_PEERCRED), never from a message.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

#define IPC_MESSAGE_MAX ((size_t)64 << 10)

struct jv;

/* Who connected, as the kernel saw it at that moment. */
struct ipc_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/*
 * Listen on the socket NAME in DIRFD, mode 0600. A socket that nobody listens
 * on any more is replaced; a live one is -EADDRINUSE; anything else of that
 * name is refused with -EEXIST. Returns a non-blocking descriptor. The caller
 * holds a lock that makes it the only one to try.
 */
ATTR_MUST_CHECK int ipc_listen(int dirfd, const char *name, struct err *e);

/*
 * Take the next connection of LISTENFD. -EAGAIN when there is none (no error
 * text). Returns a descriptor that the other calls of this header take.
 */
ATTR_MUST_CHECK int ipc_accept(int listenfd, struct ipc_peer *ret_peer, struct err *e);

/*
 * Connect to the socket NAME in DIRFD, waiting at most TIMEOUT_MS while its
 * queue is full. -ENOENT: no such socket; -ECONNREFUSED: nobody listens.
 */
ATTR_MUST_CHECK int ipc_connect(int dirfd, const char *name, int timeout_ms, struct err *e);

/* Who is on the other side of a connected descriptor. */
ATTR_MUST_CHECK int ipc_peer(int fd, struct ipc_peer *ret_peer, struct err *e);

/*
 * Send or receive one object within TIMEOUT_MS (-1: for ever). -ETIMEDOUT,
 * -EMSGSIZE when it is too large, -EBADMSG when it is not one JSON object,
 * -EPIPE (send) or -ECONNRESET (receive) when the other side is gone. After an
 * error the connection is of no more use. Requests are not sent ahead: bytes
 * that follow the newline at once are -EBADMSG for ipc_receive().
 */
ATTR_MUST_CHECK int ipc_send(int fd, const struct jv *message, int timeout_ms, struct err *e);
ATTR_MUST_CHECK int ipc_receive(int fd, int timeout_ms, struct jv **ret_message, struct err *e);

/*
 * A client's round: send REQUEST, wait for the answer. TIMEOUT_MS is for both
 * together. An answer { "ok": false, "code": C, "error": TEXT } becomes the
 * error: C (a negative errno; -EPROTO when it is none) with TEXT. *RET_ANSWER,
 * new, is the whole answer; it may be NULL when it is of no interest. Bytes that
 * follow the answer's newline are left for the caller to read.
 */
ATTR_MUST_CHECK int ipc_call(int fd, const struct jv *request, int timeout_ms,
			     struct jv **ret_answer, struct err *e);

/*
 * A server's answer: { "ok": true } and the members of MORE (NULL: none;
 * borrowed), or { "ok": false, "code": FAILURE->code, "error": FAILURE->msg }.
 * The client has TIMEOUT_MS to take it.
 */
ATTR_MUST_CHECK int ipc_answer_ok(int fd, const struct jv *more, int timeout_ms, struct err *e);
ATTR_MUST_CHECK int ipc_answer_error(int fd, const struct err *failure, int timeout_ms,
				     struct err *e);
