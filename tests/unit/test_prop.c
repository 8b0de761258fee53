/* SPDX-License-Identifier: MIT */
#include "libpayload/prop.h"

#include "unit.h"

#include <string.h>

static void every_row_is_found_by_its_name(void **state)
{
	const struct prop *p;

	(void)state;
	/* Fails as well when a group is not sorted, or when a name stands in two of them. */
	for (size_t i = 0; (p = prop_at(i)); i++)
		assert_ptr_equal(prop_find(p->name), p);
	assert_null(prop_find(""));
	assert_null(prop_find("nics.*"));
	assert_null(prop_find("zzz"));
}

static void every_member_belongs_to_an_array_of_objects(void **state)
{
	const struct prop *p;

	(void)state;
	for (size_t i = 0; (p = prop_at(i)); i++) {
		const char *star = strstr(p->name, ".*.");
		const struct prop *parent;
		char name[64];

		if (!star)
			continue;
		(void)snprintf(name, sizeof(name), "%.*s", (int)(star - p->name), p->name);
		parent = prop_find(name);
		assert_non_null(parent);
		assert_int_equal(parent->type, PROP_OBJECTS);
	}
}

static void what_is_checked_as_another_names_one_that_is_there(void **state)
{
	const struct prop *p;

	(void)state;
	for (size_t i = 0; (p = prop_at(i)); i++) {
		if (!p->check_as)
			continue;
		assert_non_null(prop_find(p->check_as));
		assert_int_equal(prop_find(p->check_as)->type, PROP_OBJECTS);
	}
}

/* The contract has 44 columns, 83 properties for create and 84 for update. */
static void the_table_has_the_size_of_the_contract(void **state)
{
	size_t columns = 0, create = 0, update = 0, all = 0;
	const struct prop *p;

	(void)state;
	for (size_t i = 0; (p = prop_at(i)); i++, all++) {
		if (strstr(p->name, ".*."))
			continue;
		columns += p->header != NULL;
		create += p->allowed[PROP_CREATE] != 0;
		update += p->allowed[PROP_UPDATE] != 0;
	}
	assert_int_equal(all, 191);
	assert_int_equal(columns, 44);
	assert_int_equal(create, 83);
	assert_int_equal(update, 84);
}

static void every_row_says_what_it_is(void **state)
{
	const struct prop *p;

	(void)state;
	for (size_t i = 0; (p = prop_at(i)); i++) {
		assert_non_null(p->meaning);
		assert_true(strlen(p->meaning) > 3);
		assert_true(p->meaning[strlen(p->meaning) - 1] != '.');
		assert_non_null(prop_type_name(p->type));
		assert_non_null(prop_effect_name(p->effect));
		assert_false(p->bounded && p->min > p->max);
		assert_false(p->header && p->width == 0);
	}
}

static void brands_and_their_names_lead_to_each_other(void **state)
{
	static const char *const names[] = { "joyent", "joyent-minimal", "builder", "lx",
					     "kvm",    "bhyve" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		unsigned int brand = brand_from_name(names[i]);

		assert_int_not_equal(brand, 0);
		assert_string_equal(brand_name(brand), names[i]);
		assert_non_null(brand_type(brand));
	}
	assert_int_equal(brand_from_name("gorilla"), 0);
	assert_int_equal(brand_from_name(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(every_row_is_found_by_its_name),
		cmocka_unit_test(every_member_belongs_to_an_array_of_objects),
		cmocka_unit_test(what_is_checked_as_another_names_one_that_is_there),
		cmocka_unit_test(the_table_has_the_size_of_the_contract),
		cmocka_unit_test(every_row_says_what_it_is),
		cmocka_unit_test(brands_and_their_names_lead_to_each_other),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
