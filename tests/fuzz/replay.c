/* SPDX-License-Identifier: MIT */
/*
 * replay.c - runs a fuzzer's entry over the files given, without libFuzzer, so
 * that every compiler replays the corpus as an ordinary test.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (1 << 20)

static int replay(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *f = fopen(path, "re");
	uint8_t *exact;
	size_t size;

	if (!f || !data) {
		perror(path);
		return 1;
	}
	size = fread(data, 1, INPUT_MAX, f);
	(void)fclose(f);

	/* Exactly as large as the input, so that reading past its end is seen. */
	exact = realloc(data, size ? size : 1);
	if (!exact)
		return 1;
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	printf("TAP version 13\n1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		int r = replay(argv[i]);

		printf("%sok %d - %s\n", r ? "not " : "", i, argv[i]);
		failed |= r;
	}
	return failed;
}
