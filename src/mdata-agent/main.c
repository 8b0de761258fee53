/* SPDX-License-Identifier: MIT */
/*
 * mdata-agent - answers what one guest asks about itself.
 *
 *	guest ──metadata.sock──▶ mdata-agent ──channel──▶ zoneadmd ──▶ the record
 *	                         no rights                checks again
 *
 * zoneadmd starts one for each VM that runs, hands it two sockets, and starts
 * another when it ends. It reads what a guest sends, so it has a user of its own,
 * no capability, an empty root folder, and a list of system calls in which none
 * opens, connects or runs anything. It ends with its supervisor.
 */
#include "mdata-agent/agent.h"

#include "base/cli.h"
#include "base/log.h"
#include "base/uuid.h"

#include <stdlib.h>

/* Below these are people, and the ids that zones may have; see zoneadmd. */
#define ID_MIN 4100000000UL
#define ID_MAX 4200000000UL

static int run_agent(struct cli_call *call, struct err *e)
{
	const char *uuid = cli_operand(call, 0);
	const char *id_text = cli_operand(call, 1);
	unsigned long id;
	char *end;
	int r;

	if (cli_has(call, "try"))
		return try_lines(cli_get(call, "try"), e);
	if (!uuid || !id_text || !uuid_is_valid(uuid))
		return cli_wrong_use(call, "a UUID and an id are needed");
	id = strtoul(id_text, &end, 10);
	if (*end || id < ID_MIN || id > ID_MAX)
		return cli_wrong_use(call, "'%s' is not an id from %lu to %lu", id_text, ID_MIN,
				     ID_MAX);
	log_setup("mdata-agent", uuid);
	/* The JSON library opens a file for its first object. */
	jv_unref(jv_object());
	r = confine((uint32_t)id, e);
	if (r == 0)
		r = serve(e);
	if (r < 0)
		log_error("%s", e->msg);
	/* What the C library would do at its end needs calls that are not ours any more. */
	_exit(r < 0);
}

int main(int argc, char **argv)
{
	static const struct cli_opt options[] = {
		{ .name = "try",
		  .arg = "FILE",
		  .help = "answer lines of standard input for the VM object in FILE",
		  .complete = CLI_FILE },
		CLI_END,
	};
	static const struct cli_cmd command = {
		.args = "[UUID ID]",
		.opts = options,
		.min_operands = 0,
		.max_operands = 2,
		.run = run_agent,
	};
	static const struct cli_prog prog = {
		.name = "mdata-agent",
		.summary = "answer what a guest asks about itself",
		.main_cmd = &command,
	};

	return cli_main(&prog, argc, argv);
}
