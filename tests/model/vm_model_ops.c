// SPDX-License-Identifier: MIT
/*
 * What may be asked of a VM, and what must come of it.
 */
#include "vm_model.h"

#include <stdio.h>

static char text[LINE], text2[LINE];
static int next_id = 1;

static const char *payload(const struct vm *v, int i)
{
	snprintf(
		text, sizeof(text),
		"{\"brand\":\"lx\",\"uuid\":\"%s\",\"image_uuid\":\"%s\",\"autoboot\":%s,"
		"\"max_physical_memory\":%d,\"alias\":\"a%d\",\"nics\":[{\"nic_tag\":\"admin\","
		"\"ips\":[\"10.99.%u.%d/24\"]}]}",
		names[i], image, v->autoboot ? "true" : "false", v->ram, v->alias, runner,
		10 + i);
	return text;
}

static void op_create(struct op *op, int i)
{
	struct vm *v = &op->after;

	op->fails = v->there;
	if (!op->fails)
		*v = (struct vm){ .there = true,
				  .autoboot = pick(2),
				  .ram = 64 + (int)pick(64),
				  .alias = (int)pick(1000) };
	v->runs = op->fails ? v->runs : v->autoboot;
	op->args[0] = "create";
	op->input = payload(v, i);
}

void op_delete(struct op *op, int i)
{
	op->args[0] = "delete";
	op->args[1] = names[i];
	op->fails = !op->after.there;
	op->after = (struct vm){ 0 };
}

void op_start(struct op *op, int i)
{
	op->args[0] = "start";
	op->args[1] = names[i];
	op->fails = !op->after.there;
	op->after.runs = op->after.autoboot = op->after.there;
}

static void op_stop(struct op *op, int i)
{
	op->args[0] = "stop";
	op->args[1] = names[i];
	op->args[2] = pick(3) ? "-F" : NULL;
	op->fails = !op->after.there;
	op->after.runs = op->after.autoboot = false;
}

static void op_reboot(struct op *op, int i)
{
	op->args[0] = "reboot";
	op->args[1] = names[i];
	op->args[2] = pick(3) ? "-F" : NULL;
	op->fails = !op->after.runs;
}

static void op_kill(struct op *op, int i)
{
	op->args[0] = "kill";
	op->args[1] = "-s";
	op->args[2] = "KILL";
	op->args[3] = names[i];
	op->fails = !op->after.runs;
	op->after.runs = false;
}

static void op_update(struct op *op, int i)
{
	struct vm *v = &op->after;

	op->args[0] = "update";
	op->args[1] = names[i];
	op->input = text;
	op->fails = !v->there;
	v->ram = v->there ? 64 + (int)pick(64) : 0;
	v->alias = v->there ? (int)pick(1000) : 0;
	snprintf(text, sizeof(text),
		 "{\"max_physical_memory\":%d,\"alias\":\"a%d\",\"add_nics\":[]}", v->ram,
		 v->alias);
}

static void op_conflict(struct op *op, int i)
{
	int other = (i + 1) % VMS;

	op->args[0] = "update";
	op->args[1] = names[i];
	op->input = text;
	op->fails = true;
	snprintf(
		text, sizeof(text),
		"{\"alias\":\"no\",\"add_nics\":[{\"nic_tag\":\"admin\",\"ips\":[\"10.99.%u.%d/24\"]}]}",
		runner, 10 + (vms[other].there ? other : i));
	if (!vms[other].there && !vms[i].there)
		op->args[1] = "00000000-0000-4000-8000-000000000000";
}

static void op_snapshot(struct op *op, int i)
{
	struct vm *v = &op->after;
	int name = (int)pick(SNAPS);

	op->args[0] = "create-snapshot";
	op->args[1] = names[i];
	snprintf(text2, sizeof(text2), "s%d", name);
	op->args[2] = text2;
	op->fails = !v->there;
	for (int s = 0; s < v->snaps; s++)
		op->fails |= v->snap_name[s] == name;
	if (op->fails)
		return;
	v->snap_name[v->snaps] = name;
	v->snap_id[v->snaps] = next_id++;
	v->snap_content[v->snaps++] = v->content;
}

static int choose_snap(struct op *op, const char *verb, int i)
{
	struct vm *v = &op->after;
	int s = v->snaps ? (int)pick((unsigned int)v->snaps) : -1;

	op->args[0] = verb;
	op->args[1] = names[i];
	snprintf(text2, sizeof(text2), "s%d", s < 0 ? 99 : v->snap_name[s]);
	op->args[2] = text2;
	op->fails = s < 0;
	return s;
}

static void op_unsnapshot(struct op *op, int i)
{
	struct vm *v = &op->after;
	int s = choose_snap(op, "delete-snapshot", i);

	if (s < 0)
		return;
	v->snaps--;
	for (; s < v->snaps; s++) {
		v->snap_name[s] = v->snap_name[s + 1];
		v->snap_content[s] = v->snap_content[s + 1];
		v->snap_id[s] = v->snap_id[s + 1];
	}
}

static void op_rollback(struct op *op, int i)
{
	struct vm *v = &op->after;
	int s = choose_snap(op, "rollback-snapshot", i);

	if (s < 0)
		return;
	v->content = v->snap_content[s];
	v->snaps = s + 1;
}

static void op_reprovision(struct op *op, int i)
{
	struct vm *v = &op->after;

	op->args[0] = "reprovision";
	op->args[1] = names[i];
	op->input = text;
	snprintf(text, sizeof(text), "{\"image_uuid\":\"%s\"}", image);
	/* The snapshots are of the old root, and go with it. */
	op->fails = !v->there;
	v->snaps = v->content = 0;
	v->runs = v->runs || v->autoboot;
}

/* By the guest's own tool, over its socket. An agent that is killed often comes back late. */
static void op_metadata(struct op *op, int i)
{
	static char tool[LINE], socket[LINE], value[16];
	struct vm *v = &op->after;
	bool put = v->key == 0 || pick(3);

	if (!tools) {
		op_update(op, i);
		return;
	}
	snprintf(tool, sizeof(tool), "%s/%s", tools, put ? "mdata-put" : "mdata-delete");
	snprintf(socket, sizeof(socket), "%s/run/dais/%s/metadata/metadata.sock", root,
		 names[i]);
	op->program = tool;
	op->fails = !v->runs;
	v->key = put ? 1 + (int)pick(1000000) : 0;
	snprintf(value, sizeof(value), "%d", v->key);
	op->args[0] = "-t";
	op->args[1] = v->runs ? "60" : "1";
	op->args[2] = "-s";
	op->args[3] = socket;
	op->args[4] = "k";
	op->args[5] = put ? value : NULL;
}

static const struct {
	void (*make)(struct op *op, int i);
	unsigned int weight;
} ops[] = {
	{ op_create, 10 },  { op_delete, 5 },     { op_start, 8 },    { op_stop, 6 },
	{ op_reboot, 4 },   { op_kill, 3 },       { op_update, 10 },  { op_conflict, 3 },
	{ op_snapshot, 9 }, { op_unsnapshot, 3 }, { op_rollback, 5 }, { op_reprovision, 3 },
	{ op_metadata, 6 },
};

void op_choose(struct op *op, int i)
{
	unsigned int total = 0, n;
	size_t o = 0;

	for (size_t k = 0; k < sizeof(ops) / sizeof(*ops); k++)
		total += ops[k].weight;
	for (n = pick(total); n >= ops[o].weight; o++)
		n -= ops[o].weight;
	*op = (struct op){ .after = vms[i] };
	ops[o].make(op, i);
	if (op->fails)
		op->after = vms[i];
}
