/* SPDX-License-Identifier: MIT */
/*
 * registry.h - one conversation with a container registry, with a token or a password, as the
 * registry asks for it.
 *
 * A password goes to the registry that it is for, and to the token server that this registry
 * names; to no other, and over plain HTTP to this machine alone, unless the source
 * is marked insecure. Mirrors get none.
 */
#pragma once

#include "base/err.h"
#include "libhttp/send.h"
#include "libsource/source.h"
#include "libsys/host.h"

struct source_call;

struct registry {
	struct source_call *call;
	char *base;       /* "https://registry-1.docker.io" */
	const char *ns;   /* for a mirror: whose images; else NULL */
	const char *repo; /* borrowed */
	char *auth;       /* "Authorization: ..."; NULL: not asked for yet */
	bool push;        /* tokens are for writing as well */
};

void registry_done(struct registry *reg);
#define cleanup_registry cleanup_with(registry_done)

/*
 * GET /v2/REPO/PATH, at most MAX bytes. JOB gets body and type; the caller ends with
 * http_job_done() whatever comes back. ACCEPT is a header's line or NULL.
 */
ATTR_MUST_CHECK int registry_get(struct registry *reg, const char *path, const char *accept,
				 uint64_t max, struct http_job *job, struct err *e);
/*
 * Send S with the line TYPE, which may be NULL, and RANGE, the same. Where S->url is another
 * server's than the registry's own, nothing that proves who we are goes with it. 0: there is
 * an answer, whatever its status.
 */
ATTR_MUST_CHECK int registry_send(struct registry *reg, struct http_send *s, const char *type,
				  const char *range, struct err *e);
/* Where the registry of SOURCE answers. New. */
char *registry_server(const struct source *source);
/* The address of /v2/REPO/PATH. New. */
char *registry_url(const struct registry *reg, const char *path);
/* 0 when something at URL answers as a registry does. */
ATTR_MUST_CHECK int registry_ping(struct source_call *call, const char *base, struct err *e);

/* "docker.io" of "https://docker.io/"; with a port where there is one. New. */
char *registry_host(const char *url);

/*
 * In the caller of helpers, which may read it: "user:password" for SOURCE's host from its
 * "auth_file", else $REGISTRY_AUTH_FILE, ~/.docker/config.json, /run/containers/0/auth.json.
 * NULL where none of them has it. New.
 */
ATTR_MUST_CHECK int registry_find_login(const struct host *h, const struct source *source,
					char **ret_login, struct err *e);
/* What an auth file says of HOST. NULL: nothing. New. */
ATTR_MUST_CHECK int registry_read_login(const char *text, size_t len, const char *host,
					char **ret_login, struct err *e);
