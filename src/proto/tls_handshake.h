/*
 * What the messages of one TLS handshake say while they are in the clear, whatever
 * carries them (TLS, DTLS, QUIC): it is told to the session. Who carries them puts the
 * messages together; what is behind the last one of use is not wanted any more.
 */
#ifndef WAYBILL_PROTO_TLS_HANDSHAKE_H
#define WAYBILL_PROTO_TLS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"
#include "base/record.h"
#include "proto/tls_hello.h"

struct session;

enum {
	TLS_MESSAGE_MAX = 65536,   /* a longer one is not looked at */
	TLS_CERTIFICATE_HEAD = 6,  /* bytes of a Certificate message that tell how long its first certificate is */
	TLS_SESSION_ID_MAX = 32,
	TLS_CIPHER_MAX = 8,
};

enum { /* RFC 8446 section 4, RFC 5246 section 7.4, RFC 6347 section 4.3.2 */
	TLS_CLIENT_HELLO = 1,
	TLS_SERVER_HELLO = 2,
	TLS_CERTIFICATE = 11,
};

struct tls_handshake {
	struct session *session;
	enum tls_carrier carrier;
	bool over[2];           /* nothing more is wanted of this side */
	bool client_known;      /* client is */
	bool client_told;       /* the first ClientHello was */
	bool server_told;       /* ServerHello, and no HelloRetryRequest */
	bool retried;           /* a HelloRetryRequest was seen */
	bool certified[2];      /* this side's certificate was told */
	enum side client;
	uint8_t session_id[TLS_SESSION_ID_MAX]; /* that the client would like to resume */
	uint8_t session_id_len;
};

void tls_handshake_init(struct tls_handshake *h, struct session *s, enum tls_carrier carrier);

/*
 * A message of this type begins: should it be put together and given? Of a TLS_CERTIFICATE only the first one
 * of its list is wanted, see tls_certificate_wanted.
 */
bool tls_handshake_wants(struct tls_handshake *h, enum side from, uint8_t type);
/* How many bytes of a Certificate message are, as far as its first ones tell. */
size_t tls_certificate_wanted(const uint8_t *body, size_t len);
/* One that was wanted, without its header. */
void tls_handshake_message(struct tls_handshake *h, enum side from, uint8_t type, struct reader body);
/* This side encrypts from here on (ChangeCipherSpec). */
void tls_handshake_encrypts(struct tls_handshake *h, enum side from);
/* Messages of this side may have been missed. */
void tls_handshake_lost(struct tls_handshake *h, enum side from);

/* The version's number alone, as in "1.3"; empty for one without a name. */
void tls_tell_version(struct session *s, uint16_t version);

/* Whom the client asks for. */
void tls_tell_server_name(struct session *s, struct reader name);

/* As IANA calls it, or its number in text. */
const char *tls_cipher_name(uint16_t number, char text[TLS_CIPHER_MAX]);

#endif
