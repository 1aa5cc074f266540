/*
 * The two messages of a TLS handshake that are sent in the clear and say who
 * talks to whom: ClientHello and ServerHello (RFC 8446 section 4.1, RFC 5246
 * section 7.4.1). Lists are left where they lie, as readers over the message.
 */
#ifndef WAYBILL_PROTO_TLS_HELLO_H
#define WAYBILL_PROTO_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

enum { /* extension types (RFC 8446 section 4.2, RFC 8422, RFC 7301) */
	TLS_EXT_SERVER_NAME = 0,
	TLS_EXT_GROUPS = 10,
	TLS_EXT_POINT_FORMATS = 11,
	TLS_EXT_SIGNATURES = 13,
	TLS_EXT_ALPN = 16,
	TLS_EXT_PRE_SHARED_KEY = 41,
	TLS_EXT_VERSIONS = 43,
	TLS_EXT_ECH = 0xfe0d,  /* RFC 9849 section 5 */
	TLS_EXT_ESNI = 0xffce, /* its forerunner, draft-ietf-tls-esni-06 and before */
};

enum tls_carrier { /* the letter that JA4 has for it */
	TLS_OVER_TCP = 't',
	TLS_OVER_QUIC = 'q',
	TLS_OVER_DATAGRAMS = 'd',
};

struct tls_hello {
	enum tls_carrier carrier;
	uint16_t legacy_version;  /* as the field says */
	uint16_t version;         /* the same; the server's choice for a ServerHello */
	struct reader session_id;
	bool retry;               /* a ServerHello that is a HelloRetryRequest */
	bool has_psk;             /* a pre-shared key is offered or, by a server, accepted */
	bool has_ech;             /* an encrypted hello is inside, or GREASE that looks like one */
	bool has_esni;
	bool has_server_name;     /* the extension is there, whatever it holds */
	struct reader server_name; /* host_name, borrowed as all readers here */
	struct reader ciphers;    /* 16-bit values */
	struct reader extensions; /* type, length, body ... */
	struct reader groups;     /* 16-bit values */
	struct reader formats;    /* 8-bit values */
	struct reader signatures; /* 16-bit values */
	struct reader versions;   /* 16-bit values; ClientHello's supported_versions */
	struct reader alpn;       /* the first protocol offered, or the one chosen */
};

/* The message without its header. 0, or -1 when it is malformed. The carrier is told to be TCP. */
int tls_hello_client(struct reader message, struct tls_hello *out);
int tls_hello_server(struct reader message, struct tls_hello *out);
/* The same of DTLS (RFC 6347 section 4.2.1, RFC 9147 section 5.3), which has a cookie more; over datagrams. */
int tls_hello_client_datagrams(struct reader message, struct tls_hello *out);

/* Reserved values that clients offer to keep servers tolerant (RFC 8701 section 2). */
bool tls_is_grease(uint16_t value);

#endif
