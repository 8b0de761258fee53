/* SPDX-License-Identifier: MIT */
/*
 * fuzz_filter.c - columns, sort keys and filters as a person may mistype them.
 */
#include "base/jv.h"
#include "libquery/vm_query.h"

#include "fuzz.h"

#include <string.h>

static const char vm_text[] =
	"{\"uuid\": \"54f1cc77-68f1-42ab-acac-5c4f64f5d6e0\", \"ram\": 256, \"alias\": \"aab-1.2\","
	" \"tags\": {\"a\": 5}, \"nics\": [{\"mac\": \"02:08:20:00:00:01\", \"ip\": \"dhcp\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_vm_fields struct vm_fields order = { .count = 0 }, sort = { .count = 0 };
	cleanup_vm_filter struct vm_filter *filter = NULL;
	cleanup_vm_needs struct vm_needs needs = { .count = 0 };
	cleanup_jv struct jv *vm = NULL;
	char text[512];
	const char *word = text;
	size_t len = size < sizeof(text) ? size : sizeof(text) - 1;

	memcpy(text, data, len);
	text[len] = '\0';
	if (jv_parse(vm_text, sizeof(vm_text) - 1, "vm", &vm, NULL) < 0)
		abort();
	if (vm_fields_parse_order(text, &order, NULL) == 0)
		for (size_t i = 0; i < order.count; i++)
			(void)vm_value(vm, order.items[i].key);
	if (vm_fields_parse_sort(text, &sort, NULL) == 0)
		vm_fields_need(&sort, &needs);
	if (vm_filter_new(&word, 1, "filter", &filter, NULL) == 0)
		(void)vm_filter_match(filter, vm);
	return 0;
}
