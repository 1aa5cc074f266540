/*
 * What two key exchange offers of SSH agree on (RFC 4253 section 7.1), as far as it shows from outside: how long
 * a packet with a payload of so many bytes is, and whether its length can be read.
 */
#ifndef WAYBILL_PROTO_SSH_CIPHER_H
#define WAYBILL_PROTO_SSH_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "base/record.h"

enum { SSH_LISTS = 8 }; /* name-lists of a KEXINIT: kex, host key, two each of cipher, MAC, compression */

struct ssh_cipher {   /* of one direction; all 0: not known */
	uint8_t block;        /* packets are padded to a multiple of it */
	uint8_t mac;          /* bytes behind each packet */
	bool clear;           /* the packet's length is not encrypted */
	bool counts_length;   /* the length field counts for the padding */
	bool compressed;
};

struct ssh_names { /* what was agreed on, borrowed from the client's offer; left 0: nothing, or not known */
	struct reader cipher, mac, compression;
};

/* sender: SIDE_SOURCE stands for the client. */
void ssh_cipher_choose(const struct reader client[SSH_LISTS], const struct reader server[SSH_LISTS],
        enum side sender, struct ssh_cipher *out, struct ssh_names *names);

/* Bytes on the wire of a packet with this payload; 0: the cipher is not known. */
uint32_t ssh_cipher_wire(const struct ssh_cipher *c, uint32_t payload);

/* Bytes on the wire that are not content, of a packet that carries a channel's data: at the least, about. */
uint32_t ssh_cipher_overhead(const struct ssh_cipher *c);

#endif
