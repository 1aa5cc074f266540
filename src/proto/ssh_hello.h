/*
 * The clear beginning of each end of an SSH connection: banner, and packets up to NEWKEYS (RFC 4253 sections 4.2,
 * 6, 7), of which only the offer in KEXINIT is read.
 */
#ifndef WAYBILL_PROTO_SSH_HELLO_H
#define WAYBILL_PROTO_SSH_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "proto/ssh_cipher.h"

enum ssh_step {
	SSH_BANNER,    /* bytes holds the line so far */
	SSH_PACKETS,   /* bytes holds the packet so far */
	SSH_ENCRYPTED, /* behind NEWKEYS */
	SSH_LOST,      /* nothing more of this end can be read */
};

enum ssh_role { SSH_ROLE_UNKNOWN, SSH_ROLE_CLIENT, SSH_ROLE_SERVER };

struct ssh_offer {
	/* HASSH, whichever role the end turns out to have; empty where there is no MD5. */
	char as_client[DIGEST_HEX_MAX], as_server[DIGEST_HEX_MAX];
	struct reader list[SSH_LISTS]; /* in bytes */
	uint8_t bytes[];
};

struct ssh_half {
	enum ssh_step step;
	enum ssh_role role; /* what its packets say of it */
	uint8_t *bytes;
	size_t len, size;
	size_t preamble;    /* bytes of lines before the banner */
	unsigned packets;
	char *banner;
	struct ssh_offer *offer; /* NULL: not seen yet */
};

/* Takes bytes that the end sent, while it is at its banner or its clear packets; how many were taken. */
size_t ssh_hello_take(struct ssh_half *half, const struct digests *digests, const uint8_t *bytes, size_t len);
void ssh_hello_clear(struct ssh_half *half);

#endif
