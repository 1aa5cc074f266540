/* IMAP, shared by its files: what a session knows. */
#ifndef WAYBILL_PROTO_IMAP_H
#define WAYBILL_PROTO_IMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/imap_stream.h"
#include "proto/imap_structure.h"
#include "proto/mail.h"
#include "proto/proto.h"
#include "proto/sasl.h"

enum { IMAP_TAG_MAX = 64, IMAP_MAILBOX_MAX = 512, IMAP_SECTION_MAX = 64, IMAP_SNIFF_MAX = 80 };

struct imap_name { /* a short text that is kept; len 0: none */
	uint8_t bytes[IMAP_MAILBOX_MAX];
	size_t len;
};

/* Content that FETCH brings. One in pieces (BODY[]<0>, BODY[]<1000> ...) goes on over several answers. */
struct imap_fetch {
	struct mail *mail;  /* NULL: nothing, or it is passed over */
	uint64_t number;    /* of the message */
	uint8_t section[IMAP_SECTION_MAX];
	size_t section_len;
	bool partial;
	uint64_t offset, next; /* of the piece at hand; of the one that would come next */
	uint64_t first_piece;  /* its length: a shorter one is the last */
	bool sniffing;      /* a part of which nothing is known: is it base64? */
	uint8_t sniff[IMAP_SNIFF_MAX];
	size_t sniffed;
};

struct imap {
	struct session *session;
	enum side client;
	bool sides_known, greeted, challenged;
	bool tls, compressed;      /* from here on */
	struct imap_stream stream[2];
	struct sasl sasl;
	struct imap_name tls_tag, compress_tag, append_tag; /* of commands whose answers matter */
	struct imap_name mailbox;  /* the selected one */
	struct imap_messages messages;
	struct imap_fetch fetch;
	uint64_t asked;            /* the length of pieces that the client asks for; 0: not known */
	struct mail *append;
	uint64_t append_len;       /* of its literal; as long as nothing of it has come */
	struct mail_log log;
};

extern const struct imap_stream_ops imap_client_ops, imap_server_ops;

enum verdict imap_probe(const struct probe *p);

void imap_name_set(struct imap_name *name, const uint8_t *bytes, size_t len);
bool imap_name_is(const struct imap_name *name, const uint8_t *bytes, size_t len);

/* Content that is coming ends so. */
void imap_fetch_over(struct imap *h, enum transfer_state state);
void imap_append_over(struct imap *h, enum transfer_state state);

#endif
