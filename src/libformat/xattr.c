/* SPDX-License-Identifier: MIT */
#include "libformat/xattr.h"

#include <string.h>

bool image_keeps_xattr(const char *name)
{
	return strcmp(name, "security.capability") == 0 || strncmp(name, "user.", 5) == 0;
}
