/* SPDX-License-Identifier: MIT */
/*
 * describe.h - a manifest for a file that came without one.
 *
 * What is told by the file: size and hashes, how it is compressed, whether it is a disk
 * ("zvol", with image_size where it can be known) or a tree ("lx-dataset"), its name, and
 * when it was changed (the version). A compressed file is looked into by a process
 * without rights. docs/images.md has the whole of it.
 */
#pragma once

#include "base/err.h"

#include <signal.h>

struct jv;

/*
 * UUID NULL: a new one. CANCEL may be NULL. New. -EINVAL: nothing that images come in, or an
 * incremental stream, whose origin only a manifest can name; -EINTR: cancelled.
 */
ATTR_MUST_CHECK int image_describe(const char *path, const char *uuid,
				   const volatile sig_atomic_t *cancel,
				   struct jv **ret_manifest, struct err *e);

/* "debian-12" of "/tmp/debian-12.qcow2.xz", in what manifests allow. New. */
char *image_name_of(const char *path);
