/* SPDX-License-Identifier: MIT */
/*
 * vmadm - make, look at, start, stop and delete the VMs of this host.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/prop.h"
#include "libpayload/prop_schema.h"
#include "libvm/vm_object.h"
#include "libquery/vm_query.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ROOT_OPTION                                                             \
	{                                                                       \
		.letter = 'R', .name = "root", .arg = "DIR",                    \
		.help = "the host below DIR, not this one", .complete = CLI_DIR \
	}
#define FILE_OPTION                                                        \
	{                                                                  \
		.letter = 'f', .name = "file", .arg = "FILE",              \
		.help = "read the payload from FILE; - is standard input", \
		.complete = CLI_FILE                                       \
	}
#define FORCE_OPTION(text)                                   \
	{                                                    \
		.letter = 'F', .name = "force", .help = text \
	}
#define JSON_OPTION(text)                                   \
	{                                                   \
		.letter = 'j', .name = "json", .help = text \
	}
#define RESULT_OPTION                                                                   \
	{                                                                               \
		.name = "json", .help = "print the result or the error as JSON besides" \
	}

#define BRANDS "lx joyent joyent-minimal builder kvm bhyve"

static const struct cli_opt program_options[] = { RESULT_OPTION, ROOT_OPTION, CLI_END };

/* -d and -v are taken and do nothing, as in the original. */
static const struct cli_opt common_options[] = {
	{ .letter = 'd', .name = "debug", .help = "accepted, without effect" },
	RESULT_OPTION,
	ROOT_OPTION,
	{ .letter = 'v', .name = "verbose", .help = "accepted, without effect" },
	CLI_END,
};

static const struct cli_opt check_options[] = {
	JSON_OPTION("print what was found as JSON"),
	{ .name = "repair", .help = "mend what can be mended without losing data" },
	CLI_END,
};

static const struct cli_opt clear_options[] = { RESULT_OPTION, CLI_END };

static const struct cli_opt events_options[] = {
	{ .letter = 'f', .name = "full", .help = "print whole dates and UUIDs" },
	JSON_OPTION("print each event as one line of JSON"),
	{ .letter = 'r', .name = "ready", .help = "print when listening has begun as well" },
	CLI_END,
};

static const struct cli_opt create_options[] = {
	FILE_OPTION,
	{ .name = "strict", .help = "refuse a payload with properties that would be dropped" },
	CLI_END,
};

static const struct cli_opt rollback_options[] = {
	{ .name = "start", .help = "start it afterwards, also when it was stopped" },
	CLI_END,
};

static const struct cli_opt reprovision_options[] = { FILE_OPTION, CLI_END };

#define QUIET_OPTION                                                       \
	{                                                                  \
		.letter = 'q', .name = "quiet", .help = "show no progress" \
	}

static const struct cli_opt receive_options[] = {
	{ .name = "abandon", .help = "give up what UUID has received so far" },
	{ .letter = 'f',
	  .name = "file",
	  .arg = "FILE",
	  .help = "read what was sent from FILE; - is standard input",
	  .complete = CLI_FILE },
	QUIET_OPTION,
	{ .name = "resume", .help = "go on with a receive that was cut off" },
	{ .name = "token", .help = "print where the receive of UUID was cut off" },
	CLI_END,
};

static const struct cli_opt send_options[] = {
	{ .name = "incremental-from",
	  .arg = "SNAPSHOT",
	  .help = "send what has changed since SNAPSHOT" },
	QUIET_OPTION,
	{ .name = "resume-from", .arg = "TOKEN", .help = "go on where a receive was cut off" },
	CLI_END,
};

static const struct cli_opt delete_options[] = {
	FORCE_OPTION("accepted, without effect"),
	CLI_END,
};

static const struct cli_opt kill_options[] = {
	{ .letter = 's',
	  .name = "signal",
	  .arg = "SIGNAL",
	  .help = "a number, TERM or SIGTERM; SIGTERM unless given" },
	CLI_END,
};

static const struct cli_opt list_options[] = {
	{ .letter = 'h', .name = "header", .help = "print the header, with -p as well" },
	{ .letter = 'H', .name = "no-header", .help = "print no header" },
	JSON_OPTION("print the rows as JSON"),
	{ .letter = 'o',
	  .name = "columns",
	  .arg = "COLUMN,...",
	  .help = "columns, in this order",
	  .complete = CLI_HELP,
	  .words = "columns" },
	{ .letter = 'p',
	  .name = "parsable",
	  .help = "print fields with ':' between, no header" },
	{ .letter = 's',
	  .name = "sort",
	  .arg = "[-]COLUMN,...",
	  .help = "sort by these; - sorts downwards",
	  .complete = CLI_HELP,
	  .words = "columns" },
	CLI_END,
};

static const struct cli_opt lookup_options[] = {
	{ .letter = '1', .name = "unique", .help = "fail unless exactly one VM is found" },
	JSON_OPTION("print whole objects as JSON"),
	{ .letter = 'o',
	  .name = "columns",
	  .arg = "PROPERTY,...",
	  .help = "with -j: these members only",
	  .complete = CLI_HELP,
	  .words = "properties" },
	CLI_END,
};

static const struct cli_opt properties_options[] = {
	JSON_OPTION("print them as JSON"),
	CLI_END,
};

static const struct cli_opt reboot_options[] = {
	FORCE_OPTION("do not wait for a shutdown"),
	CLI_END,
};

static const struct cli_opt stop_options[] = {
	FORCE_OPTION("do not wait for a shutdown"),
	{ .letter = 't',
	  .name = "timeout",
	  .arg = "SECONDS",
	  .help = "force it after SECONDS; for application containers" },
	CLI_END,
};

static const struct cli_opt update_options[] = {
	FILE_OPTION,
	{ .name = "ignore-missing",
	  .help = "go on when what is to be changed or removed is not there" },
	{ .name = "strict", .help = "refuse a payload with properties that would be dropped" },
	CLI_END,
};

static const struct cli_opt validate_options[] = { FILE_OPTION, CLI_END };

#define ONE_VM .args = "UUID", .max_operands = -1, .complete = CLI_HELP, .words = "vms"

#define VM_AND_NAME \
	.args = "UUID NAME", .max_operands = -1, .complete = CLI_HELP, .words = "vms"

static const struct cli_cmd commands[] = {
	/* clang-format off */
	{ .name = "check", .args = "", .summary = "find, and mend, what a crash left behind",
	  .opts = check_options, .run = cmd_check },
	{ .name = "clear", .summary = "take a VM out of failed, mend what was cut short",
	  .opts = clear_options, ONE_VM, .run = cmd_clear },
	{ .name = "console", .summary = "use the console of a zone; Ctrl-] leaves it", ONE_VM,
	  .run = cmd_console },
	{ .name = "create", .args = "", .summary = "make a VM from a JSON payload",
	  .opts = create_options, .run = cmd_create },
	{ .name = "create-snapshot", .summary = "keep what a VM holds now, under a name",
	  VM_AND_NAME, .run = cmd_create_snapshot },
	{ .name = "delete", .alias = "destroy", .summary = "delete a VM and all that it holds",
	  .opts = delete_options, ONE_VM, .run = cmd_delete },
	{ .name = "delete-snapshot", .summary = "delete a snapshot of a VM",
	  VM_AND_NAME, .run = cmd_delete_snapshot },
	{ .name = "events", .args = "[UUID]", .summary = "print what changes, as it happens",
	  .opts = events_options, .max_operands = 1, .complete = CLI_HELP, .words = "vms",
	  .run = cmd_events },
	{ .name = "get", .alias = "json", .summary = "print a VM as JSON", ONE_VM,
	  .run = cmd_get },
	{ .name = "info", .args = "UUID [TYPE...]", .summary = "ask the hypervisor of a VM",
	  .max_operands = -1, .complete = CLI_HELP, .words = "vms", .run = cmd_info },
	{ .name = "install", .summary = "finish a receive that has arrived whole", ONE_VM,
	  .run = cmd_install },
	{ .name = "kill", .summary = "send a signal to the init of a VM",
	  .opts = kill_options, ONE_VM, .run = cmd_kill },
	{ .name = "list", .args = "[KEY=VALUE...]", .summary = "list VMs",
	  .opts = list_options, .max_operands = -1, .complete = CLI_HELP, .words = "filters",
	  .run = cmd_list },
	{ .name = "lookup", .args = "[KEY=VALUE...]", .summary = "find VMs, for scripts",
	  .opts = lookup_options, .max_operands = -1, .complete = CLI_HELP, .words = "filters",
	  .run = cmd_lookup },
	{ .name = "properties", .args = "[BRAND]", .summary = "list the properties of VMs",
	  .opts = properties_options, .max_operands = 1, .complete = CLI_WORDS,
	  .words = BRANDS, .run = cmd_properties },
	{ .name = "reboot", .summary = "stop a VM and start it again",
	  .opts = reboot_options, ONE_VM, .run = cmd_reboot },
	{ .name = "receive", .alias = "recv", .args = "[UUID]",
	  .summary = "make a VM from what 'send' wrote", .opts = receive_options,
	  .max_operands = 1, .complete = CLI_HELP, .words = "vms", .run = cmd_receive },
	{ .name = "reprovision", .summary = "give a VM a new root from an image",
	  .opts = reprovision_options, ONE_VM, .run = cmd_reprovision },
	{ .name = "rollback-snapshot", .summary = "put a VM back to one of its snapshots",
	  .opts = rollback_options, VM_AND_NAME, .run = cmd_rollback_snapshot },
	{ .name = "schema", .args = "create|update|receive [BRAND]",
	  .summary = "print the JSON Schema of a payload", .min_operands = 1, .max_operands = 2,
	  .complete = CLI_WORDS, .words = "create update receive " BRANDS, .run = cmd_schema },
	{ .name = "send", .args = "UUID [TARGET]", .summary = "write a VM to standard output",
	  .opts = send_options, .max_operands = 2, .complete = CLI_HELP, .words = "vms",
	  .run = cmd_send },
	{ .name = "start", .alias = "boot", .summary = "start a VM, and from now on with the host",
	  ONE_VM, .run = cmd_start },
	{ .name = "stop", .alias = "halt", .summary = "stop a VM, and leave it stopped",
	  .opts = stop_options, ONE_VM, .run = cmd_stop },
	{ .name = "sysrq", .args = "UUID nmi|screenshot",
	  .summary = "send a request to a hardware VM", .max_operands = -1,
	  .complete = CLI_HELP, .words = "vms", .run = cmd_sysrq },
	{ .name = "update", .args = "UUID [KEY=VALUE...]", .summary = "change a VM",
	  .opts = update_options, .max_operands = -1, .complete = CLI_HELP, .words = "updates",
	  .run = cmd_update },
	{ .name = "validate", .args = "create|update [BRAND]",
	  .summary = "check a payload, change nothing",
	  .opts = validate_options, .max_operands = 2, .complete = CLI_HELP,
	  .words = "validate", .run = cmd_validate },
	{ .name = NULL },
	/* clang-format on */
};

static int complete_vms(struct err *e)
{
	cleanup_vm_list struct vm_list list = { 0 };
	cleanup_vm_needs struct vm_needs needs = { .count = 0 };
	struct host host;
	int r;

	vm_needs_add(&needs, "alias");
	r = host_open(&host, NULL, e);
	if (r < 0)
		return r;
	r = vm_list_load(&host, &needs, &list, e);
	host_close(&host);
	for (size_t i = 0; r == 0 && i < list.count; i++) {
		const char *alias = jv_get_string(list.vms[i], "alias");

		puts(jv_get_string(list.vms[i], "uuid"));
		if (alias && *alias && !strpbrk(alias, " \t\n"))
			puts(alias);
	}
	return r;
}

/*
 * KIND is one of the .words above that stand with CLI_HELP; or "manual", for the build:
 * the section of vm-payload(5) that tools/property-page puts there.
 */
static int complete(const char *kind, struct err *e)
{
	const struct prop *p;

	if (strcmp(kind, "validate") == 0)
		puts("create\nupdate\njoyent\njoyent-minimal\nbuilder\nlx\nkvm\nbhyve");
	if (strcmp(kind, "vms") == 0)
		return complete_vms(e);
	if (strcmp(kind, "updates") == 0 && complete_vms(e) < 0)
		return e->code;
	if (strcmp(kind, "manual") == 0) {
		cleanup_buf struct buf b = BUF_INIT;

		prop_manual(&b);
		(void)fputs(buf_str(&b), stdout);
		return 0;
	}
	for (size_t i = 0; (p = prop_at(i)); i++) {
		if (strcmp(kind, "columns") == 0 && p->header)
			puts(p->name);
		if (strcmp(kind, "properties") == 0 && !strchr(p->name, '*'))
			puts(p->name);
		/* Maps and arrays are not written as KEY=VALUE. */
		if (strcmp(kind, "updates") == 0 && p->allowed[PROP_UPDATE] &&
		    p->type != PROP_FLAT && p->type != PROP_OBJECTS && !strchr(p->name, '*'))
			printf("%s=\n", p->name);
		if (strcmp(kind, "filters") == 0 && p->filter)
			/* Of a map the key is still to be typed. */
			printf("%s%c\n", p->name, p->type == PROP_FLAT ? '.' : '=');
	}
	return 0;
}

/* "kill -HUP UUID": the signal as an option's name, which is -s HUP for everybody else. */
static char **spell_out_signals(int *argc, char **argv)
{
	char **words = xcalloc((size_t)*argc * 2 + 1, sizeof(*words));
	const char *command = NULL;
	int n = 0;

	for (int i = 0; i < *argc; i++) {
		const char *word = argv[i];

		if (i > 0 && !command && word[0] != '-' && strcmp(argv[i - 1], "-R") != 0 &&
		    strcmp(argv[i - 1], "--root") != 0)
			command = word;
		if (command && strcmp(command, "kill") == 0 && word[0] == '-' &&
		    (isupper((unsigned char)word[1]) || isdigit((unsigned char)word[1])) &&
		    word[1] != 'R') {
			words[n++] = xstrdup("-s");
			words[n++] = xstrdup(word + 1);
		} else {
			words[n++] = xstrdup(word);
		}
	}
	*argc = n;
	return words;
}

static void failed(const struct cli_call *call, int code, const char *text)
{
	vmadm_answer_error(call, code, text, NULL);
}

int main(int argc, char **argv)
{
	static const struct cli_prog program = {
		.name = "vmadm",
		.summary = "make, look at, start, stop and delete VMs",
		.opts = program_options,
		.common = common_options,
		.cmds = commands,
		.complete = complete,
		.bare_errors = true,
		.failed = failed,
	};
	char **words = spell_out_signals(&argc, argv);
	int status;

	vmadm_debug_setup();
	vmadm_debug_command(argc, words);
	status = cli_main(&program, argc, words);

	for (int i = 0; i < argc; i++)
		free(words[i]);
	free(words);
	return status;
}
