/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line of json.
 *
 * base/cli.h keeps the table, for help, completion and the check against the manual,
 * but the line is parsed here: the original's errors are one line without a usage,
 * its options are given any number of times (the last one counts), and a lookup may
 * look like an option behind "--".
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum output_mode { OUTPUT_JSONY, OUTPUT_JSON, OUTPUT_INSPECT, OUTPUT_COMPACT };
enum merge_mode { MERGE_NONE, MERGE_SHALLOW, MERGE_DEEP };

struct options {
	bool array, whole, keys, group, quiet, validate, drop_headers, in_place, items;
	enum merge_mode merge;
	enum output_mode output;
	int indent;
	const char *delimiter, *separator, *file;
	const char **run, **filter, **lookups; /* end with NULL */
	char *delimiter_text; /* what DELIMITER points to when it had escapes */
};

#define cleanup_options cleanup_with(options_done)
void options_done(struct options *o);

/* True when ARGV asks for what cli_main() answers: help, completion, the table. */
bool options_for_frame(int argc, char **argv);
int options_frame(int argc, char **argv);
ATTR_MUST_CHECK int options_parse(struct options *o, int argc, char **argv, struct err *e);
