/*
 * IPsec: key exchange (IKEv1, RFC 2408 section 3.1; IKEv2, RFC 7296 section 3.1) on any port of UDP, behind the marker
 * of RFC 3948 section 2.2 too; ESP (RFC 4303) and AH (RFC 4302) by themselves, and ESP in UDP (RFC 3948 section 2.1).
 * The latter has no form but a number that counts: it is believed at its port, once a second packet has the next one.
 * What goes through can't be read; its volume is told.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/reader.h"
#include "proto/plain.h"

enum {
	HEADER = 28,
	SPI_LEAST = 256,     /* RFC 4303 section 2.1: those below are reserved */
	AHEAD_MAX = 64,      /* packets that may be missing between two */
	PORT_NAT = 4500,
	ESP_LEAST = 8 + 8 + 12, /* SPI and number, a block, a check value */
	COUNTED = 1 << 20,   /* a tunnel that far is as good as any number */
};

/* ESP in UDP. */
struct esp {
	struct session *session;
	uint32_t spi[2], number[2];
};

static bool is_ike(struct reader r, unsigned *version, bool *request);
static struct reader behind_marker(struct reader r);

static enum verdict
ike_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	struct reader r = behind_marker(reader_init(p->bytes[side], p->len[side]));
	unsigned version;
	bool request;
	return plain_verdict(is_ike(r, &version, &request));
}

static enum verdict
ike_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct session *s = state;
	unsigned version;
	bool request;
	if (is_ike(behind_marker(reader_init(bytes, len)), &version, &request)) {
		session_client_end(s, request ? from : side_other(from));
		session_detail_number(s, "ipsec.ike_version", version);
	}
	session_detail(s, "tunnel.kind", "ipsec", 5);
	return VERDICT_DONE;
}

static enum verdict
esp_udp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	struct reader r = reader_init(p->bytes[side], p->len[side]);
	const uint32_t spi = reader_be32(&r), number = reader_be32(&r);
	return plain_verdict(plain_port(p, PORT_NAT) && p->len[side] >= ESP_LEAST && p->len[side] % 4 == 0 &&
	                     spi >= SPI_LEAST && number > 0 && number < COUNTED);
}

static void *
esp_udp_open(struct session *s)
{
	struct esp *e = calloc(1, sizeof *e);
	if (e != NULL)
		e->session = s;
	session_protocol_none(s); /* so far */
	return e;
}

static enum verdict
esp_udp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct esp *e = state;
	struct reader r = reader_init(bytes, len);
	const uint32_t spi = reader_be32(&r), number = reader_be32(&r);
	if (len == 1) /* RFC 3948 section 2.3: a packet to keep a NAT awake */
		return VERDICT_MORE;
	if (!reader_ok(&r) || spi < SPI_LEAST)
		return VERDICT_NOT_MINE;
	const bool counts = e->spi[from] == spi && number > e->number[from] && number - e->number[from] <= AHEAD_MAX;
	if (e->spi[from] != 0 && !counts)
		return VERDICT_NOT_MINE;
	e->spi[from] = spi;
	e->number[from] = number;
	if (!counts)
		return VERDICT_MORE;
	session_protocol(e->session, proto_esp_udp.name, SESSION_BY_CONTENT);
	session_unreadable(e->session, "encrypted");
	session_detail(e->session, "tunnel.kind", "ipsec", 5);
	return VERDICT_DONE;
}

static void
esp_udp_close(void *state, bool reset)
{
	(void)reset;
	free(state);
}

static enum verdict
esp_probe(const struct probe *p)
{
	const enum side side = plain_side(p);
	struct reader r = reader_init(p->bytes[side], p->len[side]);
	return plain_verdict(reader_be32(&r) >= SPI_LEAST && p->len[side] >= 8);
}

static enum verdict
esp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	(void)from;
	(void)bytes;
	(void)len;
	session_detail(state, "tunnel.kind", "ipsec", 5);
	return VERDICT_DONE;
}

const struct proto proto_ike = {
        .name = "isakmp",
        .transport = IPPROTO_UDP,
        .ports = {500, PORT_NAT},
        .reads = "the version, who began it",
        .infers = "transfers through the tunnel, from volume, where ESP comes over the same ports",
        .misses = "proposals and identities",
        .probe = ike_probe,
        .open = plain_open_encrypted,
        .data = ike_data,
        .gap = plain_gap,
        .close = plain_close,
};

const struct proto proto_esp_udp = {
        .name = "esp",
        .transport = IPPROTO_UDP,
        .ports = {PORT_NAT},
        .reads = "that it is a tunnel",
        .infers = "transfers, from volume",
        .misses = "all that goes through it",
        .probe = esp_udp_probe,
        .open = esp_udp_open,
        .data = esp_udp_data,
        .gap = plain_gap,
        .close = esp_udp_close,
};

const struct proto proto_esp = {
        .name = "esp",
        .transport = IPPROTO_ESP,
        .reads = "that it is a tunnel",
        .infers = "transfers, from volume",
        .misses = "all that goes through it",
        .probe = esp_probe,
        .open = plain_open_encrypted,
        .data = esp_data,
        .gap = plain_gap,
        .close = plain_close,
};

static bool
is_ike(struct reader r, unsigned *version, bool *request)
{
	const size_t len = r.left;
	const uint64_t initiator = reader_be64(&r), responder = reader_be64(&r);
	const uint8_t next = reader_u8(&r), number = reader_u8(&r), exchange = reader_u8(&r), flags = reader_u8(&r);
	reader_skip(&r, 4); /* message ID */
	const uint32_t length = reader_be32(&r);
	if (!reader_ok(&r) || initiator == 0 || length != len || length < HEADER)
		return false;
	*version = number >> 4;
	if (number == 0x10) { /* RFC 2408, RFC 2409: base to informational, quick and new group */
		*request = responder == 0;
		return (exchange <= 6 || exchange == 32 || exchange == 33) && next <= 21 && flags < 8;
	}
	*request = (flags & 0x20) == 0; /* the response bit */
	return number == 0x20 && exchange >= 34 && exchange <= 46 && (flags & 0xc7) == 0 &&
	       (next == 0 || (next >= 33 && next <= 56));
}

/* Four zero bytes tell it from ESP. */
static struct reader
behind_marker(struct reader r)
{
	struct reader at = r;
	return reader_be32(&at) == 0 && reader_ok(&at) ? at : r;
}
