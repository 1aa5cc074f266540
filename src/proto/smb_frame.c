/*
 * Messages out of a TCP stream: the session service of NetBIOS (RFC 1002 section 4.3), whose header direct
 * TCP transport keeps (MS-SMB2 2.1). Only the head of each message is put together; a file's bytes are passed
 * on as they come. Behind a gap, the next message is looked for by its signature.
 */
#include "config.h"

#include "proto/smb.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/smb_handle.h"

enum { /* RFC 1002 section 4.3.1 */
	FRAME_MESSAGE = 0x00,
	FRAME_REQUEST = 0x81,
	FRAME_POSITIVE = 0x82,
	FRAME_NEGATIVE = 0x83,
	FRAME_RETARGET = 0x84,
	FRAME_KEEPALIVE = 0x85,
};

enum { /* first byte of a message, before "SMB" */
	MAGIC_SMB1 = 0xff,
	MAGIC_SMB2 = 0xfe,
	MAGIC_ENCRYPTED = 0xfd,  /* MS-SMB2 2.2.41 */
	MAGIC_COMPRESSED = 0xfc, /* MS-SMB2 2.2.42 */
};

enum {
	FRAME_HEADER = 4,
	FRAME_SURE = 10,         /* bytes of a frame by which it is known */
	NAMES_LEN = 68,          /* of a session request: two encoded names (RFC 1002 section 4.3.2) */
	NAME_CODED = 32,
	MAGIC_LEN = 4,
	SMB1_LEAST = 35,         /* header, word count, byte count (MS-CIFS 2.2.3) */
	SMB2_HEADER = 64,
	SMB2_SPLIT = 24,         /* to the end of NextCommand (MS-SMB2 2.2.1) */
	TRANSFORM_HEADER = 52,
	PACKED_HEADER = 16,
	HEAD_FIRST_ROOM = 256,
	HEAD_ROOM_KEPT = 4096,   /* more is given back after use */
	HEAD_MAX = 72 * 1024,    /* of a longer unit only so much is looked at */
	LOST_MAX = 16 << 20,
};

static enum verdict probe_frame(struct reader *r);
static enum verdict probe_message(struct reader r, uint32_t frame);
static enum verdict probe_names(struct reader r);
static size_t take_header(struct smb_half *half, const uint8_t *bytes, size_t len);
static size_t take_head(struct smb *h, enum side from, const uint8_t *bytes, size_t len);
static size_t head_wanted(struct smb_half *half);
static bool is_magic(const uint8_t *bytes);
static void unit_take(struct smb *h, enum side from);
static size_t take_bytes(struct smb *h, enum side from, const uint8_t *bytes, size_t len);
static size_t find_frame(struct smb *h, enum side from, const uint8_t *bytes, size_t len);
static size_t frame_at(const uint8_t *bytes, size_t len);
static void unit_begin(struct smb_half *half, uint64_t len, bool first);
static void unit_end(struct smb_half *half);
static void lose(struct smb_half *half);
static void sink_close(struct smb_half *half);
static bool keep(struct smb_half *half, const uint8_t *bytes, size_t len);

/* MORE: only frames without a message so far. */
enum verdict
smb_frame_probe(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	while (r.left > 0) {
		enum verdict v = probe_frame(&r);
		if (v != VERDICT_SWITCH)
			return v;
	}
	return VERDICT_MORE;
}

/* SWITCH: a whole frame without a message; r is behind it. */
static enum verdict
probe_frame(struct reader *r)
{
	uint8_t type = reader_u8(r);
	if (type != FRAME_MESSAGE && (type < FRAME_REQUEST || type > FRAME_KEEPALIVE))
		return VERDICT_NOT_MINE;
	uint32_t len = reader_be24(r);
	if (!reader_ok(r))
		return VERDICT_MORE;
	if (type == FRAME_MESSAGE)
		return probe_message(*r, len);
	if (len != (type == FRAME_REQUEST ? NAMES_LEN : type == FRAME_NEGATIVE ? 1u : type == FRAME_RETARGET ? 6u : 0u))
		return VERDICT_NOT_MINE;
	if (type == FRAME_REQUEST && probe_names(*r) == VERDICT_NOT_MINE)
		return VERDICT_NOT_MINE;
	reader_skip(r, len);
	return reader_ok(r) ? VERDICT_SWITCH : VERDICT_MORE;
}

static enum verdict
probe_message(struct reader r, uint32_t frame)
{
	static const char word[] = "SMB";
	uint8_t magic = r.left > 0 ? reader_u8(&r) : MAGIC_SMB2;
	uint32_t least = magic == MAGIC_SMB1         ? SMB1_LEAST
	                 : magic == MAGIC_SMB2       ? SMB2_HEADER
	                 : magic == MAGIC_ENCRYPTED  ? TRANSFORM_HEADER + SMB2_HEADER
	                 : magic == MAGIC_COMPRESSED ? PACKED_HEADER
	                                             : UINT32_MAX;
	if (frame < least)
		return VERDICT_NOT_MINE;
	size_t n = r.left < 3 ? r.left : 3;
	if (n > 0 && memcmp(r.next, word, n) != 0)
		return VERDICT_NOT_MINE;
	reader_skip(&r, 3);
	if (magic != MAGIC_SMB2)
		return reader_ok(&r) ? VERDICT_DONE : VERDICT_MORE;
	uint16_t structure = reader_le16(&r);
	if (!reader_ok(&r))
		return VERDICT_MORE;
	return structure == SMB2_HEADER ? VERDICT_DONE : VERDICT_NOT_MINE;
}

/* Called and calling name in the first-level encoding (RFC 1001 section 14.1): letters from A to P. */
static enum verdict
probe_names(struct reader r)
{
	for (size_t name = 0; name < 2; name++) {
		uint8_t len = reader_u8(&r);
		if (reader_ok(&r) && len != NAME_CODED)
			return VERDICT_NOT_MINE;
		for (size_t i = 0; i < NAME_CODED; i++) {
			uint8_t c = reader_u8(&r);
			if (reader_ok(&r) && (c < 'A' || c > 'P'))
				return VERDICT_NOT_MINE;
		}
		reader_skip(&r, 1); /* no scope */
	}
	return VERDICT_MORE;
}

/* False: nothing was found for so long that there is nothing to be found. */
bool
smb_frame_data(struct smb *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct smb_half *half = &h->half[from];
	while (len > 0) {
		size_t n = 0;
		switch (half->step) {
		case SMB_STEP_FRAME:
			n = take_header(half, bytes, len);
			break;
		case SMB_STEP_HEAD:
			n = take_head(h, from, bytes, len);
			break;
		case SMB_STEP_DATA:
		case SMB_STEP_SKIP:
			n = take_bytes(h, from, bytes, len);
			break;
		case SMB_STEP_LOST:
			n = find_frame(h, from, bytes, len);
			break;
		}
		bytes += n;
		len -= n;
	}
	return half->lost < LOST_MAX;
}

/* What is missing of a known length is stepped over. */
void
smb_frame_gap(struct smb *h, enum side from, uint64_t len)
{
	struct smb_half *half = &h->half[from];
	if (half->step == SMB_STEP_DATA) {
		uint64_t n = len < half->sink.len ? len : half->sink.len;
		smb_handle_gap(h, half->sink.handle, half->sink.upload, half->sink.offset, n);
		half->sink.offset += n;
		half->sink.len -= n;
		half->unit_left -= n;
		len -= n;
		if (half->sink.len > 0)
			return;
		sink_close(half);
		half->step = SMB_STEP_SKIP;
	}
	uint64_t rest = half->unit_left + half->frame_left;
	if ((half->step == SMB_STEP_HEAD || half->step == SMB_STEP_SKIP) && len <= rest) {
		half->kept_len = 0;
		half->unit_left = rest - len;
		half->frame_left = 0;
		half->step = SMB_STEP_SKIP;
		if (half->unit_left == 0)
			unit_end(half);
		return;
	}
	if (len > 0)
		lose(half);
}

void
smb_frame_clear(struct smb_half *half)
{
	sink_close(half);
	free(half->kept);
	half->kept = NULL;
	half->kept_len = half->kept_room = 0;
}

static size_t
take_header(struct smb_half *half, const uint8_t *bytes, size_t len)
{
	size_t n = FRAME_HEADER - half->kept_len < len ? FRAME_HEADER - half->kept_len : len;
	if (!keep(half, bytes, n)) {
		lose(half);
		return len;
	}
	if (half->kept_len < FRAME_HEADER)
		return n;
	struct reader r = reader_init(half->kept, FRAME_HEADER);
	uint8_t type = reader_u8(&r);
	uint32_t frame = reader_be24(&r);
	half->kept_len = 0;
	if (type == FRAME_MESSAGE && frame > 0) {
		unit_begin(half, frame, true);
	} else if (type >= FRAME_REQUEST && type <= FRAME_KEEPALIVE && frame <= NAMES_LEN) {
		half->unit_left = frame;
		half->step = frame > 0 ? SMB_STEP_SKIP : SMB_STEP_FRAME;
	} else if (type != FRAME_MESSAGE) {
		lose(half);
	}
	return n;
}

static size_t
take_head(struct smb *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct smb_half *half = &h->half[from];
	size_t wanted = head_wanted(half);
	size_t n = wanted - half->kept_len < len ? wanted - half->kept_len : len;
	if (!keep(half, bytes, n)) {
		lose(half);
		return len;
	}
	half->unit_left -= n;
	if (half->kept_len < wanted)
		return n;
	if (half->kept_len >= MAGIC_LEN && !is_magic(half->kept)) {
		lose(half);
		return n;
	}
	if (head_wanted(half) <= half->kept_len)
		unit_take(h, from);
	return n;
}

/* How much of the unit must be there before it can be taken, as far as can be told. */
static size_t
head_wanted(struct smb_half *half)
{
	size_t have = half->kept_len;
	uint64_t len = have + half->unit_left;
	if (len <= MAGIC_LEN || have < MAGIC_LEN)
		return len < MAGIC_LEN ? (size_t)len : MAGIC_LEN;
	size_t wanted = MAGIC_LEN;
	if (half->kept[0] == MAGIC_SMB2) {
		if (have == SMB2_SPLIT && half->frame_left == 0) {
			size_t unit = smb2_unit(half->kept, have, (size_t)len);
			half->frame_left = len - unit;
			half->unit_left = unit - have;
			len = unit;
		}
		wanted = have < SMB2_SPLIT ? SMB2_SPLIT : smb2_head(half->kept, have, (size_t)len);
	} else if (half->kept[0] == MAGIC_SMB1) {
		wanted = smb1_head(half->kept, have, (size_t)len);
	}
	if (wanted > HEAD_MAX)
		wanted = HEAD_MAX;
	return wanted < len ? wanted : (size_t)len;
}

static bool
is_magic(const uint8_t *bytes)
{
	return bytes[0] >= MAGIC_COMPRESSED && memcmp(bytes + 1, "SMB", 3) == 0;
}

/* The head is there. */
static void
unit_take(struct smb *h, enum side from)
{
	struct smb_half *half = &h->half[from];
	struct smb_sink sink = {0};
	size_t have = half->kept_len, len = have + (size_t)half->unit_left;

	half->lost = 0;
	if (have > MAGIC_LEN && half->kept[0] == MAGIC_SMB2)
		smb2_take(h, from, half->first, half->kept, have, len, &sink);
	else if (have > MAGIC_LEN && half->kept[0] == MAGIC_SMB1)
		smb1_take(h, from, half->kept, have, len, &sink);
	else if (have >= MAGIC_LEN && half->kept[0] == MAGIC_ENCRYPTED)
		smb_encrypted(h);
	else if (have >= MAGIC_LEN && half->kept[0] == MAGIC_COMPRESSED)
		smb_compressed(h);

	half->kept_len = 0;
	if (half->kept_room > HEAD_ROOM_KEPT) {
		free(half->kept);
		half->kept = NULL;
		half->kept_room = 0;
	}
	sink_close(half);
	half->sink = sink;
	if (half->sink.len > half->unit_left)
		half->sink.len = half->unit_left;
	half->step = half->sink.handle != NULL && half->sink.len > 0 ? SMB_STEP_DATA : SMB_STEP_SKIP;
	if (half->unit_left == 0)
		unit_end(half);
}

static size_t
take_bytes(struct smb *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct smb_half *half = &h->half[from];
	bool data = half->step == SMB_STEP_DATA;
	uint64_t left = data ? half->sink.len : half->unit_left;
	size_t n = left < len ? (size_t)left : len;

	if (data) {
		smb_handle_data(h, half->sink.handle, half->sink.upload, half->sink.offset, bytes, n);
		half->sink.offset += n;
		half->sink.len -= n;
		if (half->sink.len == 0)
			half->step = SMB_STEP_SKIP;
	}
	half->unit_left -= n;
	if (half->unit_left == 0)
		unit_end(half);
	return n;
}

/* How many bytes there are before the next frame; all, where none begins here. A few wait for what follows them. */
static size_t
find_frame(struct smb *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct smb_half *half = &h->half[from];
	uint8_t window[2 * FRAME_SURE];
	size_t waiting = half->kept_len, n = len < FRAME_SURE ? len : FRAME_SURE;

	if (waiting > 0)
		memcpy(window, half->kept, waiting);
	memcpy(window + waiting, bytes, n);
	size_t at = frame_at(window, waiting + n);
	if (at < waiting) {
		half->kept_len = 0;
		half->step = SMB_STEP_FRAME;
		(void)smb_frame_data(h, from, window + at, waiting - at);
		return 0;
	}
	at = frame_at(bytes, len);
	half->kept_len = 0;
	if (at < len) {
		half->step = SMB_STEP_FRAME;
		return at;
	}
	half->lost += len;
	/* Of a long run its end waits, of a short one what waited before as well. */
	if (len >= FRAME_SURE)
		(void)keep(half, bytes + len - (FRAME_SURE - 1), FRAME_SURE - 1);
	else if (waiting + len < FRAME_SURE)
		(void)keep(half, window, waiting + len);
	else
		(void)keep(half, window + (waiting + len) - (FRAME_SURE - 1), FRAME_SURE - 1);
	return len;
}

/* Where a frame with a message begins, or len. */
static size_t
frame_at(const uint8_t *bytes, size_t len)
{
	const size_t ahead = FRAME_HEADER + 1; /* before "SMB" */
	const uint8_t *at = bytes, *end = bytes + len;
	while ((at = memmem(at, (size_t)(end - at), "SMB", 3)) != NULL) {
		size_t before = (size_t)(at - bytes);
		if (before >= ahead && smb_frame_probe(at - ahead, len - (before - ahead)) == VERDICT_DONE)
			return before - ahead;
		at += 3;
	}
	return len;
}

static void
unit_begin(struct smb_half *half, uint64_t len, bool first)
{
	half->step = SMB_STEP_HEAD;
	half->kept_len = 0;
	half->unit_left = len;
	half->frame_left = 0;
	half->first = first;
}

static void
unit_end(struct smb_half *half)
{
	sink_close(half);
	half->step = SMB_STEP_FRAME;
	if (half->frame_left > 0)
		unit_begin(half, half->frame_left, false);
}

static void
lose(struct smb_half *half)
{
	sink_close(half);
	half->step = SMB_STEP_LOST;
	half->kept_len = 0;
	half->unit_left = half->frame_left = 0;
}

static void
sink_close(struct smb_half *half)
{
	if (half->sink.handle != NULL)
		smb_handle_unref(half->sink.handle);
	half->sink = (struct smb_sink){0};
}

static bool
keep(struct smb_half *half, const uint8_t *bytes, size_t len)
{
	size_t need = half->kept_len + len;
	if (need > half->kept_room) {
		size_t room = half->kept_room > 0 ? half->kept_room : HEAD_FIRST_ROOM;
		while (room < need)
			room *= 2;
		uint8_t *larger = realloc(half->kept, room);
		if (larger == NULL)
			return false;
		half->kept = larger;
		half->kept_room = room;
	}
	if (len > 0)
		memcpy(half->kept + half->kept_len, bytes, len);
	half->kept_len = need;
	return true;
}
