/* SPDX-License-Identifier: MIT */
#include "platform/shadow.h"

#include "base/buf.h"

#include <string.h>

#define ROOT "root:"

bool shadow_hash_is_valid(const char *hash)
{
	size_t len = strlen(hash);

	if (len == 0 || len > SHADOW_HASH_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (hash[i] <= ' ' || hash[i] > '~' || strchr(":;\\", hash[i]))
			return false;
	}
	return true;
}

static const char *root_line(const char *text)
{
	const char *p = text;

	while (p && *p) {
		if (strncmp(p, ROOT, strlen(ROOT)) == 0)
			return p;
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return NULL;
}

int shadow_get_root(const char *text, const char *source, char ret[static SHADOW_HASH_MAX + 1],
		    struct err *e)
{
	const char *line = root_line(text);
	char hash[SHADOW_HASH_MAX + 1];
	size_t len;

	if (!line)
		return err_set(e, -ENOENT, "'%s' has no line for root", source);
	line += strlen(ROOT);
	len = strcspn(line, ":\n");
	if (len > SHADOW_HASH_MAX)
		return err_set(e, -EINVAL, "'%s': root's password is too long for a hash",
			       source);
	memcpy(hash, line, len);
	hash[len] = '\0';
	if (!shadow_hash_is_valid(hash))
		return err_set(e, -EINVAL,
			       "'%s': what root's line holds is not a password's hash", source);
	memcpy(ret, hash, len + 1);
	return 0;
}

char *shadow_set_root(const char *text, const char *hash)
{
	struct buf out = BUF_INIT;
	const char *line = root_line(text), *rest;

	if (!line) {
		buf_addf(&out, ROOT "%s::0:99999:7:::\n%s", hash, text);
		return buf_take(&out);
	}
	rest = line + strlen(ROOT);
	rest += strcspn(rest, ":\n");
	buf_add(&out, text, (size_t)(line - text));
	buf_addf(&out, ROOT "%s%s", hash, rest);
	return buf_take(&out);
}
