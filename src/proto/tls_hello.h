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
	TLS_EXT_VERSIONS = 43,
};

struct tls_hello {
	uint16_t version;         /* legacy_version; the server's choice for a ServerHello */
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

/* The message without its 4-byte header. 0, or -1 when it is malformed. */
int tls_hello_client(struct reader message, struct tls_hello *out);
int tls_hello_server(struct reader message, struct tls_hello *out);

/* Reserved values that clients offer to keep servers tolerant (RFC 8701 section 2). */
bool tls_is_grease(uint16_t value);

#endif
