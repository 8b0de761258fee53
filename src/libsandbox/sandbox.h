/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - give up what a process that reads foreign bytes does not need.
 *
 * Filters and writers end with the caller, have no network (no call that makes a
 * socket), cannot run a program, cannot gain rights, and are bounded in
 * memory. They are killed at the first call that is not on their list. Helpers,
 * which have the network, have no rights beside it.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Close all descriptors from 3 on but COUNT in FDS, which is sorted by this. */
void sandbox_keep_fds(int *fds, size_t count);

/*
 * Talks to servers: it keeps the network and the file system, as a user whom nothing
 * belongs to; files may grow to FILE_MAX. No system call filter: name services and TLS
 * load what the host has.
 */
ATTR_MUST_CHECK int sandbox_enter_helper(uint64_t file_max, struct err *e);

/* Reads, computes, writes to descriptors that it has. */
ATTR_MUST_CHECK int sandbox_enter_filter(struct err *e);

/*
 * Writes files below ROOTFD, which becomes its "/". The process has its own
 * user namespace, made by sandbox_unshare(); FILE_MAX bounds one file.
 */
ATTR_MUST_CHECK int sandbox_enter_writer(int rootfd, uint64_t file_max, struct err *e);

/*
 * Reads files below ROOTFD, which becomes its "/", whoever they belong to, and writes to
 * descriptors that it has. Its own user namespace as above.
 */
ATTR_MUST_CHECK int sandbox_enter_reader(int rootfd, struct err *e);

/*
 * The same for one that receives a whole zone: where it writes is bounded, how much of one file
 * is not.
 */
ATTR_MUST_CHECK int sandbox_enter_receiver(int rootfd, struct err *e);

/*
 * In the child, before sandbox_enter_writer(): says so on READY_FD and waits for a
 * byte of GO_FD. The descriptors of the parent's ends must be closed in it.
 */
ATTR_MUST_CHECK int sandbox_unshare(int ready_fd, int go_fd, struct err *e);
/*
 * In the parent: waits until CHILD is ready, makes ids 0 to 65535 the image's own, lets it go
 * on. *GO_FD is closed in any case, so that a child does not wait for a parent that failed.
 * -ECHILD, without a message: it ended before, and its verdict says why.
 */
ATTR_MUST_CHECK int sandbox_let_go_on(pid_t child, int ready_fd, int *go_fd, struct err *e);
