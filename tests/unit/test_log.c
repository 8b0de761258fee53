/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "unit.h"

#include <sys/wait.h>

static char said[8192];

/* Runs FN in a process of its own, with its standard error in SAID. */
static void listen_to(void (*fn)(void))
{
	size_t len = 0;
	int ends[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void to_people(void)
{
	(void)unsetenv("JOURNAL_STREAM");
	log_setup("vmadm", NULL);
	log_warning("ignoring %d", 1);
	log_debug("not said");
}

static void for_a_vm(void)
{
	log_setup("zoneadmd", "0c7a5d4e-1f2b-4c3d-8e9f-a0b1c2d3e4f5");
	log_to_journal();
	log_error("lost");
}

static void with_debug(void)
{
	(void)setenv("DAIS_DEBUG", "1", 1);
	log_setup("x", NULL);
	log_debug("said");
}

static void only_errors(void)
{
	log_setup("x", NULL);
	log_set_max(LOG_LEVEL_ERROR);
	log_warning("not said");
	log_error("said");
}

static void hostile(void)
{
	char text[6000];

	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_setup("x", NULL);
	log_info("a\nb\033[2J");
	log_info("%s", text);
}

static void to_the_journal_by_itself(void)
{
	char stream[64];
	struct stat st;

	if (fstat(STDERR_FILENO, &st) < 0)
		_exit(1);
	(void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	log_setup("x", NULL);
	log_info("said");
}

static void people_read_who_said_what(void **state ATTR_UNUSED)
{
	listen_to(to_people);
	assert_string_equal(said, "vmadm: ignoring 1\n");
}

static void the_journal_gets_a_level_and_the_vm(void **state ATTR_UNUSED)
{
	listen_to(for_a_vm);
	assert_string_equal(said, "<3>0c7a5d4e-1f2b-4c3d-8e9f-a0b1c2d3e4f5: lost\n");
	listen_to(to_the_journal_by_itself);
	assert_string_equal(said, "<6>said\n");
}

static void the_level_can_be_chosen(void **state ATTR_UNUSED)
{
	listen_to(with_debug);
	assert_string_equal(said, "x: said\n");
	listen_to(only_errors);
	assert_string_equal(said, "x: said\n");
}

static void a_message_is_one_bounded_line(void **state ATTR_UNUSED)
{
	char *second;

	listen_to(hostile);
	assert_memory_equal(said, "x: a b [2J\n", 11);
	second = said + 11;
	assert_int_equal(strlen(second), 2047);
	assert_ptr_equal(strchr(second, '\n'), second + 2046);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(people_read_who_said_what),
		cmocka_unit_test(the_journal_gets_a_level_and_the_vm),
		cmocka_unit_test(the_level_can_be_chosen),
		cmocka_unit_test(a_message_is_one_bounded_line),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
