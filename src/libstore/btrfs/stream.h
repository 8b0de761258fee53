/* SPDX-License-Identifier: MIT */
/*
 * stream.h - the commands of a btrfs send stream, version 1 or 2. For the driver (version
 * 1, which it sends), and for images that come as one.
 *
 *	"btrfs-stream\0" VERSION(4)   then commands:
 *	LENGTH(4) COMMAND(2) CRC(4)   then attributes: TYPE(2) LENGTH(2) VALUE
 *
 * In version 2 ATTR_DATA is the last one, has no length, and takes the rest.
 *
 * All numbers are little-endian. A stream is foreign: nothing in it is believed.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_HEAD        17 /* bytes before the first command */
#define STREAM_COMMAND     10 /* bytes before its attributes */
#define STREAM_COMMAND_MAX ((size_t)256 << 10)
#define STREAM_PATH_MAX    4096

enum stream_command {
	STREAM_SUBVOL = 1,
	STREAM_SNAPSHOT,
	STREAM_MKFILE,
	STREAM_MKDIR,
	STREAM_MKNOD,
	STREAM_MKFIFO,
	STREAM_MKSOCK,
	STREAM_SYMLINK,
	STREAM_RENAME,
	STREAM_LINK,
	STREAM_UNLINK,
	STREAM_RMDIR,
	STREAM_SET_XATTR,
	STREAM_REMOVE_XATTR,
	STREAM_WRITE,
	STREAM_CLONE,
	STREAM_TRUNCATE,
	STREAM_CHMOD,
	STREAM_CHOWN,
	STREAM_UTIMES,
	STREAM_END,
	STREAM_COMMAND_MAX_, /* what stream_apply() does; the rest is the reader's: */
	STREAM_FALLOCATE = 23,
	STREAM_FILEATTR,
	STREAM_ENCODED_WRITE,
};

enum stream_attr {
	ATTR_UUID = 1,
	ATTR_CTRANSID,
	ATTR_SIZE = 4,
	ATTR_MODE,
	ATTR_UID,
	ATTR_GID,
	ATTR_RDEV,
	ATTR_MTIME = 10,
	ATTR_ATIME,
	ATTR_XATTR_NAME = 13,
	ATTR_XATTR_DATA,
	ATTR_PATH,
	ATTR_PATH_TO,
	ATTR_PATH_LINK,
	ATTR_FILE_OFFSET,
	ATTR_DATA,
	ATTR_CLONE_UUID,
	ATTR_CLONE_CTRANSID,
	ATTR_CLONE_PATH,
	ATTR_CLONE_OFFSET,
	ATTR_CLONE_LEN,
	ATTR_FALLOCATE_MODE,
	ATTR_FILEATTR,
	ATTR_UNENCODED_FILE_LEN,
	ATTR_UNENCODED_LEN,
	ATTR_UNENCODED_OFFSET,
	ATTR_COMPRESSION,
	ATTR_ENCRYPTION,
	ATTR_MAX_,
};

struct stream_value {
	const uint8_t *data; /* NULL: it has none */
	size_t len;
};

struct stream_cmd {
	unsigned int command;
	struct stream_value attrs[ATTR_MAX_];
};

/* Bytes of the first piece of DATA, 0 when more of it is needed, or -EBADMSG. */
ATTR_MUST_CHECK long stream_piece(const void *data, size_t len, bool at_start, struct err *e);

/* Of the first STREAM_HEAD bytes, once stream_piece() found them good: 1 or 2. */
unsigned int stream_version(const void *head);

/* DATA is one whole command of a stream of VERSION. */
ATTR_MUST_CHECK int stream_parse(const uint8_t *data, size_t len, unsigned int version,
				 struct stream_cmd *ret, struct err *e);

ATTR_MUST_CHECK int stream_number(const struct stream_cmd *c, enum stream_attr attr,
				  uint64_t *ret, struct err *e);
/* Relative, of ordinary parts, without '\0'; "" is the top. */
ATTR_MUST_CHECK int stream_path(const struct stream_cmd *c, enum stream_attr attr,
				char ret[static STREAM_PATH_MAX], struct err *e);
/* The same without a look at the parts: what a symbolic link says. */
ATTR_MUST_CHECK int stream_text(const struct stream_cmd *c, enum stream_attr attr,
				char ret[static STREAM_PATH_MAX], struct err *e);

/* Do what the commands say below ROOTFD, never outside of it. */
struct stream_target {
	int rootfd;
	uint8_t uuid[16]; /* as the stream calls what it makes */
	bool begun, ended;
	char open_path[STREAM_PATH_MAX];
	int openfd; /* of open_path, for writing; -1 */
};
ATTR_MUST_CHECK int stream_apply(struct stream_target *t, const struct stream_cmd *c,
				 struct err *e);
