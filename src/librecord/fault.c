/* SPDX-License-Identifier: MIT */
#include "librecord/fault.h"

#if defined(__SANITIZE_ADDRESS__) || defined(DAIS_FAULTS)

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static long number_in(const char *variable)
{
	const char *text = getenv(variable);

	return text ? strtol(text, NULL, 10) : 0;
}

int fault_point(const char *step, struct err *e)
{
	static long count;

	count++;
	if (number_in("DAIS_FAULT_LOG"))
		fprintf(stderr, "step %ld: %s\n", count, step);
	if (number_in("DAIS_CRASH_AT") == count)
		(void)raise(SIGKILL);
	if (number_in("DAIS_FAIL_AT") == count)
		return err_set(e, -EIO, "step '%s' was made to fail", step);
	return 0;
}

#else

/* A file of nothing would not be C. */
typedef int fault_is_off;

#endif
