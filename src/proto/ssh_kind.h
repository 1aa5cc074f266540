/* The verdict on an SSH connection's shape: what it is used for, how sure that is, how many files moved. */
#ifndef WAYBILL_PROTO_SSH_KIND_H
#define WAYBILL_PROTO_SSH_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/ssh_shape.h"

enum ssh_use {
	SSH_USE_UNKNOWN, /* nothing that tells was said so far */
	SSH_USE_SHELL,
	SSH_USE_SFTP,
	SSH_USE_SCP,
	SSH_USE_RSYNC,
	SSH_USE_TUNNEL,
	SSH_USE_EXEC,
};

enum ssh_way { SSH_WAY_NONE, SSH_WAY_UP, SSH_WAY_DOWN, SSH_WAY_BOTH };

struct ssh_kind {
	enum ssh_use use;
	bool tunnel;           /* ports are forwarded beside it */
	const char *name;      /* "sftp": static */
	const char *confidence; /* "high", "medium", "low": static */
	const char *why;       /* a sentence's part: static */
	const char *method;    /* "SFTP upload": static */
	enum ssh_way way;      /* content goes up to the server, down from it */
	uint32_t files;        /* 0: not known */
	uint64_t content[2];   /* bytes of it that each side sent, about */
	uint64_t largest;      /* file, 0: not known */
};

/* The shape so far. */
struct ssh_kind ssh_kind_of(const struct ssh_shape *h);

#endif
