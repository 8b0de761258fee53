/* SPDX-License-Identifier: MIT */
/*
 * The states of a VM: every combination of facts is walked, and every action.
 */
#include "libquery/vm_state.h"

#include "unit.h"

static struct vm_facts facts(unsigned int bits)
{
	return (struct vm_facts){
		.failed = bits & 1,
		.has_storage = bits & 2,
		.init_lives = bits & 4,
		.supervisor_lives = bits & 8,
		.receiving = bits & 16,
	};
}

/* The contract, in the order in which it decides. */
static enum vm_state wanted_state(const struct vm_facts *f)
{
	if (f->failed)
		return VM_FAILED;
	if (f->journal == JOURNAL_CREATE || f->journal == JOURNAL_REPROVISION)
		return VM_PROVISIONING;
	if (f->journal == JOURNAL_RECEIVE || f->receiving)
		return VM_RECEIVING;
	if (f->init_lives)
		return f->supervised == VM_SUPERVISED_STOPPING ? VM_SHUTTING_DOWN : VM_RUNNING;
	if (f->supervisor_lives && f->supervised == VM_SUPERVISED_STARTING)
		return VM_READY;
	if (f->supervisor_lives && f->supervised != VM_SUPERVISED_NOT)
		return VM_DOWN;
	if (f->journal == JOURNAL_DELETE)
		return VM_INCOMPLETE;
	return f->has_storage ? VM_STOPPED : VM_CONFIGURED;
}

static void every_combination_of_facts_is_one_state(void **state ATTR_UNUSED)
{
	bool seen[VM_STATE_MAX_] = { false };

	for (unsigned int bits = 0; bits < 32; bits++)
		for (int op = 0; op < JOURNAL_OP_MAX_; op++)
			for (int by = 0; by < VM_SUPERVISED_MAX_; by++) {
				struct vm_facts f = facts(bits);

				f.journal = (enum journal_op)op;
				f.supervised = (enum vm_supervised)by;
				assert_int_equal(vm_state_of(&f), wanted_state(&f));
				assert_true(vm_zone_state_of(&f) < VM_ZONE_STATE_MAX_);
				seen[vm_state_of(&f)] = true;
			}
	for (int i = 0; i < VM_STATE_MAX_; i++)
		assert_true(seen[i]);
}

/* What the layer of containers says is not hidden by marks and journals. */
static void the_zone_state_is_of_the_zone_alone(void **state ATTR_UNUSED)
{
	struct vm_facts f = { .failed = true,
			      .has_storage = true,
			      .journal = JOURNAL_CREATE,
			      .supervised = VM_SUPERVISED_RUNNING,
			      .init_lives = true };

	assert_string_equal(vm_zone_state_name(vm_zone_state_of(&f)), "running");
	assert_string_equal(vm_state_name(vm_state_of(&f)), "failed");
	f.failed = false;
	assert_string_equal(vm_state_name(vm_state_of(&f)), "provisioning");
	f.init_lives = false;
	assert_string_equal(vm_zone_state_name(vm_zone_state_of(&f)), "installed");
}

static void names_and_states_belong_together(void **state ATTR_UNUSED)
{
	for (int i = 0; i < VM_STATE_MAX_; i++)
		assert_int_equal(vm_state_from_name(vm_state_name((enum vm_state)i)), i);
	assert_int_equal(vm_state_from_name("nonsense"), VM_STATE_MAX_);
	assert_int_equal(vm_state_from_name(NULL), VM_STATE_MAX_);
	assert_int_equal(vm_supervised_from_name("stopping"), VM_SUPERVISED_STOPPING);
	assert_int_equal(vm_supervised_from_name("nonsense"), VM_SUPERVISED_NOT);
	assert_int_equal(vm_supervised_from_name(NULL), VM_SUPERVISED_NOT);
}

static void a_transition_is_told_while_it_lasts(void **state ATTR_UNUSED)
{
	struct vm_facts f = { .has_storage = true, .journal = JOURNAL_CREATE };

	assert_string_equal(vm_transition_to(&f, true), "running");
	assert_string_equal(vm_transition_to(&f, false), "stopped");
	f.journal = JOURNAL_RECEIVE;
	assert_string_equal(vm_transition_to(&f, true), "stopped");
	f.journal = JOURNAL_UPDATE;
	assert_null(vm_transition_to(&f, true));
	f.failed = true;
	f.journal = JOURNAL_CREATE;
	assert_null(vm_transition_to(&f, true));
}

/* A letter a verdict: Go, Already, Refuse; start stop reboot kill console delete update clear.
 */
static void each_action_has_its_verdict_in_each_state(void **state ATTR_UNUSED)
{
	static const char *const want[VM_STATE_MAX_] = {
		[VM_CONFIGURED] = "RGRRRGGA",    [VM_INCOMPLETE] = "RGRRRGRG",
		[VM_PROVISIONING] = "RGRGGGRG",  [VM_RECEIVING] = "RGRRRGRG",
		[VM_FAILED] = "GGRGGGGG",        [VM_STOPPED] = "GGRRRGGA",
		[VM_READY] = "GGRRGGGA",         [VM_RUNNING] = "AGGGGGGA",
		[VM_SHUTTING_DOWN] = "AGGGGGGA", [VM_DOWN] = "GGRRRGGA",
	};
	static const char letters[] = { [VM_GO] = 'G', [VM_ALREADY] = 'A', [VM_REFUSE] = 'R' };

	for (int s = 0; s < VM_STATE_MAX_; s++)
		for (int a = 0; a < VM_ACTION_MAX_; a++)
			assert_int_equal(
				letters[vm_state_verdict((enum vm_state)s, (enum vm_action)a)],
				want[s][a]);
	/* Out of everything there is a way: it can be stopped, and deleted. */
	for (int s = 0; s < VM_STATE_MAX_; s++) {
		assert_int_equal(vm_state_verdict((enum vm_state)s, VM_ACTION_STOP), VM_GO);
		assert_int_equal(vm_state_verdict((enum vm_state)s, VM_ACTION_DELETE), VM_GO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_of_facts_is_one_state),
		cmocka_unit_test(the_zone_state_is_of_the_zone_alone),
		cmocka_unit_test(names_and_states_belong_together),
		cmocka_unit_test(a_transition_is_told_while_it_lasts),
		cmocka_unit_test(each_action_has_its_verdict_in_each_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
