/* SPDX-License-Identifier: MIT */
/*
 * source.h - where images come from: ROOT/var/imgadm/imgadm.conf, and asking.
 *
 *	{ "sources": [ { "type": "imgapi", "url": "https://images.example.com",
 *	                 "insecure": true, "channel": "dev",
 *	                 "ca_file": "/etc/dais/ca.pem", "public_key": "/etc/dais/images.pub" }
 *], "http": { "tries": 5, ... } }
 *
 * docs/image-sources.md has all members. What is not understood is kept when the file
 * is written. Without a file, or without "sources", there is one source.
 */
#pragma once

#include "base/err.h"
#include "libhttp/http.h"
#include "libsys/host.h"

#include <stdbool.h>
#include <stddef.h>

struct jv;
struct source_auth;
struct source_ops;

#define SOURCE_DEFAULT_URL "https://images.smartos.org"
#define SOURCES_MAX        64

struct source {
	char *url; /* normalised; may end in "?channel=NAME" */
	const struct source_ops *ops;
	char *channel; /* NULL: the server's default */
	bool insecure;
	char *ca;                 /* PEM text, read from ca_file; or NULL */
	char *ca_file;            /* a path on the host; or NULL */
	char *proxy;              /* or NULL */
	char *login;              /* "user:password" for a registry; or NULL */
	struct source_auth *auth; /* as whom an IMGAPI is asked; or NULL */
	char *arch;               /* of what to take from a registry; NULL: this machine's */
	char *public_key;         /* text of the key that signs what is here; or NULL */
	struct jv *members;       /* all of the file's object */
};

struct sources {
	struct source *items;
	size_t count;
	struct jv *config; /* the whole file, an object */
	struct http_policy http;
	unsigned int parallel; /* downloads at a time */
	char *agent;
};

ATTR_MUST_CHECK int sources_load(const struct host *h, struct sources *ret, struct err *e);
void sources_done(struct sources *s);
#define cleanup_sources cleanup_with(sources_done)

/* Replace the file. The caller holds sources_lock() since before sources_load(). */
ATTR_MUST_CHECK int sources_store(const struct host *h, const struct sources *s, struct err *e);
ATTR_MUST_CHECK int sources_lock(const struct host *h, struct err *e);

/*
 * URL with "http://" when it has no scheme, without the scheme's own port and a final
 * slash. New. NULL and an error when it is none.
 */
char *source_normalise(const char *url, struct err *e);

/* What `sources -a` says. What names a file is a path, and all may be NULL but the url. */
struct source_wish {
	const char *url;
	const char *type; /* NULL: imgapi */
	bool insecure;
	const char *ca_file;
	const char *key_file;
	const char *login;
	const char *login_key;
};

/* A source of its own, in no list; the caller ends with source_done(). */
ATTR_MUST_CHECK int source_make(const struct host *h, const struct source_wish *wish,
				struct source *ret, struct err *e);
void source_done(struct source *s);
bool source_equal(const struct source *a, const struct source *b);

/* Add at the end; takes what S holds. Remove one. Neither writes the file. */
void sources_add(struct sources *list, struct source *s);
void sources_remove(struct sources *list, size_t index);

/* The channel of `import -C`, for all of them. */
void sources_set_channel(struct sources *list, const char *channel);

/* The architecture of `import --arch`, for all of them. */
void sources_set_arch(struct sources *list, const char *arch);

/* Signed, where the source has a login, as source_auth_sign() was called last. */
struct http_peer source_peer(const struct source *s, const char *const *headers);

/* ---- asking ---- */

enum source_question { SOURCE_PING, SOURCE_LIST, SOURCE_GET };

#define SOURCE_CODE_MAX 64

struct source_answer {
	const struct source *source;
	/*
	 * PING: true. LIST: an array of manifests, each with a valid uuid. GET:
	 * { "manifest", "files", ... }, see source_ops.h. NULL when it failed.
	 */
	struct jv *value;
	int result;
	char code[SOURCE_CODE_MAX]; /* the failure's name: the server's own, or ours */
	struct err err;
};

/*
 * Ask COUNT sources at the same time, each in a process without rights. NAME is what
 * GET asks for. ANSWERS has room for COUNT; the caller ends each with source_answer_done().
 */
void source_ask(const struct sources *s, const struct source *const list[], size_t count,
		enum source_question question, const char *name,
		struct source_answer answers[]);
void source_answer_done(struct source_answer *a);
