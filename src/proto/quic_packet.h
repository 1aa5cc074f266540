/*
 * The packets of a QUIC datagram as their headers tell them: versions, connection
 * IDs, and where a packet ends (RFC 9000 section 17, RFC 9369 section 3).
 */
#ifndef WAYBILL_PROTO_QUIC_PACKET_H
#define WAYBILL_PROTO_QUIC_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

enum {
	QUIC_CID_MAX = 20,     /* RFC 9000 section 17.2 */
	QUIC_SALT_LEN = 20,
	QUIC_SALTS_MAX = 3,
	QUIC_VERSION_MAX = 24, /* of its name */
};

enum quic_form {
	QUIC_FORM_1,       /* headers as in version 1 and its drafts from 22 on */
	QUIC_FORM_2,       /* with the packet types of version 2 */
	QUIC_FORM_NIBBLES, /* gQUIC 44 to 46: both lengths in one byte, nothing encrypted before the keys are agreed */
};

struct quic_version {
	uint32_t number;
	enum quic_form form;
	const uint8_t *salt[QUIC_SALTS_MAX]; /* for Initial packets: these may be the one; NULL ends */
	bool second_labels;                  /* the labels of version 2 */
	bool google;                         /* the handshake is Google's own, not TLS */
};

enum quic_type {
	QUIC_INITIAL,
	QUIC_ZERO_RTT,
	QUIC_HANDSHAKE,
	QUIC_RETRY,
	QUIC_NEGOTIATION,
	QUIC_SHORT,
};

struct quic_packet {
	enum quic_type type;
	struct quic_version version; /* not of QUIC_SHORT and QUIC_NEGOTIATION */
	struct reader dcid, scid;    /* destination and source connection ID; not of QUIC_SHORT */
	struct reader token;         /* QUIC_INITIAL, QUIC_RETRY */
	struct reader versions;      /* QUIC_NEGOTIATION: 32-bit values */
	const uint8_t *first;        /* the packet's first byte */
	size_t len;                  /* bytes from there to its end */
	size_t number_at;            /* where its (protected) packet number is */
};

/* Takes the next packet off the datagram: 0, or -1 where there is none that could be one. */
int quic_packet_take(struct reader *datagram, struct quic_packet *out);

/* Is it known, so that its packets can be taken apart? */
bool quic_version_find(uint32_t number, struct quic_version *out);
/* Reserved, to keep others from taking the known ones for granted (RFC 9000 section 15). */
bool quic_version_is_grease(uint32_t number);
/* "1", "2", "draft-29", "Q046", "mvfst 0xfaceb002" */
const char *quic_version_name(uint32_t number, char text[QUIC_VERSION_MAX]);

/* A variable-length integer (RFC 9000 section 16). */
uint64_t quic_varint(struct reader *r);

#endif
