/* SPDX-License-Identifier: MIT */
/*
 * replace.h - a user's file replaced in one step.
 *
 * Unlike file_write_atomic(), which is for state of ours, this keeps the file's mode
 * and owner, and follows a symlink to the file that is meant.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

ATTR_MUST_CHECK int replace_file(const char *path, const char *data, size_t len, struct err *e);
