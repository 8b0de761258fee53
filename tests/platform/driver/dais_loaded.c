/* SPDX-License-Identifier: MIT */
/*
 * dais_loaded.c - a module without a device, loaded at boot with an option.
 */
#include <linux/module.h>

static char *word = "";
module_param(word, charp, 0444);
MODULE_PARM_DESC(word, "what the table of drivers says");

static int __init come(void)
{
	pr_info("loaded with '%s'\n", word);
	return 0;
}

static void __exit go(void)
{
}

module_init(come);
module_exit(go);
MODULE_DESCRIPTION("Module that is loaded by name");
MODULE_LICENSE("Dual MIT/GPL");
