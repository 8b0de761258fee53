/* SPDX-License-Identifier: MIT */
/*
 * console.h - what goes over the connection to a VM's console.
 *
 *	{ "request": "console", "rows": N, "columns": N }    asked of zoneadmd
 *	{ "ok": true }                                       then the line is the console:
 *	◀── bytes, as the VM writes them
 *	──▶ frames: TYPE, LENGTH (two bytes, the higher one first), LENGTH bytes
 *
 * Frames carry what a person types, and how large that person's terminal is. Several
 * may look and type at once; the last size that was told counts. Who does not read
 * fast enough misses bytes, as on a serial line: the VM never waits for anybody.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

#define CONSOLE_FRAME_DATA 'd'
#define CONSOLE_FRAME_SIZE 'w' /* rows, columns: two bytes each, the higher one first */
#define CONSOLE_FRAME_HEAD 3
#define CONSOLE_FRAME_MAX  1024 /* bytes of a frame's body */

/* Send LEN bytes that were typed, in as many frames as it takes. Waits. -EPIPE: it is gone. */
ATTR_MUST_CHECK int console_send(int fd, const char *data, size_t len, struct err *e);
ATTR_MUST_CHECK int console_send_size(int fd, unsigned short rows, unsigned short columns,
				      struct err *e);
