// SPDX-License-Identifier: MIT
/*
 * vm_model.h - the model's VMs, and operations on them with what must come out.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#define VMS        6
#define SNAPS      4
#define LINE       512
#define ARGS_MAX   16
#define CHUNK      100
#define OUTPUT_MAX 65536

struct vm {
	bool there;
	bool runs;
	bool autoboot;
	int ram;
	int alias;
	int key;     /* what its customer_metadata has of "k"; 0: nothing */
	int content; /* of the marker file in its root; 0: there is none */
	int snaps;   /* oldest first */
	int snap_content[SNAPS];
	int snap_name[SNAPS];
	int snap_id[SNAPS]; /* no two that were ever made have the same */
};

struct op {
	const char *program; /* NULL: vmadm */
	const char *args[ARGS_MAX];
	const char *input; /* of standard input */
	bool fails;        /* is refused, and changes nothing */
	struct vm after;
};

extern const char *vmadm, *vminfod, *tools, *image;
extern const char *root, *far_root;
extern unsigned int runner; /* 0: the only one on this host */
extern struct vm vms[VMS];
extern char names[VMS][37];

/* 0 to N - 1, by the seed. */
unsigned int pick(unsigned int n);

/* ---- vm_model_run.c ---- */

struct call {
	const char *program; /* NULL: vmadm */
	const char *host;    /* NULL: the near one */
	const char *args[ARGS_MAX];
	const char *input;
	int in, out;  /* 0: a pipe */
	int crash_at; /* 0: it is not killed */
};

extern char output[OUTPUT_MAX]; /* what the last one said */

/* Their wait status. */
int run_call(const struct call *c);
int run(const char *const args[], const char *input, int crash_at);
int run_op(const struct op *op, int crash_at);

void describe(const struct op *op);
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);
void nap_ms(unsigned int ms);

/* SIGKILL to the programs NAME that serve the VM; in a while, by a child. */
void kill_processes(const char *name, const char *uuid);
pid_t kill_later(const char *name, const char *uuid, unsigned int ms);

/* The vminfod of the near host is killed, and another one started. */
void daemon_again(void);

/* ---- vm_model_look.c: what there is ---- */

/* Does HOST, as HAVE says, show VM number I as V? Another VM than CHANGED is looked at less
 * closely. ROWS is what its list says. */
bool host_is(const char *host, const struct vm have[VMS], int changed, const struct vm *now,
	     char rows[VMS][LINE]);
int read_marker(const char *host, int i);
int snaps_of(const char *host, int i);
void write_marker(int i, int value);
/* "check" has to find nothing; if there are kills, once it has mended what it found. */
void check_host(const char *host, const char *when, bool kills);

/* ---- vm_model_ops.c ---- */

/* Chooses one for VM number I. Its texts hold until the next is made. */
void op_choose(struct op *op, int i);
void op_delete(struct op *op, int i);
void op_start(struct op *op, int i);

/* ---- vm_model_far.c ---- */

/* A VM is sent to the other host, or something is done to it there. */
void far_step(int i, bool kills);
void far_delete_all(void);
