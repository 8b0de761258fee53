/* SPDX-License-Identifier: MIT */
/*
 * metadata.h - the VM's metadata agent, seen from its supervisor.
 *
 *	zone  ──RUNDIR/metadata/metadata.sock──▶ mdata-agent   a user of its own, no rights
 *	 ▲      (mounted inside, read-only)          │ libmdata/channel.h
 *	 │                                           ▼
 *	 └────────────── metadata.c ◀──────────── zoneadmd
 *	                                             │ one at a time, each a child
 *	                                             ▼
 *	                                      metadata_work.c: reads or stores the record
 *
 * The socket is ours, and the agent gets it handed: when the agent dies, who connects
 * waits for the next one. When the supervisor dies the agent ends, and the next
 * supervisor makes a new socket in the same folder, which is what the guest has
 * mounted. What a question needs is done by a child, because storing waits for the
 * VM's lock, and who holds that may be waiting for us.
 *
 * A VM without metadata runs: whatever goes wrong here is a warning.
 */
#pragma once

#include "libmdata/channel.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

struct jv;
struct zone;

#define METADATA_FDS 2

/* Before a start: the socket, and the place in the root of RECORD's VM where it will be. */
void metadata_prepare(struct zone *z, const struct jv *record);
/* After a start: it is there. */
void metadata_place(struct zone *z);
/* Instead of both, when the machine runs already. */
void metadata_adopt(struct zone *z);

/* From now on there is an agent. */
void metadata_begin(struct zone *z);

/* For the loop: descriptors to wait for, a moment to be called at (0: none), the call. */
void metadata_wants(struct zone *z, struct pollfd fds[static METADATA_FDS]);
int64_t metadata_next(struct zone *z);
void metadata_turn(struct zone *z, const struct pollfd fds[static METADATA_FDS]);

/* Nothing of it is left; or, with the machine running on, only what that has mounted. */
void metadata_end(struct zone *z, bool machine_runs);

/* metadata_work.c: what a message of the agent asks for, in a child that then ends. */
_Noreturn void metadata_work(struct zone *z, int channel, const char *message, size_t len);
