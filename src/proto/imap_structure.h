/*
 * What FETCH told of messages before their parts are fetched one by one: BODYSTRUCTURE (RFC 9051 section 7.5.2), the header,
 * ENVELOPE. Kept for as many messages as there is room for; the oldest go first.
 */
#ifndef WAYBILL_PROTO_IMAP_STRUCTURE_H
#define WAYBILL_PROTO_IMAP_STRUCTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/imap_item.h"
#include "proto/mail.h"

enum { IMAP_MESSAGES_MAX = 128, IMAP_MESSAGES_BYTES_MAX = 128 * 1024, IMAP_FIELD_MAX = 4096 };

struct imap_message; /* opaque */

struct imap_messages { /* embedded; all zero is the initial state */
	struct imap_message *message; /* IMAP_MESSAGES_MAX of them; NULL: none yet */
	size_t count, bytes;
};

enum imap_known { IMAP_KNOWN_STRUCTURE, IMAP_KNOWN_HEADER, IMAP_KNOWN_ENVELOPE, IMAP_KNOWN_COUNT };

/* Remembers bytes as they came (a list without its parentheses, a header). number: the message's in its mailbox. */
void imap_messages_keep(struct imap_messages *m, uint64_t number, enum imap_known what, const uint8_t *bytes, size_t len);
/* The message is gone; those behind it have other numbers now. */
void imap_messages_expunge(struct imap_messages *m, uint64_t number);
void imap_messages_clear(struct imap_messages *m);

/* Header fields of a part, made out of its structure. */
struct imap_part {
	uint8_t type[IMAP_FIELD_MAX], disposition[IMAP_FIELD_MAX], encoding[64];
	size_t type_len, disposition_len, encoding_len;
};

/* section: "2.1"; "TEXT" or empty for the message's own body. False: nothing is known of it. */
bool imap_messages_part(const struct imap_messages *m, uint64_t number, const uint8_t *section, size_t len,
        struct imap_part *out);
/* Tells the mail what is known of its header. */
void imap_messages_tell(const struct imap_messages *m, uint64_t number, struct mail *mail);

#endif
