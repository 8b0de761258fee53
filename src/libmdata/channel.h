/* SPDX-License-Identifier: MIT */
/*
 * channel.h - what the agent and the supervisor of its VM say to each other, over a
 * socket pair that keeps messages apart (SOCK_SEQPACKET). The agent asks, one
 * question at a time; the supervisor, who trusts it as little as the guest, answers.
 *
 *	agent                              supervisor
 *	"V" 1 or 0  ─────────────────────▶ have I still the VM object? 0: I have none
 *	            ◀───────────────────── "U" unchanged; "V" and a descriptor: JSON
 *	"C" KEY \0 VALUE  ───────────────▶ set it
 *	"D" KEY  ────────────────────────▶ remove it
 *	            ◀───────────────────── "K" it is stored; "E" TEXT: why not
 *
 * The object comes as a file in memory, because it may be larger than a message.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

/* A letter, a key, a zero byte and a value. */
#define CHANNEL_MESSAGE_MAX ((size_t)132 << 10)

/* Numbers under which the agent finds what it needs. */
#define CHANNEL_FD        3
#define CHANNEL_LISTEN_FD 4

/* The two ends: O_CLOEXEC, with room for the largest message. */
ATTR_MUST_CHECK int channel_make(int ret_ends[static 2], struct err *e);

/* PASS is a descriptor to send along, -1: none. Never waits: -EAGAIN. */
ATTR_MUST_CHECK int channel_send(int fd, const void *data, size_t len, int pass, struct err *e);

/*
 * Waits for a message; returns its length, with a '\0' behind it. -ECONNRESET: the
 * other side is gone; -EMSGSIZE: it was cut. RET_PASSED may be NULL: none is taken.
 */
ATTR_MUST_CHECK int channel_receive(int fd, char *buffer, size_t size, int *ret_passed,
				    struct err *e);
