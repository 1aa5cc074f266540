/*
 * A chain of decoders, the last applied coding first. Servers mislabel: what a
 * coding can't make anything of from its first byte on is passed through as it is, deflate is taken as
 * zlib or raw, and check sums and missing ends are forgiven, all as browsers do.
 */
#include "config.h"

#include "proto/http_coding.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include "base/text.h"
#include "proto/http_body.h"
#include "proto/http_head.h"

enum {
	LAYERS_MAX = 4,           /* a longer stack is left as it is */
	BUFFER_SIZE = 16384,
	PROBATION_MAX = 512,      /* bytes kept until the first output shows that the label is right */
	WINDOW_LOG_MAX = 23,      /* zstd in HTTP: 8 MB (RFC 9659) */
	RATIO_MAX = 128,          /* decoded bytes for each byte sent, beyond the allowance */
	NAME_MAX_LEN = 64,
};

#define ALLOWANCE (UINT64_C(64) << 20) /* decoded bytes that no ratio forbids */

enum kind {
	KIND_NONE, /* can't be undone */
	KIND_GZIP,
	KIND_DEFLATE,
	KIND_ZSTD,
	KIND_AWS,
};

enum mode {
	MODE_SNIFF,  /* two bytes tell how to begin */
	MODE_GZIP,
	MODE_ZLIB,
	MODE_RAW,    /* deflate without a wrapper */
	MODE_ZSTD,
	MODE_AWS,    /* chunks as those of HTTP/1, each with its signature */
	MODE_PLAIN,  /* was not encoded: passed through */
	MODE_ENDED,  /* what follows is ignored */
};

struct layer {
	enum kind kind;
	enum mode mode;
	z_stream z;
	ZSTD_DStream *zstd;
	struct http_body body; /* MODE_AWS */
	bool frame_done;   /* zstd: at the end of a frame */
	bool again;        /* gzip: behind the first member */
	uint8_t head[2];
	size_t head_len;
	uint8_t kept[PROBATION_MAX];
	size_t kept_len;
	bool trusted;      /* output came, or too much input to take it back */
	uint64_t out;
};

struct http_coding {
	http_coding_sink *sink;
	void *ctx;
	size_t count;
	struct layer *layer[LAYERS_MAX]; /* the outermost (last applied) first */
	uint64_t sent;
	bool broken;
	char name[NAME_MAX_LEN];
};

static size_t collect(const struct mime_fields *fields, const char *name, enum kind kinds[LAYERS_MAX],
        size_t count);
static enum kind kind_of(const uint8_t *name, size_t len);
static int give(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len);
static int emit(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len);
static size_t sniff(struct layer *l, const uint8_t *bytes, size_t len);
static enum mode mode_of(const struct layer *l);
static int begin(struct layer *l, enum mode mode);
static void stop(struct layer *l);
static int on_probation(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len);
static enum mode second_guess(enum mode mode);
static long decode(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len);
static long decode_inflate(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len);
static long decode_zstd(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len);
static long decode_aws(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len);

struct http_coding *
http_coding_create(const struct mime_fields *fields, http_coding_sink *sink, void *ctx)
{
	enum kind kinds[LAYERS_MAX];
	size_t count = collect(fields, "content-encoding", kinds, 0);
	count = collect(fields, "transfer-encoding", kinds, count);
	if (count == 0 || count > LAYERS_MAX || kinds[count - 1] == KIND_NONE)
		return NULL;

	struct http_coding *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->sink = sink;
	c->ctx = ctx;
	for (; count > 0 && kinds[count - 1] != KIND_NONE; count--) {
		struct layer *l = calloc(1, sizeof *l);
		if (l == NULL) {
			http_coding_destroy(c);
			return NULL;
		}
		l->kind = kinds[count - 1];
		c->layer[c->count++] = l;
	}
	return c;
}

bool
http_coding_is_aws(const struct mime_fields *request)
{
	const struct mime_field *f = mime_fields_find(request, "x-amz-content-sha256", NULL);
	return f != NULL && text_prefix_nocase(f->value, f->value_len, "STREAMING-");
}

struct http_coding *
http_coding_create_aws(http_coding_sink *sink, void *ctx)
{
	struct http_coding *c = calloc(1, sizeof *c);
	struct layer *l = c != NULL ? calloc(1, sizeof *l) : NULL;
	if (l == NULL) {
		free(c);
		return NULL;
	}
	c->sink = sink;
	c->ctx = ctx;
	*l = (struct layer){.kind = KIND_AWS, .mode = MODE_AWS, .trusted = true, .body.framing = HTTP_BODY_CHUNKED};
	c->layer[c->count++] = l;
	return c;
}

void
http_coding_destroy(struct http_coding *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++) {
		stop(c->layer[i]);
		free(c->layer[i]);
	}
	free(c);
}

enum verdict
http_coding_feed(struct http_coding *c, const uint8_t *bytes, size_t len)
{
	c->sent += len;
	if (!c->broken && give(c, 0, bytes, len) < 0)
		c->broken = true;
	return c->broken ? VERDICT_MALFORMED : VERDICT_MORE;
}

void
http_coding_finish(struct http_coding *c)
{
	for (size_t i = 0; i < c->count && !c->broken; i++) {
		struct layer *l = c->layer[i];
		if (l->again || l->mode == MODE_ENDED || l->mode == MODE_PLAIN || l->trusted)
			continue;
		const uint8_t *bytes = l->mode == MODE_SNIFF ? l->head : l->kept;
		size_t len = l->mode == MODE_SNIFF ? l->head_len : l->kept_len;
		stop(l);
		l->mode = MODE_PLAIN;
		if (give(c, i + 1, bytes, len) < 0)
			c->broken = true;
	}
}

const char *
http_coding_name(struct http_coding *c)
{
	static const char *const names[] = {
	        [KIND_NONE] = "", [KIND_GZIP] = "gzip", [KIND_DEFLATE] = "deflate", [KIND_ZSTD] = "zstd",
	        [KIND_AWS] = "aws-chunked"};
	c->name[0] = '\0';
	for (size_t i = c->count; i-- > 0;) {
		const struct layer *l = c->layer[i];
		if (l->mode == MODE_PLAIN || (l->mode == MODE_SNIFF && !l->again))
			continue;
		if (c->name[0] != '\0')
			strcat(c->name, ", ");
		strcat(c->name, names[l->kind]);
	}
	return c->name[0] != '\0' ? c->name : NULL;
}

/* The codings in the order of application; a count above LAYERS_MAX tells that there are too many. */
static size_t
collect(const struct mime_fields *fields, const char *name, enum kind kinds[LAYERS_MAX], size_t count)
{
	const struct mime_field *f = NULL;
	while ((f = mime_fields_find(fields, name, f)) != NULL) {
		const uint8_t *value = f->value, *item;
		size_t left = f->value_len, len;
		while (http_list_next(&value, &left, &item, &len)) {
			if (text_equal_nocase(item, len, "identity") || text_equal_nocase(item, len, "chunked") ||
			        text_equal_nocase(item, len, "aws-chunked"))
				continue;
			if (count >= LAYERS_MAX)
				return LAYERS_MAX + 1;
			kinds[count++] = kind_of(item, len);
		}
	}
	return count;
}

static enum kind
kind_of(const uint8_t *name, size_t len)
{
	if (text_equal_nocase(name, len, "gzip") || text_equal_nocase(name, len, "x-gzip"))
		return KIND_GZIP;
	if (text_equal_nocase(name, len, "deflate"))
		return KIND_DEFLATE;
	return text_equal_nocase(name, len, "zstd") ? KIND_ZSTD : KIND_NONE;
}

/* Gives bytes to the layer at, or to the sink behind the last. -1: no further. */
static int
give(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len)
{
	if (at == c->count) {
		if (len > 0)
			c->sink(c->ctx, bytes, len);
		return 0;
	}
	struct layer *l = c->layer[at];
	while (len > 0) {
		size_t used = len;
		if (l->mode == MODE_ENDED)
			return 0;
		if (l->mode == MODE_PLAIN)
			return give(c, at + 1, bytes, len);
		if (l->mode == MODE_SNIFF) {
			used = sniff(l, bytes, len);
			if (l->head_len == sizeof l->head) {
				enum mode mode = mode_of(l);
				if (begin(l, mode) < 0 || on_probation(c, at, l->head, sizeof l->head) < 0)
					return -1;
			}
		} else if (!l->trusted) {
			return on_probation(c, at, bytes, len);
		} else {
			long n = decode(c, at, bytes, len);
			if (n < 0)
				return -1;
			used = (size_t)n;
		}
		bytes += used;
		len -= used;
	}
	return 0;
}

/* Gives what a layer put out onward, within bounds. */
static int
emit(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len)
{
	struct layer *l = c->layer[at];
	if (len == 0)
		return 0;
	l->trusted = true;
	l->out += len;
	if (l->out > ALLOWANCE && (l->out - ALLOWANCE) / RATIO_MAX > c->sent)
		return -1;
	return give(c, at + 1, bytes, len);
}

static size_t
sniff(struct layer *l, const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	while (l->head_len < sizeof l->head && n < len)
		l->head[l->head_len++] = bytes[n++];
	return n;
}

/* RFC 1952 section 2.3.1, RFC 1950 section 2.2 */
static enum mode
mode_of(const struct layer *l)
{
	bool gzip = l->head[0] == 0x1f && l->head[1] == 0x8b;
	if (l->again)
		return gzip ? MODE_GZIP : MODE_ENDED;
	if (l->kind == KIND_ZSTD)
		return MODE_ZSTD;
	if (gzip)
		return MODE_GZIP;
	if (l->kind == KIND_GZIP)
		return MODE_PLAIN;
	bool zlib = (l->head[0] & 0x0f) == 8 && (l->head[0] << 8 | l->head[1]) % 31 == 0;
	return zlib ? MODE_ZLIB : MODE_RAW;
}

static int
begin(struct layer *l, enum mode mode)
{
	int bits = mode == MODE_GZIP ? 31 : mode == MODE_ZLIB ? 15 : -15;
	stop(l);
	l->mode = mode;
	l->z = (z_stream){.zalloc = NULL};
	switch (mode) {
	case MODE_GZIP:
	case MODE_ZLIB:
	case MODE_RAW:
		if (inflateInit2(&l->z, bits) != Z_OK) {
			l->mode = MODE_ENDED;
			return -1;
		}
		inflateValidate(&l->z, 0);
		return 0;
	case MODE_ZSTD:
		l->zstd = ZSTD_createDStream();
		if (l->zstd == NULL)
			return -1;
		ZSTD_DCtx_setParameter(l->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
		return 0;
	default:
		return 0;
	}
}

static void
stop(struct layer *l)
{
	if (l->mode == MODE_GZIP || l->mode == MODE_ZLIB || l->mode == MODE_RAW)
		inflateEnd(&l->z);
	ZSTD_freeDStream(l->zstd);
	l->zstd = NULL;
}

/*
 * Until a layer has put something out its input is kept, so that another
 * reading of the label can be tried, or none.
 */
static int
on_probation(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len)
{
	struct layer *l = c->layer[at];
	while (!l->trusted && l->mode != MODE_PLAIN && l->mode != MODE_ENDED) {
		long used = 0;
		size_t given = 0;
		while (given < len && (used = decode(c, at, bytes + given, len - given)) >= 0) {
			given += (size_t)used;
			if (l->mode == MODE_ENDED || l->mode == MODE_SNIFF)
				return give(c, at, bytes + given, len - given);
		}
		if (used >= 0) {
			if (l->trusted)
				return 0;
			if (len > PROBATION_MAX - l->kept_len) {
				l->trusted = true;
				return 0;
			}
			memcpy(l->kept + l->kept_len, bytes, len);
			l->kept_len += len;
			return 0;
		}
		if (l->trusted)
			return -1;
		/* From the start once more, in another way. */
		if (begin(l, second_guess(l->mode)) < 0)
			return -1;
		size_t kept = l->kept_len;
		l->kept_len = 0;
		if (kept > 0) {
			uint8_t before[PROBATION_MAX];
			memcpy(before, l->kept, kept);
			if (give(c, at, before, kept) < 0)
				return -1;
		}
	}
	return give(c, at, bytes, len);
}

static enum mode
second_guess(enum mode mode)
{
	return mode == MODE_ZLIB ? MODE_RAW : MODE_PLAIN;
}

/* How many bytes were used, or -1 when they can't be decoded or the next layer is broken. */
static long
decode(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len)
{
	if (c->layer[at]->mode == MODE_ZSTD)
		return decode_zstd(c, at, bytes, len);
	if (c->layer[at]->mode == MODE_AWS)
		return decode_aws(c, at, bytes, len);
	return decode_inflate(c, at, bytes, len);
}

static long
decode_inflate(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len)
{
	struct layer *l = c->layer[at];
	uint8_t buffer[BUFFER_SIZE];
	unsigned take = len < BUFFER_SIZE ? (unsigned)len : BUFFER_SIZE;
	int result;

	/* zlib's interface is not const, though it only reads. */
	memcpy(&l->z.next_in, &bytes, sizeof bytes);
	l->z.avail_in = take;
	do {
		l->z.next_out = buffer;
		l->z.avail_out = BUFFER_SIZE;
		result = inflate(&l->z, Z_NO_FLUSH);
		if (emit(c, at, buffer, BUFFER_SIZE - l->z.avail_out) < 0)
			return -1;
	} while (result == Z_OK && l->z.avail_out == 0);
	if (result == Z_STREAM_END) {
		unsigned left = l->z.avail_in;
		bool more = l->mode == MODE_GZIP;
		stop(l);
		l->mode = more ? MODE_SNIFF : MODE_ENDED;
		l->again = more;
		l->head_len = 0;
		l->trusted = true;
		return (long)(take - left);
	}
	return result == Z_OK || result == Z_BUF_ERROR ? (long)(take - l->z.avail_in) : -1;
}

static long
decode_zstd(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len)
{
	struct layer *l = c->layer[at];
	ZSTD_inBuffer in = {.src = bytes, .size = len < BUFFER_SIZE ? len : BUFFER_SIZE};
	uint8_t buffer[BUFFER_SIZE];
	ZSTD_outBuffer out;
	do {
		out = (ZSTD_outBuffer){.dst = buffer, .size = BUFFER_SIZE};
		size_t result = ZSTD_decompressStream(l->zstd, &out, &in);
		if (ZSTD_isError(result) && l->frame_done) {
			stop(l);
			l->mode = MODE_ENDED; /* something else follows the frames */
			return (long)in.size;
		}
		if (ZSTD_isError(result))
			return -1;
		l->frame_done = result == 0;
		if (emit(c, at, buffer, out.pos) < 0)
			return -1;
	} while (in.pos < in.size || out.pos == out.size);
	return (long)in.pos;
}

/* Size in hexadecimal ";chunk-signature=..." CRLF data CRLF, to one of size 0 and a trailer. */
static long
decode_aws(struct http_coding *c, size_t at, const uint8_t *bytes, size_t len)
{
	struct layer *l = c->layer[at];
	const uint8_t *data;
	size_t used, data_len;
	enum verdict v = http_body_take(&l->body, bytes, len, &used, &data, &data_len);
	if (v == VERDICT_MALFORMED || used == 0 || emit(c, at, data, data_len) < 0)
		return -1;
	if (v == VERDICT_DONE)
		l->mode = MODE_ENDED;
	return (long)used;
}
