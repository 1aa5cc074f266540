/*
 * svndiff, version 0 (plain), 1 (zlib) and 2 (LZ4) (subversion/notes/svndiff; LZ4 block format description). A window
 * that is made of new data alone gives the file's bytes; of one that copies from what the receiver has, only the
 * size is known.
 */
#include "config.h"

#include "proto/svn.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/reader.h"

enum { HEAD_MAX = 64 }; /* five numbers */

struct window {
	uint64_t source, target, instructions, data; /* lengths */
};

struct svn_delta {
	struct transfer *transfer;
	uint8_t *held;    /* the window at hand, from its head on */
	size_t len, size;
	int version;      /* -1: not known yet */
	bool lost;
	uint64_t target_all, sent;
	uint8_t *work[3]; /* instructions, new data, target */
};

static bool take_window(struct svn_delta *d, size_t *used);
static bool read_window(struct reader *r, struct window *w);
static uint64_t read_number(struct reader *r);
static void make(struct svn_delta *d, const struct window *w, struct reader instructions, struct reader data);
static bool unpack(const struct svn_delta *d, struct reader packed, uint8_t *out, size_t *len);
static bool unpack_zlib(struct reader packed, uint8_t *out, size_t len);
static bool unpack_lz4(struct reader r, uint8_t *out, size_t len);
static bool apply(struct reader instructions, struct reader data, uint8_t *out, size_t len);

struct svn_delta *
svn_delta_create(struct transfer *t)
{
	struct svn_delta *d = calloc(1, sizeof *d);
	if (d == NULL)
		return NULL;
	d->transfer = t;
	d->version = -1;
	return d;
}

void
svn_delta_destroy(struct svn_delta *d)
{
	if (d == NULL)
		return;
	free(d->held);
	for (size_t i = 0; i < 3; i++)
		free(d->work[i]);
	free(d);
}

void
svn_delta_bytes(struct svn_delta *d, const uint8_t *bytes, size_t len)
{
	if (d == NULL)
		return;
	d->sent += len;
	while (len > 0 && !d->lost) {
		if (d->len == d->size && d->size < SVN_WINDOW_MAX + HEAD_MAX) {
			size_t size = d->size > 0 ? d->size * 4 : 4096;
			size = size < SVN_WINDOW_MAX + HEAD_MAX ? size : SVN_WINDOW_MAX + HEAD_MAX;
			uint8_t *larger = realloc(d->held, size);
			if (larger != NULL) {
				d->held = larger;
				d->size = size;
			}
		}
		size_t room = d->size - d->len, n = len < room ? len : room;
		if (n == 0) {
			d->lost = true; /* a window that is too long, or no memory */
			return;
		}
		memcpy(d->held + d->len, bytes, n);
		d->len += n;
		bytes += n;
		len -= n;
		size_t all = 0, used = 0;
		while (!d->lost && take_window(d, &used))
			all += used, d->held += used, d->len -= used;
		d->held -= all;
		memmove(d->held, d->held + all, d->len);
	}
}

void
svn_delta_gap(struct svn_delta *d)
{
	if (d != NULL)
		d->lost = true;
}

bool
svn_delta_whole(const struct svn_delta *d)
{
	return d != NULL && !d->lost && d->len == 0;
}

uint64_t
svn_delta_size(const struct svn_delta *d)
{
	return d->target_all;
}

uint64_t
svn_delta_sent(const struct svn_delta *d)
{
	return d != NULL ? d->sent : 0;
}

/* The signature, or a whole window from the front of what is held. */
static bool
take_window(struct svn_delta *d, size_t *used)
{
	struct reader r = reader_init(d->held, d->len);
	struct window w;

	if (d->version < 0) {
		const uint8_t *sign = reader_take(&r, 3);
		uint8_t version = reader_u8(&r);
		if (!reader_ok(&r))
			return false;
		d->lost = memcmp(sign, "SVN", 3) != 0 || version > 2;
		d->version = version;
		*used = 4;
		return !d->lost;
	}
	if (!read_window(&r, &w)) {
		d->lost = d->len >= HEAD_MAX;
		return false;
	}
	if (w.target > SVN_WINDOW_MAX || w.instructions > SVN_WINDOW_MAX || w.data > SVN_WINDOW_MAX - w.instructions) {
		d->lost = true;
		return false;
	}
	struct reader instructions = reader_sub(&r, (size_t)w.instructions), data = reader_sub(&r, (size_t)w.data);
	if (!reader_ok(&r))
		return false;
	*used = (size_t)(r.next - d->held);
	d->target_all += w.target;
	make(d, &w, instructions, data);
	return true;
}

static bool
read_window(struct reader *r, struct window *w)
{
	(void)read_number(r); /* where in the source it begins */
	w->source = read_number(r);
	w->target = read_number(r);
	w->instructions = read_number(r);
	w->data = read_number(r);
	return reader_ok(r);
}

/* Seven bits a byte, the highest first. */
static uint64_t
read_number(struct reader *r)
{
	uint64_t n = 0;
	for (size_t i = 0; i < 10; i++) {
		uint8_t byte = reader_u8(r);
		n = n << 7 | (byte & 0x7f);
		if ((byte & 0x80) == 0)
			return n;
	}
	r->bad = true;
	return 0;
}

/* The window's bytes, where they can be known. */
static void
make(struct svn_delta *d, const struct window *w, struct reader instructions, struct reader data)
{
	size_t len[2] = {0, 0}, target = (size_t)w->target;

	for (size_t i = 0; i < 3 && w->source == 0; i++)
		if (d->work[i] == NULL)
			d->work[i] = malloc(SVN_WINDOW_MAX);
	if (w->source == 0 && d->work[0] != NULL && d->work[1] != NULL && d->work[2] != NULL &&
	        unpack(d, instructions, d->work[0], &len[0]) && unpack(d, data, d->work[1], &len[1]) &&
	        apply(reader_init(d->work[0], len[0]), reader_init(d->work[1], len[1]), d->work[2], target))
		transfer_append(d->transfer, d->work[2], target);
	else
		transfer_skip(d->transfer, target);
}

/* Version 1 and 2: the length, then as many bytes, or fewer of them when packed. */
static bool
unpack(const struct svn_delta *d, struct reader packed, uint8_t *out, size_t *len)
{
	uint64_t n = d->version == 0 ? packed.left : read_number(&packed);

	if (!reader_ok(&packed) || n > SVN_WINDOW_MAX)
		return false;
	*len = (size_t)n;
	if (n == packed.left) {
		if (n > 0)
			memcpy(out, packed.next, *len);
		return true;
	}
	return d->version == 1 ? unpack_zlib(packed, out, *len) : unpack_lz4(packed, out, *len);
}

static bool
unpack_zlib(struct reader packed, uint8_t *out, size_t len)
{
	uLongf n = len;
	return uncompress(out, &n, packed.next, packed.left) == Z_OK && n == len;
}

static bool
unpack_lz4(struct reader r, uint8_t *out, size_t len)
{
	size_t at = 0;

	while (r.left > 0) {
		uint8_t token = reader_u8(&r), more = 255;
		size_t n = token >> 4;
		while ((token >> 4) == 15 && more == 255 && reader_ok(&r))
			n += more = reader_u8(&r);
		const uint8_t *literals = reader_take(&r, n);
		if (literals == NULL || n > len - at)
			return false;
		memcpy(out + at, literals, n);
		at += n;
		if (r.left == 0)
			break;
		size_t back = reader_le16(&r);
		n = (token & 15) + 4u;
		more = 255;
		while ((token & 15) == 15 && more == 255 && reader_ok(&r))
			n += more = reader_u8(&r);
		if (!reader_ok(&r) || back == 0 || back > at || n > len - at)
			return false;
		for (; n > 0; n--, at++)
			out[at] = out[at - back];
	}
	return reader_ok(&r) && at == len;
}

/* Copies from the target so far, and of new data; there is no source. */
static bool
apply(struct reader instructions, struct reader data, uint8_t *out, size_t len)
{
	size_t at = 0;

	while (instructions.left > 0) {
		uint8_t byte = reader_u8(&instructions);
		uint64_t n = byte & 0x3f;
		if (n == 0)
			n = read_number(&instructions);
		uint64_t from = byte >> 6 == 1 ? read_number(&instructions) : 0;
		if (!reader_ok(&instructions) || n == 0 || n > len - at)
			return false;
		if (byte >> 6 == 2) {
			const uint8_t *fresh = reader_take(&data, (size_t)n);
			if (fresh == NULL)
				return false;
			memcpy(out + at, fresh, (size_t)n);
			at += (size_t)n;
		} else if (byte >> 6 == 1 && from < at) {
			for (; n > 0; n--, at++, from++)
				out[at] = out[from];
		} else {
			return false;
		}
	}
	return at == len;
}
