/* SPDX-License-Identifier: MIT */
/*
 * dais_probe.c - a driver that takes two of QEMU's devices and does nothing: one that
 * no driver of the kernel knows (edu), one that another knows as well (i6300esb).
 */
#include <linux/module.h>
#include <linux/pci.h>

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ PCI_DEVICE(0x8086, 0x25ab) },
	{},
};
MODULE_DEVICE_TABLE(pci, ids);

static int take(struct pci_dev *dev, const struct pci_device_id *id)
{
	pci_info(dev, "taken\n");
	return 0;
}

static void leave(struct pci_dev *dev)
{
	pci_info(dev, "left\n");
}

static struct pci_driver prober = {
	.name = KBUILD_MODNAME,
	.id_table = ids,
	.probe = take,
	.remove = leave,
};
module_pci_driver(prober);
MODULE_DESCRIPTION("Driver that is found by its device");
MODULE_LICENSE("Dual MIT/GPL");
