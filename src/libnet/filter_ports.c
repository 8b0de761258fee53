/* SPDX-License-Identifier: MIT */
/*
 * filter_ports.c - which ports have rules, by the names of their chains.
 */
#include "libnet/filter.h"

#include "base/alloc.h"
#include "libnet/nft.h"

#include <string.h>

struct ports {
	char (*names)[IFNAMSIZ];
	size_t count;
};

/* "PORT" and "PORT-6" are of one port; the frame's own chains are not named so. */
static void take_chain(void *data, const char *chain)
{
	size_t len = strcspn(chain, "-");
	struct ports *ports = data;

	if (len >= IFNAMSIZ ||
	    strncmp(chain, FILTER_PORT_PREFIX, sizeof(FILTER_PORT_PREFIX) - 1) != 0)
		return;
	for (size_t i = 0; i < ports->count; i++)
		if (strncmp(ports->names[i], chain, len) == 0 && ports->names[i][len] == '\0')
			return;
	ports->names = xrealloc_array(ports->names, ports->count + 1, IFNAMSIZ);
	memset(ports->names[ports->count], 0, IFNAMSIZ);
	memcpy(ports->names[ports->count++], chain, len);
}

int filter_each(void (*each)(void *data, const char *port), void *data, struct err *e)
{
	struct ports ports = { 0 };
	int r = nft_each_chain(take_chain, &ports);

	if (r == -ENOENT || nft_is_missing(r))
		r = 0;
	for (size_t i = 0; r == 0 && i < ports.count; i++)
		each(data, ports.names[i]);
	free(ports.names);
	return r < 0 ? err_set(e, r, "cannot read which ports are filtered: %s", strerror(-r))
		     : 0;
}
