#include "config.h"

#include "proto/tls_hello.h"

#include <string.h>

enum { RANDOM_LEN = 32 };

static int client_hello(struct reader r, bool has_cookie, struct tls_hello *out);
static bool is_retry(const uint8_t *random);
static void client_extension(uint16_t type, struct reader body, struct tls_hello *out);
static void server_extension(uint16_t type, struct reader body, struct tls_hello *out);
static int extensions(struct reader list, struct tls_hello *out,
        void (*each)(uint16_t type, struct reader body, struct tls_hello *out));
static struct reader first_name(struct reader list);
static struct reader first_protocol(struct reader body);

int
tls_hello_client(struct reader r, struct tls_hello *out)
{
	*out = (struct tls_hello){.carrier = TLS_OVER_TCP};
	return client_hello(r, false, out);
}

int
tls_hello_client_datagrams(struct reader r, struct tls_hello *out)
{
	*out = (struct tls_hello){.carrier = TLS_OVER_DATAGRAMS};
	return client_hello(r, true, out);
}

int
tls_hello_server(struct reader r, struct tls_hello *out)
{
	*out = (struct tls_hello){.carrier = TLS_OVER_TCP};
	out->version = out->legacy_version = reader_be16(&r);
	out->retry = is_retry(reader_take(&r, RANDOM_LEN));
	const bool short_form = out->version >> 8 == 0x7f; /* TLS 1.3 before its draft 22 */
	if (!short_form)
		out->session_id = reader_sub(&r, reader_u8(&r));
	out->ciphers = reader_sub(&r, 2);
	reader_skip(&r, short_form ? 0 : 1); /* compression method */
	if (!reader_ok(&r))
		return -1;
	if (r.left == 0)
		return 0;
	out->extensions = reader_sub(&r, reader_be16(&r));
	return reader_ok(&r) ? extensions(out->extensions, out, server_extension) : -1;
}

bool
tls_is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

static int
client_hello(struct reader r, bool has_cookie, struct tls_hello *out)
{
	out->version = out->legacy_version = reader_be16(&r);
	reader_skip(&r, RANDOM_LEN);
	out->session_id = reader_sub(&r, reader_u8(&r));
	if (has_cookie)
		reader_skip(&r, reader_u8(&r));
	out->ciphers = reader_sub(&r, reader_be16(&r));
	reader_skip(&r, reader_u8(&r));              /* compression methods */
	if (!reader_ok(&r) || out->ciphers.left % 2 != 0)
		return -1;
	if (r.left == 0) /* extensions may be missing before TLS 1.3 */
		return 0;
	out->extensions = reader_sub(&r, reader_be16(&r));
	return reader_ok(&r) ? extensions(out->extensions, out, client_extension) : -1;
}

/* The random that makes a ServerHello a HelloRetryRequest (RFC 8446 section 4.1.3); takes NULL. */
static bool
is_retry(const uint8_t *random)
{
	static const uint8_t retry[RANDOM_LEN] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
	        0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2,
	        0xc8, 0xa8, 0x33, 0x9c};
	return random != NULL && memcmp(random, retry, sizeof retry) == 0;
}

static int
extensions(struct reader list, struct tls_hello *out,
        void (*each)(uint16_t type, struct reader body, struct tls_hello *out))
{
	while (list.left > 0) {
		uint16_t type = reader_be16(&list);
		struct reader body = reader_sub(&list, reader_be16(&list));
		if (!reader_ok(&list))
			return -1;
		each(type, body, out);
	}
	return 0;
}

/* A malformed body leaves its list empty; the rest of the hello still counts. */
static void
client_extension(uint16_t type, struct reader body, struct tls_hello *out)
{
	switch (type) {
	case TLS_EXT_SERVER_NAME: /* RFC 6066 section 3 */
		out->has_server_name = true;
		out->server_name = first_name(body);
		break;
	case TLS_EXT_GROUPS: /* RFC 8446 section 4.2.7 */
		out->groups = reader_sub(&body, reader_be16(&body));
		break;
	case TLS_EXT_POINT_FORMATS: /* RFC 8422 section 5.1.2 */
		out->formats = reader_sub(&body, reader_u8(&body));
		break;
	case TLS_EXT_SIGNATURES: /* RFC 8446 section 4.2.3 */
		out->signatures = reader_sub(&body, reader_be16(&body));
		break;
	case TLS_EXT_ALPN:
		out->alpn = first_protocol(body);
		break;
	case TLS_EXT_VERSIONS: /* RFC 8446 section 4.2.1 */
		out->versions = reader_sub(&body, reader_u8(&body));
		break;
	case TLS_EXT_PRE_SHARED_KEY:
		out->has_psk = true;
		break;
	case TLS_EXT_ECH:
		out->has_ech = true;
		break;
	case TLS_EXT_ESNI:
		out->has_esni = true;
		break;
	default:
		break;
	}
}

static void
server_extension(uint16_t type, struct reader body, struct tls_hello *out)
{
	if (type == TLS_EXT_ALPN)
		out->alpn = first_protocol(body);
	if (type == TLS_EXT_VERSIONS && body.left == 2) /* the one chosen */
		out->version = reader_be16(&body);
	if (type == TLS_EXT_PRE_SHARED_KEY)
		out->has_psk = true;
}

/* The first host_name (type 0) of a server name list. */
static struct reader
first_name(struct reader body)
{
	struct reader list = reader_sub(&body, reader_be16(&body));
	while (list.left > 0) {
		uint8_t type = reader_u8(&list);
		struct reader name = reader_sub(&list, reader_be16(&list));
		if (type == 0 && reader_ok(&list))
			return name;
	}
	return (struct reader){0};
}

/* RFC 7301 section 3.1 */
static struct reader
first_protocol(struct reader body)
{
	struct reader list = reader_sub(&body, reader_be16(&body));
	struct reader name = reader_sub(&list, reader_u8(&list));
	return reader_ok(&list) ? name : (struct reader){0};
}
