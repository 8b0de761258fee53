/* SPDX-License-Identifier: MIT */
#include "imgadm/sources.h"

#include "libsource/source_ops.h"

#include <stdio.h>

static const char *channel_note(const struct source *s, char text[static 256])
{
	text[0] = '\0';
	if (s->channel)
		(void)snprintf(text, 256, " (channel=%.200s)", s->channel);
	return text;
}

void sources_say(const char *what, const struct source *s, const char *end)
{
	char channel[256];

	(void)printf("%s \"%s\" image source \"%s\"%s%s%s\n", what, s->ops->type, s->url,
		     s->insecure ? " (insecure)" : "", channel_note(s, channel), end);
}

const struct source *sources_have(const struct sources *s, const struct source *one)
{
	for (size_t i = 0; i < s->count; i++)
		if (source_equal(&s->items[i], one))
			return &s->items[i];
	return NULL;
}
