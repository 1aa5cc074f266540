/*
 * The encrypted bytes of one end of SSH as units: whole packets where their length is readable (GCM, encrypt-then-MAC),
 * else what came in one piece.
 */
#ifndef WAYBILL_PROTO_SSH_UNIT_H
#define WAYBILL_PROTO_SSH_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/ssh_cipher.h"

struct ssh_units {
	struct ssh_cipher cipher;
	bool exact;       /* units are packets */
	uint8_t head_len; /* bytes of the length field so far */
	uint8_t head[4];
	uint32_t left;    /* bytes of the packet to come; 0: between packets */
	uint32_t size;    /* of the packet */
};

void ssh_units_init(struct ssh_units *u, const struct ssh_cipher *cipher);

/* Takes bytes up to the end of a unit; how many. *size: of the unit that ended with them, 0: none did. */
size_t ssh_units_take(struct ssh_units *u, const uint8_t *bytes, size_t len, uint32_t *size);

/* Bytes were not seen: where packets begin is not known any more. */
void ssh_units_lose(struct ssh_units *u);

#endif
