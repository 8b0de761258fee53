/* SPDX-License-Identifier: MIT */
/*
 * xattr.h - which extended attributes an image keeps, whatever it is read from or made of.
 */
#pragma once

#include <stdbool.h>

/* Only what a zone can use; security.capability is written for the image's own root. */
bool image_keeps_xattr(const char *name);
