/* SPDX-License-Identifier: MIT */
/*
 * privileges.c - from "limit_priv" to the capabilities that a zone goes without.
 *
 *	"default,-net_rawaccess"      the usual set, less one
 *	"basic,net_privaddr"          what every process has, and one more: nothing else
 *
 * A capability stays only if all privileges that it stands for are in the set. What
 * is added beyond the usual set is never given: that a zone's root has all that it
 * can have in its own user namespace is the usual set. What cannot be told by
 * capabilities is warned about by name. docs/properties.md has the table for people.
 */
#include "zoneadmd/zoneadmd.h"

#include "base/alloc.h"
#include "base/jv.h"

#include <stdio.h>
#include <string.h>

enum kind {
	BASIC, /* every process has it; cannot be taken */
	USUAL, /* in "default" */
	NEVER, /* no zone has it */
};

static const struct privilege {
	const char *name;
	enum kind kind;
	const char *capabilities[2]; /* none: nothing stands for it, it cannot be taken */
} privileges[] = {
	{ "contract_event", USUAL, { NULL } },
	{ "contract_identity", USUAL, { NULL } },
	{ "contract_observer", USUAL, { NULL } },
	{ "cpc_cpu", NEVER, { NULL } },
	{ "dtrace_kernel", NEVER, { NULL } },
	{ "dtrace_proc", NEVER, { NULL } },
	{ "dtrace_user", NEVER, { NULL } },
	{ "file_chown", USUAL, { "chown" } },
	{ "file_chown_self", USUAL, { NULL } },
	{ "file_dac_execute", USUAL, { "dac_override" } },
	{ "file_dac_read", USUAL, { "dac_override", "dac_read_search" } },
	{ "file_dac_search", USUAL, { "dac_override", "dac_read_search" } },
	{ "file_dac_write", USUAL, { "dac_override" } },
	{ "file_downgrade_sl", NEVER, { NULL } },
	{ "file_flag_set", USUAL, { "linux_immutable" } },
	{ "file_link_any", BASIC, { NULL } },
	{ "file_owner", USUAL, { "fowner" } },
	{ "file_read", BASIC, { NULL } },
	{ "file_setid", USUAL, { "fsetid" } },
	{ "file_upgrade_sl", NEVER, { NULL } },
	{ "file_write", BASIC, { NULL } },
	{ "graphics_access", NEVER, { NULL } },
	{ "graphics_map", NEVER, { NULL } },
	{ "hyprlofs_control", NEVER, { NULL } },
	{ "ipc_dac_read", USUAL, { "ipc_owner" } },
	{ "ipc_dac_write", USUAL, { "ipc_owner" } },
	{ "ipc_owner", USUAL, { "ipc_owner" } },
	{ "net_access", BASIC, { NULL } },
	{ "net_bindmlp", USUAL, { NULL } },
	{ "net_icmpaccess", USUAL, { NULL } },
	{ "net_mac_aware", USUAL, { NULL } },
	{ "net_mac_implicit", USUAL, { NULL } },
	{ "net_observability", USUAL, { NULL } },
	{ "net_privaddr", USUAL, { "net_bind_service" } },
	{ "net_rawaccess", USUAL, { "net_raw" } },
	{ "proc_audit", USUAL, { "audit_write" } },
	{ "proc_chroot", USUAL, { "sys_chroot" } },
	{ "proc_clock_highres", NEVER, { NULL } },
	{ "proc_exec", BASIC, { NULL } },
	{ "proc_fork", BASIC, { NULL } },
	{ "proc_info", BASIC, { NULL } },
	{ "proc_lock_memory", USUAL, { "ipc_lock" } },
	{ "proc_owner", USUAL, { "kill", "sys_ptrace" } },
	{ "proc_prioup", USUAL, { "sys_nice" } },
	{ "proc_priocntl", USUAL, { "sys_nice" } },
	{ "proc_secflags", BASIC, { NULL } },
	{ "proc_session", BASIC, { NULL } },
	{ "proc_setid", USUAL, { "setuid", "setgid" } },
	{ "proc_taskid", USUAL, { NULL } },
	{ "proc_zone", NEVER, { NULL } },
	{ "sys_acct", NEVER, { NULL } },
	{ "sys_admin", USUAL, { "sys_admin" } },
	{ "sys_audit", NEVER, { NULL } },
	{ "sys_config", NEVER, { NULL } },
	{ "sys_devices", NEVER, { NULL } },
	{ "sys_dl_config", USUAL, { "net_admin" } },
	{ "sys_flow_config", USUAL, { "net_admin" } },
	{ "sys_fs_import", NEVER, { NULL } },
	{ "sys_ib_config", NEVER, { NULL } },
	{ "sys_ib_info", USUAL, { NULL } },
	{ "sys_ip_config", USUAL, { "net_admin" } },
	{ "sys_ipc_config", USUAL, { NULL } },
	{ "sys_iptun_config", USUAL, { "net_admin" } },
	{ "sys_linkdir", NEVER, { NULL } },
	{ "sys_mount", USUAL, { "sys_admin" } },
	{ "sys_net_config", NEVER, { NULL } },
	{ "sys_nfs", USUAL, { NULL } },
	{ "sys_ppp_config", USUAL, { "net_admin" } },
	{ "sys_res_bind", NEVER, { NULL } },
	{ "sys_res_config", NEVER, { NULL } },
	{ "sys_resource", USUAL, { "sys_resource" } },
	{ "sys_share", USUAL, { NULL } },
	{ "sys_smb", USUAL, { NULL } },
	{ "sys_suser_compat", NEVER, { NULL } },
	{ "sys_time", NEVER, { NULL } },
	{ "sys_trans_label", USUAL, { NULL } },
	{ "virt_manage", NEVER, { NULL } },
	{ "win_selection", NEVER, { NULL } },
	{ "xvm_control", NEVER, { NULL } },
};

struct set {
	struct zone *z;
	bool has[ARRAY_SIZE(privileges)];
};

static void say(struct set *s, const char *word, const char *what)
{
	char why[128];

	(void)snprintf(why, sizeof(why), "'%.60s' is %s", word, what);
	zone_warn(s->z, "limit_priv", why);
}

/* The names of sets. False: NAME is none. */
static bool put_set(struct set *s, const char *name, bool value)
{
	bool basic = strcmp(name, "basic") == 0;

	if (!basic && strcmp(name, "default") != 0 && strcmp(name, "all") != 0 &&
	    strcmp(name, "zone") != 0 && strcmp(name, "none") != 0)
		return false;
	if (strcmp(name, "none") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(privileges); i++)
		if (!basic || privileges[i].kind == BASIC)
			s->has[i] = value;
	return true;
}

/* WORD is as it was given, NAME without its sign. */
static void put(struct set *s, const char *word, const char *name, bool value)
{
	if (put_set(s, name, value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(privileges); i++) {
		const struct privilege *p = &privileges[i];

		if (strcmp(p->name, name) != 0)
			continue;
		s->has[i] = value;
		if (value && p->kind == NEVER)
			say(s, word, "not given");
		else if (!value && p->kind != NEVER && !p->capabilities[0])
			say(s, word, "not in force: no capability stands for it");
		return;
	}
	say(s, word, value ? "not given" : "not in force");
}

static void drop(struct zone_spec *s, size_t *count, const char *capability)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(s->drop_caps[i], capability) == 0)
			return;
	if (*count + 1 < ARRAY_SIZE(s->drop_caps))
		s->drop_caps[(*count)++] = capability;
}

static void drop_missing(const struct set *set, struct zone_spec *s)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(privileges); i++)
		for (size_t c = 0; c < ARRAY_SIZE(privileges[i].capabilities); c++)
			if (!set->has[i] && privileges[i].capabilities[c])
				drop(s, &count, privileges[i].capabilities[c]);
	s->run.drop_caps = count ? s->drop_caps : NULL;
}

void zone_take_privileges(struct zone *z, struct zone_spec *s)
{
	const char *given = jv_get_string(s->record, "limit_priv");
	cleanup_free char *list = given && *given ? xstrdup(given) : xstrdup("default");
	struct set set = { .z = z };
	char *rest = NULL;

	for (char *p = strtok_r(list, ", ", &rest); p; p = strtok_r(NULL, ", ", &rest)) {
		bool taken = *p == '!' || *p == '-';

		put(&set, p, p + taken, !taken);
	}
	drop_missing(&set, s);
}
