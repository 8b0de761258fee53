/* SPDX-License-Identifier: MIT */
/*
 * What the rules of payloads have to know of this host: its images and networks.
 */
#include "vmadm/vmadm.h"

#include "base/jv.h"
#include "libimg/image.h"
#include "libnet/nictag.h"
#include "libpayload/payload.h"

#include <stdio.h>

static int host_image(void *data, const char *uuid, struct payload_image *ret, struct err *e)
{
	cleanup_image struct image img = { 0 };
	const char *only;
	int r;

	r = image_load(data, uuid, &img, e);
	if (r < 0)
		return r;
	(void)snprintf(ret->type, sizeof(ret->type), "%s",
		       image_type(&img) ? image_type(&img) : "");
	(void)snprintf(ret->os, sizeof(ret->os), "%s", image_os(&img) ? image_os(&img) : "");
	only = jv_as_string(image_requirement(&img, "bootrom"));
	(void)snprintf(ret->bootrom, sizeof(ret->bootrom), "%s", only ? only : "");
	ret->size_mib = jv_get_int(img.manifest, "image_size", 0);
	return 0;
}

static int host_tag(void *data, const char *name, struct payload_tag *ret, struct err *e)
{
	struct nictag tag = { 0 };
	int r;

	/* Overlays ("tag/7") are names that a payload may have and this host has not. */
	if (!nictag_name_is_valid(name))
		return err_set(e, -ENOENT, "Invalid nic tag \"%s\"", name);
	r = nictag_find(data, name, &tag, e);
	if (r < 0)
		return r;
	*ret = (struct payload_tag){ .mtu = tag.mtu, .physical = tag.link[0] };
	return 0;
}

struct payload_env vmadm_payload_env(struct vmadm *v)
{
	return (struct payload_env){ &v->host, host_image, host_tag };
}
