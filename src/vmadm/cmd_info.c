/* SPDX-License-Identifier: MIT */
/*
 * info and sysrq: what is asked of a hypervisor. Zones have none; what a hardware VM
 * may be asked is checked as the original does.
 */
#include "vmadm/vmadm.h"

#include "base/alloc.h"
#include "base/jv.h"
#include "libpayload/prop.h"
#include "libvm/vm_object.h"

#include <stdio.h>
#include <string.h>

static const char *const kvm_types[] = {
	"all", "block", "blockstats", "chardev", "cpus", "kvm",
	"pci", "spice", "status",     "version", "vnc",  NULL
};
static const char *const bhyve_types[] = { "all", "vnc", NULL };

static const struct {
	enum brand brand;
	const char *const *info;
	const char *const *requests;
} hypervisors[] = {
	{ BRAND_KVM, kvm_types, (const char *const[]){ "nmi", "screenshot", NULL } },
	{ BRAND_BHYVE, bhyve_types, (const char *const[]){ "nmi", NULL } },
};

static bool is_among(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

static bool is_on(const struct jv *vm)
{
	const char *state = vm_object_state(vm);

	/* What is called stopping in the texts is shutting_down of any brand here. */
	return strcmp(state, "running") == 0 || strcmp(state, "shutting_down") == 0;
}

/* Each word may be several, joined by commas. */
static int check_types(struct cli_call *call, const char *const *known, struct err *e)
{
	for (int i = 1; i < cli_operands(call); i++) {
		const char *word = cli_operand(call, i);

		while (*word) {
			size_t len = strcspn(word, ", ");
			cleanup_free char *type = xstrndup(word, len);

			if (len > 0 && !is_among(known, type))
				return err_set(e, -EINVAL, "unknown info type %s", type);
			word += len + (word[len] != '\0');
		}
	}
	return 0;
}

static int check_info(struct cli_call *call, const struct jv *vm, struct err *e)
{
	const char *name = jv_get_string(vm, "brand");
	unsigned int brand = brand_from_name(name);
	int r;

	if (!is_on(vm))
		return err_set(e, -EINVAL,
			       "Unable to get info for vm from state \"%s\", must be "
			       "\"running\" or \"stopping\".",
			       vm_object_state(vm));
	for (size_t i = 0; i < ARRAY_SIZE(hypervisors); i++) {
		if (hypervisors[i].brand != brand)
			continue;
		r = check_types(call, hypervisors[i].info, e);
		return r < 0 ? r
			     : err_set(e, -ENOTSUP, "this host runs no VMs of brand %s", name);
	}
	return err_set(e, -ENOTSUP, "no info types supported for brand %s", name);
}

static int find_object(struct vmadm *v, struct cli_call *call, struct err *e)
{
	int r;

	r = vmadm_need_root("only root may ask for the state of a VM's hypervisor");
	if (r == 0)
		r = vmadm_begin(v, call, e);
	if (r == 0)
		r = vmadm_find(v, call, e);
	return r;
}

int cmd_info(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_free char *prefix = NULL;
	cleanup_jv struct jv *vm = NULL;
	struct err why = { 0 };
	int r;

	r = find_object(&v, call, e);
	if (r != 0)
		return r;
	prefix = xasprintf("Unable to get VM info for VM %s", v.uuid);
	r = vm_object_load(&v.host, v.uuid, &vm, &why);
	if (r == 0)
		r = check_info(call, vm, &why);
	return r < 0 ? vmadm_failed(call, prefix, NULL, &why) : 0;
}

static int check_request(const struct jv *vm, const char *request, struct err *e)
{
	const char *name = jv_get_string(vm, "brand");
	unsigned int brand = brand_from_name(name);

	/* Two blanks, as in the original: clients may compare. */
	if (!(brand & BRANDS_HARDWARE))
		return err_set(e, -ENOTSUP,
			       "The sysrq command is only supported for VMs  with brand "
			       "\"bhyve\" or \"kvm\".");
	if (!is_on(vm))
		return err_set(e, -EINVAL,
			       "Unable to send request to vm from state \"%s\", must be "
			       "\"running\" or \"stopping\".",
			       vm_object_state(vm));
	for (size_t i = 0; i < ARRAY_SIZE(hypervisors); i++)
		if (hypervisors[i].brand == brand &&
		    !is_among(hypervisors[i].requests, request))
			return err_set(e, -ENOTSUP, "'%s' cannot be sent to VMs of brand %s",
				       request, name);
	return err_set(e, -ENOTSUP, "this host runs no VMs of brand %s", name);
}

int cmd_sysrq(struct cli_call *call, struct err *e)
{
	cleanup_vmadm struct vmadm v = { .host = { .fd = -1 } };
	cleanup_jv struct jv *vm = NULL;
	const char *request = cli_operand(call, 1);
	int r;

	r = find_object(&v, call, e);
	if (r != 0)
		return r;
	if (cli_operands(call) != 2)
		return cli_wrong_use(call, "Wrong number of parameters to \"%s\"",
				     cli_command(call));
	if (strcmp(request, "nmi") != 0 && strcmp(request, "screenshot") != 0)
		return cli_wrong_use(call, "Invalid sysrq type: %s", request);
	r = vm_object_load(&v.host, v.uuid, &vm, e);
	return r < 0 ? r : check_request(vm, request, e);
}
