#include "config.h"

#include "proto/tls_hello.h"

static void client_extension(uint16_t type, struct reader body, struct tls_hello *out);
static void server_extension(uint16_t type, struct reader body, struct tls_hello *out);
static int extensions(struct reader list, struct tls_hello *out,
        void (*each)(uint16_t type, struct reader body, struct tls_hello *out));
static struct reader first_name(struct reader list);
static struct reader first_protocol(struct reader body);

int
tls_hello_client(struct reader r, struct tls_hello *out)
{
	*out = (struct tls_hello){.version = reader_be16(&r)};
	reader_skip(&r, 32);                         /* random */
	reader_skip(&r, reader_u8(&r));              /* session id */
	out->ciphers = reader_sub(&r, reader_be16(&r));
	reader_skip(&r, reader_u8(&r));              /* compression methods */
	if (!reader_ok(&r) || out->ciphers.left % 2 != 0)
		return -1;
	if (r.left == 0) /* extensions may be missing before TLS 1.3 */
		return 0;
	out->extensions = reader_sub(&r, reader_be16(&r));
	return reader_ok(&r) ? extensions(out->extensions, out, client_extension) : -1;
}

int
tls_hello_server(struct reader r, struct tls_hello *out)
{
	*out = (struct tls_hello){.version = reader_be16(&r)};
	reader_skip(&r, 32);            /* random */
	reader_skip(&r, reader_u8(&r)); /* session id */
	out->ciphers = reader_sub(&r, 2);
	reader_skip(&r, 1);             /* compression method */
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
