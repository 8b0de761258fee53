/* SPDX-License-Identifier: MIT */
/*
 * beneath.h - names of an image's files, resolved below its root and nowhere else.
 */
#pragma once

#include <stdbool.h>

/* openat2: links that lead out of ROOTFD fail with EXDEV. -1 with errno. */
int open_beneath(int rootfd, const char *path, int flags);

/* Only what a zone can use; security.capability is written for the image's own root. */
bool image_keeps_xattr(const char *name);
