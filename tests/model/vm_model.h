// SPDX-License-Identifier: MIT
/*
 * vm_model.h - the model's VMs, and operations on them with what must come out.
 */
#pragma once

#include <stdbool.h>

#define VMS      6
#define SNAPS    4
#define LINE     512
#define ARGS_MAX 16
#define CHUNK    100

struct vm {
	bool there;
	bool runs;
	bool autoboot;
	int ram;
	int alias;
	int content; /* of the marker file in its root; 0: there is none */
	int snaps;   /* oldest first */
	int snap_content[SNAPS];
	int snap_name[SNAPS];
};

struct op {
	const char *args[ARGS_MAX];
	const char *input; /* of standard input */
	bool fails;        /* is refused, and changes nothing */
	struct vm after;
};

extern const char *image;
extern unsigned int runner; /* 0: the only one on this host */
extern struct vm vms[VMS];
extern char names[VMS][37];

/* 0 to N - 1, by the seed. */
unsigned int pick(unsigned int n);

/* Chooses one for VM number I. Its texts hold until the next is made. */
void op_choose(struct op *op, int i);
void op_delete(struct op *op, int i);
