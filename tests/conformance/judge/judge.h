/* SPDX-License-Identifier: MIT */
/*
 * judge.h - payloads held against recorded decisions, in one process: hundreds of
 * cases in a second. See tests/conformance/run for what is printed.
 *
 *	judge GROUP FIXTURES      vmadm-payloads/oracle/GROUP.json below FIXTURES
 *	judge calls FIXTURES      vmadm-payloads/tests, all of them
 *
 * What the recorded host had (images, NIC tags, another VM) is read from the
 * notes of the recordings.
 */
#pragma once

#include "base/jv.h"
#include "libpayload/payload.h"

#include <stdbool.h>

#define JUDGE_NO_DATA 77

struct judge_host {
	struct jv *images; /* UUID -> { "type", "size" } */
	struct jv *tags;   /* NAME -> is it physical */
	struct jv *other;  /* the record of a VM that is there, or NULL */
	struct payload_env env;
};

/* The file NAME below FIXTURES; NULL: there is none. */
struct jv *judge_load(const char *fixtures, const char *name);
void judge_host_open(struct judge_host *h, const char *fixtures);
void judge_host_close(struct judge_host *h);
/* JUDGE each of the "cases" of FILE, all of which is DATA. Returns the exit status. */
int judge_each(const char *fixtures, const char *file,
	       void (*judge)(struct judge_host *h, const struct jv *data, const struct jv *c));

/* What a person reads first when CODE and PS refuse, new. */
char *judge_refusal(const struct problems *ps, const struct err *e);
/* Addresses that RECORD shares with the other VM, or its UUID: the text of the refusal, or
 * NULL. */
char *judge_conflict(const struct judge_host *h, const struct jv *record);

void judge_agree(const char *name);
void judge_listed(const char *rule, const char *name);
void judge_differ(const char *name, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* Does HAVE hold all that WANT says? NULL, or the path of what it lacks; new. */
char *judge_covers(const struct jv *want, const struct jv *have, const char *path);
/* The same text, but for generated values. */
bool judge_same_text(const char *want, const char *have);

int judge_calls(const char *fixtures);
int judge_create(const char *fixtures);
int judge_update(const char *fixtures);
int judge_validate(const char *fixtures);
