/* SPDX-License-Identifier: MIT */
#include "libnet/nictag.h"

#include "libnet/hash.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define MTU_DEFAULT 1500

bool nictag_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_";
	size_t len = strlen(name);

	return len > 0 && len <= NICTAG_MAX && strspn(name, allowed) == len;
}

bool nictag_link_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && !strpbrk(name, "/: \t\n\v\f\r") &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void bridge_name(const char *tag, char ret[static IFNAMSIZ])
{
	int len = snprintf(ret, IFNAMSIZ, "br-%s", tag);

	/* Cutting the name off would let two tags share a bridge. */
	if (len >= IFNAMSIZ)
		(void)snprintf(ret, IFNAMSIZ, "br-%012llx",
			       (unsigned long long)(hash_text(tag) & 0xffffffffffffULL));
}

void nictag_init(struct nictag *tag, const char *name)
{
	assert(nictag_name_is_valid(name));
	*tag = (struct nictag){ .mtu = MTU_DEFAULT };
	(void)snprintf(tag->name, sizeof(tag->name), "%s", name);
	bridge_name(name, tag->bridge);
}

bool nictag_is_guest(const struct nictag *tag)
{
	char own[IFNAMSIZ];

	bridge_name(tag->name, own);
	return strcmp(own, tag->bridge) != 0;
}

bool nictag_is_etherstub(const struct nictag *tag)
{
	return tag->link[0] == '\0' && tag->mac[0] == '\0' && !nictag_is_guest(tag);
}

int nictag_find(const struct host *h, const char *name, struct nictag *ret_tag, struct err *e)
{
	cleanup_free struct nictag *tags = NULL;
	size_t count = 0;
	int r;

	r = nictag_load(h, &tags, &count, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (strcmp(tags[i].name, name) == 0) {
			*ret_tag = tags[i];
			return 0;
		}
	return err_set(e, -ENOENT, "Invalid nic tag \"%s\"", name);
}
