/* SPDX-License-Identifier: MIT */
/*
 * fault.h - where the tests cut a change short.
 *
 * Each call is one step that a change has just completed. In a dev build
 *
 *	DAIS_CRASH_AT=N   kills the process at its Nth step, as kill -9 would
 *	DAIS_FAIL_AT=N    makes the Nth step fail with EIO
 *	DAIS_FAULT_LOG=1  says each step on standard error, with its number
 *
 * and in a release build it is nothing.
 */
#pragma once

#include "base/err.h"

#if defined(__SANITIZE_ADDRESS__) || defined(DAIS_FAULTS)
ATTR_MUST_CHECK int fault_point(const char *step, struct err *e);
#else
static inline int fault_point(const char *step, struct err *e)
{
	(void)step;
	(void)e;
	return 0;
}
#endif
