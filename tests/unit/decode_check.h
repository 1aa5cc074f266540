/*
 * What the tests of the decode stage have in common: frames as hexadecimal
 * text, packets as one line of text each, and a run over every prefix of a frame.
 */
#ifndef WAYBILL_TESTS_DECODE_CHECK_H
#define WAYBILL_TESTS_DECODE_CHECK_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "decode/decode.h"
#include "tests/unit/hex.h"

#define UDP4_A_B "10.0.0.1:1000>10.0.0.2:53/17 4\n"
#define UDP6_A_B "2001:db8::1:1000>2001:db8::2:53/17 4\n"

/* IP packets, whole and right, with four bytes of payload each. */
#define UDP4                                                                                       \
	"45000020 00010000 401166ca 0a000001 0a000002" /* 10.0.0.1 > 10.0.0.2 */                   \
	"03e8 0035 000c ffdc 74657374"                 /* 1000 > 53, "test" */
#define UDP6                                                                                       \
	"60000000 000c1140"                                                                        \
	"20010db8000000000000000000000001 20010db8000000000000000000000002"                        \
	"03e8 0035 000c b86a 74657374"
#define TCP4                                                                                       \
	"4500002c 00020000 400666c8 0a000001 0a000002"                                             \
	"03e8 0050 00000001 00000002 5018 0003 bec5 0000 64617461"
#define MACS "020000000002 020000000001"

struct decode_row {
	const char *name;
	uint16_t link;
	const char *hex;
	const char *want; /* good: the packets; bad: the counter */
};

/* One line a packet: addresses, ports, transport, payload's length, what the flags say, tags. */
static inline void
decode_note(void *ctx, const struct packet *p)
{
	enum { OUT_MAX = 4096 };
	char *out = ctx, src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
	uint8_t *copy = malloc(p->captured + 1);

	memcpy(copy, p->payload, p->captured); /* every byte told of must be there */
	free(copy);
	assert_true(p->captured <= p->payload_len);
	size_t used = strlen(out);
	snprintf(out + used, OUT_MAX - used, "%s:%u>%s:%u/%u %u%s%s%s\n", addr_format(&p->src, src),
		p->src_port, addr_format(&p->dst, dst), p->dst_port, p->transport, p->payload_len,
		(p->flags & PACKET_CUT) != 0 ? " cut" : "",
		(p->flags & PACKET_REASSEMBLED) != 0 ? " reassembled" : "",
		(p->flags & PACKET_BAD_CHECKSUM) != 0 ? " bad" : "");
	used = strlen(out);
	if (p->vlan[0] != 0)
		snprintf(out + used, OUT_MAX - used, "vlan %u %u\n", p->vlan[0], p->vlan[1]);
}

/* Decodes bytes of a frame that had len on the wire. */
static inline void
decode_bytes(struct decoder *d, uint16_t link, const uint8_t *bytes, size_t caplen, size_t len)
{
	const struct frame f = {
		.time = 1000000000,
		.data = bytes,
		.caplen = (uint32_t)caplen,
		.len = (uint32_t)len,
		.number = 1,
		.link = link,
	};
	decoder_frame(d, &f);
}

static inline uint64_t
decode_counter(struct decoder *d, const char *name)
{
	size_t count;
	const struct coverage_counter *counters = decoder_counters(d, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(counters[i].name, name) == 0)
			return counters[i].count;
	fail_msg("there is no counter %s", name);
	return 0;
}

static inline uint64_t
decode_counted(struct decoder *d)
{
	size_t count;
	uint64_t sum = 0;
	const struct coverage_counter *counters = decoder_counters(d, &count);

	for (size_t i = 0; i < count; i++)
		sum += counters[i].count;
	return sum;
}

/* Every prefix, once as if the snap length had cut it and once as if it had been so short. */
static inline void
decode_prefixes(const struct decode_row *row)
{
	size_t len;
	uint8_t *bytes = hex_bytes(row->hex, &len);

	for (size_t n = 0; n < len; n++) {
		uint8_t *prefix = malloc(n > 0 ? n : 1);
		memcpy(prefix, bytes, n);
		for (int cut = 0; cut < 2; cut++) {
			char out[4096] = "";
			struct decoder *d = decoder_create(NULL, decode_note, out);
			decode_bytes(d, row->link, prefix, n, cut ? len : n);
			if (out[0] == '\0' && decode_counted(d) == 0)
				fail_msg("%s: %zu of %zu bytes vanished silently", row->name, n,
					len);
			decoder_destroy(d);
		}
		free(prefix);
	}
	free(bytes);
}

static inline void
decode_check_good(const struct decode_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char out[4096] = "";
		size_t len;
		uint8_t *bytes = hex_bytes(rows[i].hex, &len);
		struct decoder *d = decoder_create(NULL, decode_note, out);

		decode_bytes(d, rows[i].link, bytes, len, len);
		if (strcmp(out, rows[i].want) != 0 || decode_counted(d) != 0)
			fail_msg("%s: got\n%s(%u counted) instead of\n%s", rows[i].name, out,
				(unsigned)decode_counted(d), rows[i].want);
		decoder_destroy(d);
		free(bytes);
		decode_prefixes(&rows[i]);
	}
}

static inline void
decode_check_bad(const struct decode_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char out[4096] = "";
		size_t len;
		uint8_t *bytes = hex_bytes(rows[i].hex, &len);
		struct decoder *d = decoder_create(NULL, decode_note, out);

		decode_bytes(d, rows[i].link, bytes, len, len);
		if (decode_counter(d, rows[i].want) == 0)
			fail_msg("%s: %s was not counted; packets:\n%s", rows[i].name, rows[i].want,
				out);
		decoder_destroy(d);
		free(bytes);
		decode_prefixes(&rows[i]);
	}
}

#endif
