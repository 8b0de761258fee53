/* SPDX-License-Identifier: MIT */
#include "libmanifest/manifest_file.h"

#include "base/jv.h"

#include <ctype.h>
#include <string.h>

static bool take_hex(const char *s, size_t digits, char ret[static DIGEST_HEX_MAX])
{
	if (strncmp(s, "sha256:", 7) == 0)
		s += 7;
	if (strlen(s) != digits)
		return false;
	for (size_t i = 0; i <= digits; i++) {
		if (s[i] && !isxdigit((unsigned char)s[i]))
			return false;
		ret[i] = (char)tolower((unsigned char)s[i]);
	}
	return true;
}

static int bad_file(struct err *e, const char *field, const char *rule)
{
	return err_set(e, -EINVAL, "invalid manifest: files[0].%s (%s)", field, rule);
}

int manifest_read_file(const struct jv *manifest, struct manifest_file *ret, struct err *e)
{
	const struct jv *file = jv_at(jv_get(manifest, "files"), 0);
	const char *sha1 = jv_get_string(file, "sha1");
	const char *sha256 = jv_get_string(file, "sha256");
	const char *diff_id = jv_get_string(file, "uncompressedDigest");
	const struct jv *size = jv_get(file, "size");

	*ret = (struct manifest_file){ 0 };
	if (!file)
		return err_set(e, -EINVAL, "invalid manifest: files (MissingParameter)");
	if (jv_type(size) != JV_INT || jv_as_int(size, -1) < 0)
		return bad_file(e, "size", "must be a number of bytes");
	if (!sha256)
		sha256 = jv_get_string(file, "digest");
	if (sha256 && !take_hex(sha256, 64, ret->sha256))
		return bad_file(e, jv_get(file, "sha256") ? "sha256" : "digest",
				"must be 64 hexadecimal digits");
	/* One of the two: registries and simplestreams know SHA-256 alone. */
	if ((!sha1 && !sha256) || (sha1 && !take_hex(sha1, 40, ret->sha1)))
		return bad_file(e, "sha1", "must be 40 hexadecimal digits");
	if (diff_id && !take_hex(diff_id, 64, ret->diff_id))
		return bad_file(e, "uncompressedDigest", "must be 64 hexadecimal digits");
	ret->size = (uint64_t)jv_as_int(size, 0);
	return 0;
}
