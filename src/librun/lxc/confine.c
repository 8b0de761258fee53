/* SPDX-License-Identifier: MIT */
/*
 * confine.c - what a machine may not do, beyond what its user namespace already
 * denies. docs/zones.md tells the same to people.
 *
 * Root in a zone is an unprivileged id range on the host: it can change nothing
 * that belongs to the host. The lists here take away ways into the kernel's
 * less beaten paths, and things that are not per namespace.
 */
#include "librun/lxc/lxc.h"

#include "libsys/cgroup.h"

#include <lxc/lxccontainer.h>
#include <stdio.h>
#include <unistd.h>

/*
 * The version 2 format of liblxc: everything is allowed but what is named. Errno
 * 1 (EPERM) where a program should see that it may not, 38 (ENOSYS) where it has
 * a way around for kernels without that call.
 */
/* clang-format off */
const char lxc_seccomp_text[] =
	"2\n"
	"denylist\n"
	"[all]\n"
	/* code into the kernel, or another kernel */
	"init_module errno 1\n"
	"finit_module errno 1\n"
	"delete_module errno 1\n"
	"kexec_load errno 1\n"
	"kexec_file_load errno 1\n"
	"bpf errno 1\n"
	/* a file by number walks past the mounted root */
	"open_by_handle_at errno 1\n"
	/* of the host alone: accounting, swap, quotas, its clock, its log */
	"acct errno 1\n"
	"swapon errno 1\n"
	"swapoff errno 1\n"
	"quotactl errno 1\n"
	"quotactl_fd errno 1\n"
	"settimeofday errno 1\n"
	"clock_settime errno 1\n"
	"syslog errno 1\n"
	"ioperm errno 1\n"
	"iopl errno 1\n"
	/* large, often wrong, and programs do without */
	"perf_event_open errno 1\n"
	"userfaultfd errno 1\n"
	"io_uring_setup errno 38\n"
	"io_uring_enter errno 38\n"
	"io_uring_register errno 38\n"
	/* keys of the kernel are counted for the whole host */
	"add_key errno 38\n"
	"request_key errno 38\n"
	"keyctl errno 38\n"
	/*
	 * BTRFS_IOC_SNAP_CREATE, SUBVOL_CREATE, and the second version of both, by the 32
	 * bits that the kernel looks at: a subvolume can be made outside of its maker's
	 * quota group. ENOTTY: to programs the file system is one that has none.
	 */
	"ioctl errno 25 [1,0x50009401,SCMP_CMP_MASKED_EQ,0xffffffff]\n"
	"ioctl errno 25 [1,0x5000940e,SCMP_CMP_MASKED_EQ,0xffffffff]\n"
	"ioctl errno 25 [1,0x50009417,SCMP_CMP_MASKED_EQ,0xffffffff]\n"
	"ioctl errno 25 [1,0x50009418,SCMP_CMP_MASKED_EQ,0xffffffff]\n"
	/* relics */
	"uselib errno 38\n"
	"ustat errno 38\n"
	"sysfs errno 38\n"
	"lookup_dcookie errno 38\n"
	"nfsservctl errno 38\n"
	"vm86 errno 38\n"
	"vm86old errno 38\n";
/* clang-format on */

static const char *const dropped_caps[] = {
	"sys_module",         /* kernel modules */
	"sys_rawio",          /* ports, raw disk commands */
	"sys_time",           /* the clock is the host's */
	"sys_pacct",          /* process accounting is the host's */
	"syslog",             /* so is the kernel's log */
	"audit_control",      /* so are the audit rules */
	"audit_read",         /* and what they record */
	"mac_admin",          /* security policy is loaded by the host */
	"mac_override",       /* and holds for everybody */
	"wake_alarm",         /* waking the hardware */
	"block_suspend",      /* or keeping it awake */
	"perfmon",            /* see perf_event_open */
	"bpf",                /* see bpf */
	"checkpoint_restore", /* choosing pids, reading other processes' maps */
};

/* What liblxc puts into /dev, and terminals. The machine cannot make nodes anyhow. */
static const char *const devices[] = {
	"c 1:3 rwm",   /* null */
	"c 1:5 rwm",   /* zero */
	"c 1:7 rwm",   /* full */
	"c 1:8 rwm",   /* random */
	"c 1:9 rwm",   /* urandom */
	"c 5:0 rwm",   /* tty */
	"c 5:1 rwm",   /* console */
	"c 5:2 rwm",   /* ptmx */
	"c 136:* rwm", /* pts */
};

/* liblxc reads the keys of the version that is mounted, and none of the other. */
static void set_devices(struct lxc_setter *s, bool fuse)
{
	const char *prefix = cgroup_is_unified() ? "lxc.cgroup2" : "lxc.cgroup";
	char key[64];

	if (!cgroup_is_unified() && access("/sys/fs/cgroup/devices", F_OK) < 0)
		return;
	(void)snprintf(key, sizeof(key), "%s.devices.deny", prefix);
	lxc_set(s, key, "a");
	(void)snprintf(key, sizeof(key), "%s.devices.allow", prefix);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		lxc_set(s, key, "%s", devices[i]);
	if (fuse)
		lxc_set(s, key, "c 10:229 rwm");
}

void lxc_confine(struct lxc_setter *s, const struct run_spec *spec, const char *profile)
{
	for (size_t i = 0; i < ARRAY_SIZE(dropped_caps); i++)
		lxc_set(s, "lxc.cap.drop", "%s", dropped_caps[i]);
	for (const char *const *cap = spec->drop_caps; cap && *cap; cap++)
		lxc_set(s, "lxc.cap.drop", "%s", *cap);
	lxc_set(s, "lxc.seccomp.profile", "%s", profile);
	set_devices(s, spec->fuse);

	/*
	 * liblxc's default profile may not be loaded on a host, and is written for
	 * containers without a user namespace. A build without AppArmor refuses the
	 * key, which is as good.
	 */
	if (!s->failed)
		(void)s->c->set_config_item(s->c, "lxc.apparmor.profile", "unconfined");
}
