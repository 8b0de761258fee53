/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include "base/alloc.h"
#include "base/uuid.h"
#include "librecord/claim.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX  ((size_t)64 << 20)
#define IMAGE_MTU 9000
#define MAC_SCAN  32
#define WORD_SCAN 64

struct jv *judge_load(const char *fixtures, const char *name)
{
	cleanup_free char *path = xasprintf("%s/vmadm-payloads/%s", fixtures, name);
	struct jv *v = NULL;
	struct err e = { 0 };
	int r;

	r = jv_load(AT_FDCWD, path, FILE_MAX, &v, &e);
	if (r < 0 && r != -ENOENT)
		fprintf(stderr, "%s\n", e.msg);
	return v;
}

static void add_image(struct jv *images, const char *uuid, const char *type, int64_t size)
{
	struct jv *image = jv_object();

	jv_set(image, "type", jv_string(type));
	jv_set(image, "size", jv_int(size));
	jv_set(images, uuid, image);
}

/* "UUID=TYPE" and "UUID=TYPE N MiB", anywhere in the note. */
static void images_of_note(struct jv *images, const char *note)
{
	for (const char *at = note; (at = strchr(at, '=')); at++) {
		char uuid[UUID_STR], type[WORD_SCAN];
		long long size = 0;

		if (at - note < UUID_LEN)
			continue;
		(void)snprintf(uuid, sizeof(uuid), "%.*s", UUID_LEN, at - UUID_LEN);
		if (!uuid_is_valid(uuid) ||
		    sscanf(at + 1, "%63[a-z-] %lld MiB", type, &size) < 1)
			continue;
		add_image(images, uuid, type, size);
	}
}

/* The images that the examples of the manual name. */
static void images_of_example(struct jv *images, const struct jv *payload)
{
	const char *uuid = jv_get_string(payload, "image_uuid");
	const struct jv *disks = jv_get(payload, "disks");

	if (uuid)
		add_image(images, uuid, "zone-dataset", 0);
	for (size_t i = 0; i < jv_len(disks); i++) {
		uuid = jv_get_string(jv_at(disks, i), "image_uuid");
		if (uuid)
			add_image(images, uuid, "zvol",
				  jv_get_int(jv_at(disks, i), "image_size", 0));
	}
}

static void images_of_manual(struct jv *images, const char *fixtures)
{
	cleanup_free char *path = xasprintf("%s/vmadm-payloads/man", fixtures);
	DIR *d = opendir(path);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		cleanup_free char *name = xasprintf("man/%s", entry->d_name);
		cleanup_jv struct jv *payload = NULL;

		if (!strstr(entry->d_name, ".json"))
			continue;
		payload = judge_load(fixtures, name);
		images_of_example(images, payload);
	}
	if (d)
		(void)closedir(d);
}

/* "Known nic tags: a, b, c (physical), d (etherstub)." */
static void tags_of_note(struct jv *tags, const char *note)
{
	static const char head[] = "nic tags:";
	const char *at = strstr(note, head);
	bool physical = true;

	for (at = at ? at + strlen(head) : ""; *at && *at != '.';) {
		size_t len = strcspn(at, ",. ");
		cleanup_free char *word = xstrndup(at, len);

		if (strncmp(word, "(etherstub", 10) == 0)
			physical = false;
		else if (isalpha((unsigned char)*word))
			jv_set(tags, word, jv_bool(true));
		if (!physical)
			for (void *it = jv_iter(tags); it; it = jv_iter_next(tags, it))
				if (strncmp(jv_iter_key(it), "stub", 4) == 0)
					jv_set(tags, "stub0", jv_bool(false));
		at += len + (at[len] != '\0' && at[len] != '.');
	}
}

/* "One other VM exists: UUID (nic TAG IP mac MAC, vnc_port N)." */
static struct jv *other_of_note(const char *note)
{
	char uuid[UUID_STR], tag[WORD_SCAN], ip[WORD_SCAN], mac[MAC_SCAN];
	const char *at = strstr(note, "other VM exists: ");
	struct jv *vm, *nic, *nics, *ips;
	int port;

	if (!at ||
	    sscanf(at, "other VM exists: %36s (nic %63s %63s mac %31[0-9a-f:], vnc_port %d",
		   uuid, tag, ip, mac, &port) != 5)
		return NULL;
	vm = jv_object();
	nic = jv_object();
	nics = jv_array();
	ips = jv_array();
	jv_push(ips, jv_string(ip));
	jv_set(nic, "nic_tag", jv_string(tag));
	jv_set(nic, "mac", jv_string(mac));
	jv_set(nic, "ips", ips);
	jv_push(nics, nic);
	jv_set(vm, "uuid", jv_string(uuid));
	jv_set(vm, "vnc_port", jv_int(port));
	jv_set(vm, "nics", nics);
	return vm;
}

static int find_image(void *data, const char *uuid, struct payload_image *ret, struct err *e)
{
	const struct judge_host *h = data;
	const struct jv *image = jv_get(h->images, uuid);

	if (!image)
		return err_set(e, -ENOENT, "no such image");
	(void)snprintf(ret->type, sizeof(ret->type), "%s", jv_get_string(image, "type"));
	(void)snprintf(ret->os, sizeof(ret->os), "linux");
	ret->size_mib = jv_get_int(image, "size", 0);
	return 0;
}

static int find_tag(void *data, const char *name, struct payload_tag *ret, struct err *e)
{
	const struct judge_host *h = data;
	const struct jv *tag = jv_get(h->tags, name);

	if (!tag)
		return err_set(e, -ENOENT, "no such tag");
	*ret = (struct payload_tag){ .mtu = IMAGE_MTU, .physical = jv_as_bool(tag, true) };
	return 0;
}

void judge_host_open(struct judge_host *h, const char *fixtures)
{
	cleanup_jv struct jv *create = judge_load(fixtures, "oracle/create.json");
	cleanup_jv struct jv *update = judge_load(fixtures, "oracle/update.json");
	const char *note = jv_get_string(create, "note");

	*h = (struct judge_host){ .images = jv_object(), .tags = jv_object() };
	images_of_manual(h->images, fixtures);
	images_of_note(h->images, note ? note : "");
	h->other = other_of_note(note ? note : "");
	note = jv_get_string(update, "note");
	tags_of_note(h->tags, note ? note : "");
	h->env = (struct payload_env){ h, find_image, find_tag };
}

void judge_host_close(struct judge_host *h)
{
	jv_unref(h->images);
	jv_unref(h->tags);
	jv_unref(h->other);
}

char *judge_refusal(const struct problems *ps, const struct err *e)
{
	return problems_fatal(ps) ? problems_summary(ps) : xstrdup(e->msg);
}

char *judge_conflict(const struct judge_host *h, const struct jv *record)
{
	cleanup_jv struct jv *ours = claims_of_record(record);
	cleanup_jv struct jv *theirs = h->other ? claims_of_record(h->other) : jv_array();
	const char *uuid = jv_get_string(record, "uuid");

	if (h->other && strcmp(uuid, jv_get_string(h->other, "uuid")) == 0)
		return xasprintf("VM with UUID %s already exists", uuid);
	for (size_t i = 0; i < jv_len(ours); i++)
		for (size_t k = 0; k < jv_len(theirs); k++)
			if (strcmp(jv_get_string(jv_at(ours, i), "name"),
				   jv_get_string(jv_at(theirs, k), "name")) == 0)
				return xstrdup(
					"Conflict detected with another vm, please check "
					"the MAC, IP, and VRID");
	return NULL;
}

int judge_each(const char *fixtures, const char *file,
	       void (*judge)(struct judge_host *h, const struct jv *data, const struct jv *c))
{
	cleanup_jv struct jv *data = judge_load(fixtures, file);
	const struct jv *cases = jv_get(data, "cases");
	struct judge_host h;

	if (!data)
		return JUDGE_NO_DATA;
	judge_host_open(&h, fixtures);
	for (size_t i = 0; i < jv_len(cases); i++)
		judge(&h, data, jv_at(cases, i));
	judge_host_close(&h);
	return 0;
}
