/* SPDX-License-Identifier: MIT */
/*
 * seed.h - a new persistent folder starts with what the running host has there.
 */
#pragma once

#include "base/err.h"

/*
 * Copy what is in the folder FROM into the folder TO: files, folders and
 * symbolic links, with owners, modes and times. Stays on FROM's file system;
 * sockets, pipes and devices belong to those who made them and are left out.
 */
ATTR_MUST_CHECK int seed_copy(int from, int to, struct err *e);
