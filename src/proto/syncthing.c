/*
 * Syncthing's local discovery, version 4: which device is there, and where it listens. The exchange of blocks itself
 * runs inside TLS or QUIC ("bep/1.0" in their ALPN) and is told as those.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

enum { DEVICE_SIZE = 32, MAGIC = 0x2EA7D90B, FIELDS_MAX = 64 };

struct syncthing {
	struct session *session;
	bool told;
};

static void tell_device(struct session *s, const uint8_t id[DEVICE_SIZE]);
static char check_letter(const char *letters, size_t len);
static uint64_t varint(struct reader *r);

/* The number in front, then the field with the device (protocol buffers: field 1, 32 bytes). */
static enum verdict
syncthing_probe(const struct probe *p)
{
	for (size_t side = 0; side < 2; side++) {
		struct reader r = reader_init(p->bytes[side], p->len[side]);
		if (reader_be32(&r) == MAGIC && reader_u8(&r) == 0x0a && reader_u8(&r) == DEVICE_SIZE && r.left >= DEVICE_SIZE)
			return VERDICT_DONE;
	}
	return VERDICT_NOT_MINE;
}

static void *
syncthing_open(struct session *s)
{
	struct syncthing *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
syncthing_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct syncthing *h = state;
	struct reader r = reader_init(bytes, len);
	(void)from;

	if (reader_be32(&r) != MAGIC || !reader_ok(&r))
		return VERDICT_MORE;
	for (size_t i = 0; i < FIELDS_MAX && r.left > 0; i++) {
		uint64_t field = varint(&r);
		if ((field & 7) == 0) {
			(void)varint(&r);
			continue;
		}
		if ((field & 7) != 2)
			break;
		uint64_t n = varint(&r);
		const uint8_t *at = n <= r.left ? reader_take(&r, (size_t)n) : NULL;
		if (at == NULL)
			break;
		if (field >> 3 == 1 && n == DEVICE_SIZE && !h->told)
			tell_device(h->session, at);
		else if (field >> 3 == 2)
			session_detail(h->session, "syncthing.address", at, (size_t)n);
	}
	h->told = true;
	return VERDICT_MORE;
}

static enum verdict
syncthing_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_MORE;
}

static void
syncthing_close(void *state, bool reset)
{
	(void)reset;
	free(state);
}

const struct proto proto_syncthing = {
        .name = "syncthing",
        .transport = IPPROTO_UDP,
        .ports = {21027},
        .reads = "local discovery: device and its addresses",
        .infers = "",
        .misses = "what is synchronised, which runs inside TLS or QUIC and is told as those",
        .probe = syncthing_probe,
        .open = syncthing_open,
        .data = syncthing_data,
        .gap = syncthing_gap,
        .end = NULL,
        .close = syncthing_close,
        .finished = NULL,
};

/* As Syncthing shows it: base 32, a check letter behind every 13, in groups of 7. */
static void
tell_device(struct session *s, const uint8_t id[DEVICE_SIZE])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char letters[52], checked[56], shown[63];

	for (size_t i = 0; i < 52; i++) {
		size_t bit = i * 5;
		uint32_t two = (uint32_t)id[bit / 8] << 8 | (bit / 8 + 1 < DEVICE_SIZE ? id[bit / 8 + 1] : 0);
		letters[i] = alphabet[two >> (11 - bit % 8) & 31];
	}
	for (size_t i = 0; i < 4; i++) {
		memcpy(checked + i * 14, letters + i * 13, 13);
		checked[i * 14 + 13] = check_letter(letters + i * 13, 13);
	}
	size_t len = 0;
	for (size_t i = 0; i < 56; i++) {
		if (i > 0 && i % 7 == 0)
			shown[len++] = '-';
		shown[len++] = checked[i];
	}
	session_detail(s, "syncthing.device", shown, len);
}

/* Luhn's sum modulo 32, from the left. */
static char
check_letter(const char *letters, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	size_t sum = 0;
	for (size_t i = 0; i < len; i++) {
		size_t point = (size_t)(strchr(alphabet, letters[i]) - alphabet) * (i % 2 == 0 ? 1 : 2);
		sum += point / 32 + point % 32;
	}
	return alphabet[(32 - sum % 32) % 32];
}

static uint64_t
varint(struct reader *r)
{
	uint64_t n = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(r);
		n |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return n;
	}
	r->bad = true;
	return 0;
}
