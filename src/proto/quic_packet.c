#include "config.h"

#include "proto/quic_packet.h"

#include <stdio.h>

enum {
	LONG_FORM = 0x80,
	NIBBLE_CID_ADDS = 3, /* a length of 1 stands for 4 bytes */
};

enum { /* version numbers */
	VERSION_1 = 0x00000001,
	VERSION_2 = 0x6b3343cf,
	VERSION_2_DRAFT = 0x709a50c4,
	DRAFT = 0xff000000,
	DRAFT_22 = DRAFT + 22,
	DRAFT_23 = DRAFT + 23,
	DRAFT_29 = DRAFT + 29,
	DRAFT_33 = DRAFT + 33,
	DRAFT_34 = DRAFT + 34,
	MVFST = 0xfaceb000,   /* up to ff: what one large operator names so */
	GOOGLE_44 = 0x51303434,
	GOOGLE_46 = 0x51303436,
	GOOGLE_50 = 0x51303530,
	GOOGLE_TLS_50 = 0x54303530,
	GOOGLE_TLS_51 = 0x54303531,
};

/* RFC 9001 section 5.2 and its drafts, RFC 9369 section 3.3.1; those of gQUIC as its source has them. */
static const uint8_t salt_draft_22[QUIC_SALT_LEN] = {0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96,
        0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a};
static const uint8_t salt_draft_23[QUIC_SALT_LEN] = {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2,
        0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02};
static const uint8_t salt_draft_29[QUIC_SALT_LEN] = {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86,
        0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
static const uint8_t salt_1[QUIC_SALT_LEN] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6,
        0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
static const uint8_t salt_2_draft[QUIC_SALT_LEN] = {0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d, 0x62,
        0xca, 0x57, 0x04, 0x06, 0xea, 0x7a, 0xe3, 0xe5, 0xd3};
static const uint8_t salt_2[QUIC_SALT_LEN] = {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe,
        0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};
static const uint8_t salt_google_50[QUIC_SALT_LEN] = {0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94, 0x5c,
        0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45};
static const uint8_t salt_google_tls_50[QUIC_SALT_LEN] = {0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
        0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10};
static const uint8_t salt_google_tls_51[QUIC_SALT_LEN] = {0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
        0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d};

/* Ranges of numbers, in order of how often they are met. */
static const struct {
	uint32_t from, to;
	struct quic_version version;
} versions[] = {
        {VERSION_1, VERSION_1, {.salt = {salt_1}}},
        {VERSION_2, VERSION_2, {.form = QUIC_FORM_2, .salt = {salt_2}, .second_labels = true}},
        {DRAFT_29, DRAFT_33 - 1, {.salt = {salt_draft_29}}},
        {DRAFT_33, DRAFT_34, {.salt = {salt_1}}},
        {DRAFT_23, DRAFT_29 - 1, {.salt = {salt_draft_23}}},
        {DRAFT_22, DRAFT_22, {.salt = {salt_draft_22}}},
        {MVFST + 1, MVFST + 1, {.salt = {salt_draft_22}}},
        {MVFST, MVFST + 0xff, {.salt = {salt_draft_23, salt_1, salt_draft_29}}},
        {VERSION_2_DRAFT, VERSION_2_DRAFT, {.form = QUIC_FORM_2, .salt = {salt_2_draft}, .second_labels = true}},
        {GOOGLE_44, GOOGLE_46, {.form = QUIC_FORM_NIBBLES, .google = true}},
        {GOOGLE_50, GOOGLE_50, {.salt = {salt_google_50}, .google = true}},
        {GOOGLE_TLS_50, GOOGLE_TLS_50, {.salt = {salt_google_tls_50}}},
        {GOOGLE_TLS_51, GOOGLE_TLS_51, {.salt = {salt_google_tls_51}}},
};

/* A client that asks for a reserved one means another, and seals its packets as that one has it. */
static const struct quic_version unnumbered = {.salt = {salt_1, salt_draft_29, salt_draft_23}};

static int take_negotiation(struct reader *r, struct quic_packet *out);
static int take_nibbles(struct reader *r, uint8_t first, struct quic_packet *out);
static int take_long(struct reader *r, uint8_t first, struct quic_packet *out);
static struct reader take_cid(struct reader *r);
static enum quic_type type_of(enum quic_form form, uint8_t first);

int
quic_packet_take(struct reader *r, struct quic_packet *out)
{
	*out = (struct quic_packet){.type = QUIC_SHORT, .first = r->next, .len = r->left};
	uint8_t first = reader_u8(r);
	if (!reader_ok(r))
		return -1;
	if ((first & LONG_FORM) == 0) { /* it has no length: all the rest is one */
		reader_skip(r, r->left);
		return 0;
	}
	uint32_t version = reader_be32(r);
	if (version == 0)
		return take_negotiation(r, out);
	if (!quic_version_find(version, &out->version))
		return -1;
	int got = out->version.form == QUIC_FORM_NIBBLES ? take_nibbles(r, first, out) : take_long(r, first, out);
	out->len = (size_t)(r->next - out->first);
	return got;
}

bool
quic_version_find(uint32_t number, struct quic_version *out)
{
	const size_t count = sizeof versions / sizeof versions[0];
	size_t i = 0;
	while (i < count && (number < versions[i].from || number > versions[i].to))
		i++;
	*out = i < count ? versions[i].version : unnumbered;
	out->number = number;
	return i < count || quic_version_is_grease(number);
}

bool
quic_version_is_grease(uint32_t number)
{
	return (number & 0x0f0f0f0f) == 0x0a0a0a0a;
}

const char *
quic_version_name(uint32_t number, char text[QUIC_VERSION_MAX])
{
	struct quic_version known = {0};
	(void)quic_version_find(number, &known);
	if (number == VERSION_1 || number == VERSION_2)
		(void)snprintf(text, QUIC_VERSION_MAX, "%d", number == VERSION_1 ? 1 : 2);
	else if (number == VERSION_2_DRAFT)
		(void)snprintf(text, QUIC_VERSION_MAX, "2-draft");
	else if (number >= DRAFT && number <= DRAFT + 0xff)
		(void)snprintf(text, QUIC_VERSION_MAX, "draft-%u", (unsigned)(number - DRAFT));
	else if (number >> 24 == 'Q' || number >> 24 == 'T')
		(void)snprintf(text, QUIC_VERSION_MAX, "%c%c%c%c", (int)(number >> 24), (int)(number >> 16 & 0x7f),
		        (int)(number >> 8 & 0x7f), (int)(number & 0x7f));
	else
		(void)snprintf(text, QUIC_VERSION_MAX, "%s0x%08x", number >> 8 == MVFST >> 8 ? "mvfst " : "", number);
	return text;
}

uint64_t
quic_varint(struct reader *r)
{
	uint8_t first = reader_u8(r);
	uint64_t value = first & 0x3f;
	for (unsigned more = (1u << (first >> 6)) - 1; more > 0; more--)
		value = value << 8 | reader_u8(r);
	return value;
}

/* RFC 8999 section 6 */
static int
take_negotiation(struct reader *r, struct quic_packet *out)
{
	out->type = QUIC_NEGOTIATION;
	out->dcid = take_cid(r);
	out->scid = take_cid(r);
	out->versions = reader_sub(r, r->left);
	return reader_ok(r) && out->versions.left > 0 && out->versions.left % 4 == 0 ? 0 : -1;
}

/* Both lengths in one byte; the packet has no length, and its number none of its own. */
static int
take_nibbles(struct reader *r, uint8_t first, struct quic_packet *out)
{
	uint8_t lengths = reader_u8(r), to = lengths >> 4, from = lengths & 15;

	out->dcid = reader_sub(r, to > 0 ? to + NIBBLE_CID_ADDS : 0);
	out->scid = reader_sub(r, from > 0 ? from + NIBBLE_CID_ADDS : 0);
	if (!reader_ok(r))
		return -1;
	bool initial = out->version.number == GOOGLE_46 ? (first >> 4 & 3) == 0 : first == 0xff;
	out->type = initial ? QUIC_INITIAL : QUIC_HANDSHAKE;
	out->number_at = (size_t)(r->next - out->first);
	reader_skip(r, r->left);
	return 0;
}

static int
take_long(struct reader *r, uint8_t first, struct quic_packet *out)
{
	out->dcid = take_cid(r);
	out->scid = take_cid(r);
	out->type = type_of(out->version.form, first);
	if (out->type == QUIC_RETRY) {
		out->token = reader_sub(r, r->left);
		return reader_ok(r) && out->token.left > 16 ? 0 : -1; /* with its integrity tag */
	}
	if (out->type == QUIC_INITIAL) {
		uint64_t token = quic_varint(r);
		out->token = reader_sub(r, token > r->left ? SIZE_MAX : (size_t)token);
	}
	uint64_t len = quic_varint(r);
	if (!reader_ok(r) || len > r->left)
		return -1;
	out->number_at = (size_t)(r->next - out->first);
	reader_skip(r, (size_t)len);
	return 0;
}

static struct reader
take_cid(struct reader *r)
{
	uint8_t len = reader_u8(r);
	return reader_sub(r, len <= QUIC_CID_MAX ? len : SIZE_MAX);
}

static enum quic_type
type_of(enum quic_form form, uint8_t first)
{
	static const enum quic_type types[2][4] = {
	        {QUIC_INITIAL, QUIC_ZERO_RTT, QUIC_HANDSHAKE, QUIC_RETRY},
	        {QUIC_RETRY, QUIC_INITIAL, QUIC_ZERO_RTT, QUIC_HANDSHAKE},
	};
	return types[form == QUIC_FORM_2][first >> 4 & 3];
}
