/* SPDX-License-Identifier: MIT */
/*
 * mdata.h - the parts of the metadata tools among themselves.
 *
 *	main.c      what is asked, and what is said about it
 *	protocol.c  frames of the protocol's second version
 *	link.c      the socket or the serial port to the host
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status { DONE = 0, NOT_FOUND = 1, FAILED = 2, WRONG_USE = 3 };

/* Bytes that are kept, with a '\0' behind them. */
struct text {
	char *data;
	size_t len;
};
void text_add(struct text *t, const void *data, size_t len); /* or the program ends */
void text_free(struct text *t);

/* ---- protocol.c ---------------------------------------------------------------- */

/* "V2 ...\n" that asks VERB about PAYLOAD (LEN bytes; 0: none) under the number ID. */
void frame_build(struct text *out, uint32_t id, const char *verb, const char *payload,
		 size_t len);

/* A PUT's payload: both in base64, with a blank between. */
void frame_pair(struct text *out, const char *key, const char *value, size_t len);

/*
 * LINE, without its newline, as the answer to ID. False: it is damaged or somebody
 * else's. *RET_PAYLOAD is decoded; RET_CODE holds the word.
 */
bool frame_parse(const char *line, uint32_t id, char ret_code[static 16],
		 struct text *ret_payload);

/* ---- link.c -------------------------------------------------------------------- */

struct link {
	const char *path; /* NULL: look for it */
	int fd;           /* -1: closed */
	struct text in;   /* what came and was not taken yet */
};

int64_t now_ms(void);

/* Is there anything that could lead to the host? Else why says what was looked for. */
bool link_exists(const struct link *l);

/* Open it and agree on the second version, until UNTIL. False: not now. */
bool link_open(struct link *l, int64_t until);
void link_close(struct link *l);

bool link_send(struct link *l, const struct text *t, int64_t until);

/* The next line without its newline; it lives until the next call. NULL: none came. */
char *link_line(struct link *l, int64_t until);
