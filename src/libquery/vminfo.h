/* SPDX-License-Identifier: MIT */
/*
 * vminfo.h - asking vminfod, the daemon that keeps all VM objects in memory.
 *
 *	vmadm ──GET──▶ ROOT/run/dais/vminfod.sock ──▶ vminfod
 *
 * It speaks HTTP; docs/vminfod.md has the paths. Nothing depends on it: whoever
 * gets no answer at once reads the files. What it answers is what they hold, as it
 * takes in all that changed before the question came.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "libsys/host.h"

struct jv;
struct vm_needs;

#define VMINFO_SOCKET "vminfod.sock" /* in HOST_RUN */

/*
 * All VMs with the members that NEEDS (NULL: all) names, "uuid" and "v". New, an
 * array in the order of the UUIDs. A failure, or no answer within moments, is for
 * the caller to read the files.
 */
ATTR_MUST_CHECK int vminfo_vms(const struct host *h, const struct vm_needs *needs,
			       struct jv **ret_vms, struct err *e);

/* What "vmadm list" prints by default, without its header: appended to OUT. */
ATTR_MUST_CHECK int vminfo_rows(const struct host *h, struct buf *out, struct err *e);

/* One VM, whole. New. -ENOENT: it knows none of that UUID. */
ATTR_MUST_CHECK int vminfo_vm(const struct host *h, const char *uuid, struct jv **ret_vm,
			      struct err *e);

/* The stream of events. */
struct vminfo_stream {
	int fd;
	struct buf in; /* what has arrived and was not returned yet */
	size_t taken;  /* bytes of IN that were */
};

#define VMINFO_STREAM_INIT \
	{                  \
		.fd = -1   \
	}

/*
 * Begin to listen. -ENOENT or -ECONNREFUSED: no vminfod runs; -ETIMEDOUT: it
 * does not answer within TIMEOUT_MS.
 */
ATTR_MUST_CHECK int vminfo_listen(const struct host *h, int timeout_ms,
				  struct vminfo_stream *ret_stream, struct err *e);

/*
 * The next event, however long that takes, as text without its newline: borrowed
 * until the next call. -ECONNRESET: the daemon has ended the stream.
 */
ATTR_MUST_CHECK int vminfo_next(struct vminfo_stream *s, const char **ret_line, size_t *ret_len,
				struct err *e);
void vminfo_stream_done(struct vminfo_stream *s);
#define cleanup_vminfo_stream cleanup_with(vminfo_stream_done)
