/*
 * Direct Connect, NMDC and ADC: nick, and files between clients by name, size and content (nmdc.sourceforge.io/NMDC.html,
 * adc.sourceforge.io/ADC.html). Most files are asked for by the hash of their content alone (TTH); results of searches
 * that were seen name them (directconnect_result). Not read: chat, encrypted clients (ADCS is TLS's).
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/text.h"
#include "proto/directconnect_result.h"
#include "proto/feed.h"

enum { WORDS_MAX = 12, FILE_NAME_MAX = DC_NAME_MAX, TTH_LEN = DC_TTH_LEN };

struct word {
	const uint8_t *bytes;
	size_t len;
};

struct half {
	struct feed feed;
	bool over, content;
	uint64_t left;         /* of the file, as it is when unpacked */
	struct transfer *transfer;
	bool packed;           /* as one zlib stream */
	z_stream zlib;
	uint8_t asked[FILE_NAME_MAX]; /* NMDC's $Get: the name that the other end will send */
	size_t asked_len;
	uint64_t asked_from, asked_size;
	bool size_told;
};

struct dc {
	struct session *session;
	struct half half[2];
	bool adc;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static void take_nmdc(struct dc *h, enum side from, const uint8_t *line, size_t len);
static void take_adc(struct dc *h, enum side from, const uint8_t *line, size_t len);
static void begin_named(struct dc *h, enum side from, const struct word *word, size_t count);
static void begin(struct dc *h, enum side from, struct word name, uint64_t at, uint64_t size, bool to_end);
static size_t content(struct half *half, const uint8_t *bytes, size_t len);
static size_t packed(struct half *half, const uint8_t *bytes, size_t len);
static void end(struct half *half, enum transfer_state state);
static size_t split(const uint8_t *line, size_t len, struct word word[WORDS_MAX]);
static bool is(struct word w, const char *text);
static bool begins(const uint8_t *bytes, size_t len, const char *word);
static enum verdict probe_half(const uint8_t *bytes, size_t len);

static enum verdict
dc_probe(const struct probe *p)
{
	enum verdict a = probe_half(p->bytes[0], p->len[0]), b = probe_half(p->bytes[1], p->len[1]);
	if (a == VERDICT_NOT_MINE || b == VERDICT_NOT_MINE)
		return VERDICT_NOT_MINE;
	return a == VERDICT_DONE || b == VERDICT_DONE ? VERDICT_DONE : VERDICT_MORE;
}

/* "$MyNick NAME|$Lock ... Pk=...|"; "CSUP ADBASE ..." */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	static const char *const adc[] = {"CSUP AD", "HSUP AD", "ISUP AD"};

	if (len == 0)
		return VERDICT_MORE;
	for (size_t i = 0; i < 3; i++)
		if (memcmp(bytes, adc[i], len < 7 ? len : 7) == 0)
			return len < 7 ? VERDICT_MORE : VERDICT_DONE;
	if (bytes[0] != '$')
		return VERDICT_NOT_MINE;
	size_t n = len < 8 ? len : 8;
	bool nick = memcmp(bytes, "$MyNick ", n) == 0, lock = memcmp(bytes, "$Lock ", n < 6 ? n : 6) == 0;
	if (!nick && !lock)
		return VERDICT_NOT_MINE;
	const uint8_t *bar = memchr(bytes, '|', len), *found = memmem(bytes, len, "$Lock ", 6);
	if (found != NULL && memmem(found, len - (size_t)(found - bytes), " Pk=", 4) != NULL)
		return VERDICT_DONE;
	return len > 1024 || (lock && bar != NULL) ? VERDICT_NOT_MINE : VERDICT_MORE;
}

static void *
dc_open(struct session *s)
{
	struct dc *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
dc_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct dc *h = state;
	struct half *half = &h->half[from];

	if (!half->over && feed_bytes(&half->feed, step, h, from, bytes, len, NULL) != FEED_MORE) {
		half->over = true;
		end(half, TRANSFER_TRUNCATED);
	}
	return VERDICT_MORE;
}

static enum verdict
dc_gap(void *state, enum side from, uint64_t len)
{
	struct dc *h = state;
	struct half *half = &h->half[from];

	feed_gap(&half->feed);
	if (!half->content) /* a line or some, which end with the next sign */
		return VERDICT_MORE;
	if (half->packed || len > half->left) {
		half->over = true;
		end(half, TRANSFER_TRUNCATED);
		return VERDICT_MORE;
	}
	transfer_skip(half->transfer, len);
	half->left -= len;
	if (half->left == 0)
		end(half, TRANSFER_COMPLETE);
	return VERDICT_MORE;
}

static void
dc_close(void *state, bool reset)
{
	struct dc *h = state;
	for (size_t side = 0; side < 2; side++) {
		end(&h->half[side], reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
		feed_clear(&h->half[side].feed);
	}
	free(h);
}

static bool
dc_finished(const void *state)
{
	const struct dc *h = state;
	return h->half[0].transfer == NULL && h->half[1].transfer == NULL;
}

const struct proto proto_directconnect = {
        .name = "directconnect",
        .transport = IPPROTO_TCP,
        .ports = {411, 412},
        .reads = "NMDC and ADC: nick, and files between clients with name or hash, size and content, also packed ones",
        .infers = "",
        .misses = "names of files that are asked for by hash where no search result was seen; encrypted clients",
        .probe = dc_probe,
        .open = dc_open,
        .data = dc_data,
        .gap = dc_gap,
        .end = NULL,
        .close = dc_close,
        .finished = dc_finished,
};

/* A command up to its sign, | or in ADC a line end; or content. */
static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct dc *h = ctx;
	struct half *half = &h->half[from];

	if (half->content)
		return half->packed ? packed(half, bytes, len) : content(half, bytes, len);
	if (!h->adc && bytes[0] != '$' && len >= 4 && (begins(bytes, len, "CSUP") || begins(bytes, len, "HSUP") || begins(bytes, len, "ISUP")))
		h->adc = true;
	const uint8_t *sign = memchr(bytes, h->adc ? '\n' : '|', len);
	if (sign == NULL)
		return STEP_MORE;
	size_t n = (size_t)(sign - bytes);
	if (h->adc)
		take_adc(h, from, bytes, n);
	else
		take_nmdc(h, from, bytes, n);
	return n + 1;
}

static void
take_nmdc(struct dc *h, enum side from, const uint8_t *line, size_t len)
{
	struct word word[WORDS_MAX];
	struct half *half = &h->half[from], *other = &h->half[side_other(from)];
	size_t count = split(line, len, word);

	if (count == 0)
		return;
	if ((is(word[0], "$MyNick") || is(word[0], "$ValidateNick")) && count > 1 && from == SIDE_SOURCE) {
		session_account(h->session, word[1].bytes, word[1].len);
	} else if (is(word[0], "$ADCSND")) {
		begin_named(h, from, word + 1, count - 1);
	} else if (is(word[0], "$SR")) {
		dc_result_nmdc(h->session, line + 4, len > 4 ? len - 4 : 0);
	} else if (is(word[0], "$Get")) { /* $Get NAME$POSITION, from 1 on */
		const uint8_t *dollar = memrchr(line, '$', len);
		uint64_t at;
		if (dollar <= line + 5 || text_to_u64(dollar + 1, len - (size_t)(dollar + 1 - line), &at) != 0)
			return;
		size_t n = (size_t)(dollar - line) - 5;
		half->asked_len = n < FILE_NAME_MAX ? n : FILE_NAME_MAX;
		memcpy(half->asked, line + 5, half->asked_len);
		half->asked_from = at > 0 ? at - 1 : 0;
	} else if (is(word[0], "$FileLength") && count > 1) {
		half->size_told = text_to_u64(word[1].bytes, word[1].len, &half->asked_size) == 0;
	} else if (is(word[0], "$Send") && other->size_told && half->asked_len > 0 && other->asked_size >= half->asked_from) {
		begin(h, side_other(from), (struct word){half->asked, half->asked_len}, half->asked_from, other->asked_size - half->asked_from, true);
		other->size_told = false;
	}
}

static void
take_adc(struct dc *h, enum side from, const uint8_t *line, size_t len)
{
	struct word word[WORDS_MAX];
	size_t count = split(line, len, word);

	if (count == 0 || word[0].len != 4)
		return;
	if (memcmp(word[0].bytes + 1, "SND", 3) == 0) {
		begin_named(h, from, word + 1, count - 1);
	} else if (memcmp(word[0].bytes + 1, "INF", 3) == 0) {
		dc_client_adc(h->session, line + 4, len - 4, from == SIDE_SOURCE);
	} else if (memcmp(word[0].bytes + 1, "RES", 3) == 0) {
		dc_result_adc(h->session, line + 4, len - 4);
	}
}

/* "file NAME POSITION BYTES [ZL1]"; others than files are lists and hash trees. */
static void
begin_named(struct dc *h, enum side from, const struct word *word, size_t count)
{
	struct half *half = &h->half[from];
	uint64_t at, size;
	size_t len;

	if (count < 4 || text_to_u64(word[2].bytes, word[2].len, &at) != 0 || text_to_u64(word[3].bytes, word[3].len, &size) != 0) {
		half->over = true;
		return;
	}
	struct word name = word[1];
	if (name.len == 4 + TTH_LEN && memcmp(name.bytes, "TTH/", 4) == 0) {
		session_detail(h->session, "directconnect.tth", name.bytes + 4, TTH_LEN);
		const void *known = dc_result_name(h->session, name.bytes + 4, &len);
		if (known != NULL)
			name = (struct word){known, len};
	}
	if (is(word[0], "file"))
		begin(h, from, name, at, size, false);
	half->content = true;
	half->left = size;
	half->packed = count > 4 && is(word[4], "ZL1");
	if (half->packed)
		half->packed = inflateInit(&half->zlib) == Z_OK;
	if (size == 0 && !half->packed)
		end(half, TRANSFER_COMPLETE);
}

/* to_end: its size is told with it. */
static void
begin(struct dc *h, enum side from, struct word name, uint64_t at, uint64_t size, bool to_end)
{
	struct half *half = &h->half[from];

	half->transfer = transfer_begin(h->session, &(struct transfer_start){.sender = from,
	                                                    .method = to_end ? "$Get" : h->adc ? "CGET" : "$ADCGET",
	                                                    .path = name.bytes,
	                                                    .path_len = name.len,
	                                                    .size_known = to_end || at == 0,
	                                                    .size = at + size,
	                                                    .offset = at});
	transfer_accepted(half->transfer);
	half->content = true;
	half->packed = false;
	half->left = size;
	if (size == 0)
		end(half, TRANSFER_COMPLETE);
}

static size_t
content(struct half *half, const uint8_t *bytes, size_t len)
{
	size_t n = len < half->left ? len : (size_t)half->left;
	transfer_append(half->transfer, bytes, n);
	half->left -= n;
	if (half->left == 0)
		end(half, TRANSFER_COMPLETE);
	return n;
}

/* The stream's own end is the end. What it yields is bounded by what was announced. */
static size_t
packed(struct half *half, const uint8_t *bytes, size_t len)
{
	uint8_t out[8192];
	int result = Z_OK;

	half->zlib.next_in = (z_const Bytef *)(uintptr_t)bytes;
	half->zlib.avail_in = len < UINT32_MAX ? (uInt)len : UINT32_MAX;
	while (result == Z_OK && (half->zlib.avail_in > 0 || half->zlib.avail_out == 0)) {
		half->zlib.next_out = out;
		half->zlib.avail_out = sizeof out;
		result = inflate(&half->zlib, Z_NO_FLUSH);
		size_t n = sizeof out - half->zlib.avail_out;
		if (n > half->left)
			return STEP_LOST;
		transfer_append(half->transfer, out, n);
		half->left -= n;
	}
	size_t used = len - half->zlib.avail_in;
	if (result == Z_STREAM_END) {
		end(half, half->left == 0 ? TRANSFER_COMPLETE : TRANSFER_TRUNCATED);
		return used > 0 ? used : 1;
	}
	return (result == Z_OK || result == Z_BUF_ERROR) && used > 0 ? used : STEP_LOST;
}

static void
end(struct half *half, enum transfer_state state)
{
	if (half->packed)
		(void)inflateEnd(&half->zlib);
	transfer_end(half->transfer, state);
	half->transfer = NULL;
	half->content = half->packed = false;
}

/* Between spaces; in ADC "\s" stands for a space inside, which is left as it is. */
static size_t
split(const uint8_t *line, size_t len, struct word word[WORDS_MAX])
{
	size_t count = 0, i = 0;

	while (count < WORDS_MAX && i < len) {
		const uint8_t *space = memchr(line + i, ' ', len - i);
		size_t n = space != NULL ? (size_t)(space - line) - i : len - i;
		word[count++] = (struct word){line + i, n};
		i += n + 1;
	}
	return count;
}

static bool
is(struct word w, const char *text)
{
	return text_equal_nocase(w.bytes, w.len, text);
}

static bool
begins(const uint8_t *bytes, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(bytes, word, strlen(word)) == 0;
}
