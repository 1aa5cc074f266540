/*
 * HPACK is nghttp2's. After a loss its table is filled with fields of a name that no field can have: what later blocks
 * say by reference to entries that were not seen comes out under that name and is left out, while entries
 * that were seen since stand where they belong, at the table's young end.
 */
#include "config.h"

#include "proto/http2_header.h"

#include <string.h>

#include <nghttp2/nghttp2.h>

#include "base/text.h"

enum {
	TABLE_MAX = 256 * 1024, /* an encoder may make its table as large, whatever the settings say */
	LOST_TABLE = 65536,     /* large enough for any reference that an encoder with a usual table makes */
	LOST_ENTRIES = 1024,
	ENTRY_BYTES = 4,
	INTEGER_BYTES = 4,
};

/* One field of a head as it is put together. */
struct pseudo {
	const uint8_t *bytes;
	size_t len;
};

struct request {
	struct pseudo scheme, authority, path;
};

static bool begin(struct http2_header *h);
static bool fill_lost(struct nghttp2_hd_inflater *inflater);
static bool inflate(struct http2_header *h, const uint8_t *block, size_t len, struct arena *a,
        struct http_head *head, struct request *request);
static void take(struct arena *a, const nghttp2_nv *nv, struct http_head *head, struct request *request);
static bool is(const nghttp2_nv *nv, const char *name);
static void add(struct http_head *head, const void *name, size_t name_len, const void *value, size_t value_len);
static void set_target(struct arena *a, struct http_head *head, const struct request *request);

void
http2_header_clear(struct http2_header *h)
{
	if (h->inflater != NULL)
		nghttp2_hd_inflate_del(h->inflater);
	h->inflater = NULL;
}

void
http2_header_lose(struct http2_header *h)
{
	http2_header_clear(h);
	h->lost = true;
}

bool
http2_header_read(struct http2_header *h, const uint8_t *block, size_t len, struct arena *a,
        struct http_head *head)
{
	static const uint8_t nothing[1];
	struct request request = {0};
	if (len == 0) /* block may be NULL */
		block = nothing;
	memset(head, 0, offsetof(struct http_head, fields));
	head->version = HTTP_VERSION_2;
	head->fields.count = 0;
	if (!begin(h))
		return false;
	if (!inflate(h, block, len, a, head, &request)) {
		http2_header_lose(h);
		return false;
	}
	if (head->status == 0)
		set_target(a, head, &request);
	if (request.authority.len > 0 && http_head_field(head, "host") == NULL)
		add(head, "host", 4, request.authority.bytes, request.authority.len);
	return true;
}

static bool
begin(struct http2_header *h)
{
	if (h->inflater != NULL)
		return true;
	if (nghttp2_hd_inflate_new(&h->inflater) != 0)
		return false;
	if (nghttp2_hd_inflate_change_table_size(h->inflater, TABLE_MAX) == 0 &&
	        (!h->lost || fill_lost(h->inflater)))
		return true;
	http2_header_clear(h);
	return false;
}

/* A change of the table's size (RFC 7541 section 6.3), then fields to be remembered (6.2.1). */
static bool
fill_lost(struct nghttp2_hd_inflater *inflater)
{
	static const uint8_t entry[ENTRY_BYTES] = {0x40, 1, '?', 0};
	/* 001 and a number in five bits and more: LOST_TABLE - 31 in groups of seven (section 5.1). */
	static const uint8_t size[INTEGER_BYTES] = {0x3f, ((LOST_TABLE - 31) & 0x7f) | 0x80,
	        ((LOST_TABLE - 31) >> 7 & 0x7f) | 0x80, (LOST_TABLE - 31) >> 14};
	uint8_t block[INTEGER_BYTES + LOST_ENTRIES * ENTRY_BYTES];
	memcpy(block, size, sizeof size);
	for (size_t i = 0; i < LOST_ENTRIES; i++)
		memcpy(block + sizeof size + i * ENTRY_BYTES, entry, sizeof entry);

	size_t at = 0;
	int flags = 0;
	while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
		nghttp2_nv nv;
		ssize_t used = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, block + at, sizeof block - at, 1);
		if (used < 0)
			return false;
		at += (size_t)used;
	}
	return nghttp2_hd_inflate_end_headers(inflater) == 0;
}

static bool
inflate(struct http2_header *h, const uint8_t *block, size_t len, struct arena *a, struct http_head *head,
        struct request *request)
{
	size_t at = 0;
	int flags = 0;
	/* Each turn takes a byte or is the last. */
	while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
		nghttp2_nv nv;
		ssize_t used = nghttp2_hd_inflate_hd2(h->inflater, &nv, &flags, block + at, len - at, 1);
		if (used < 0 || (used == 0 && flags == 0))
			return false;
		at += (size_t)used;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
			take(a, &nv, head, request);
	}
	return nghttp2_hd_inflate_end_headers(h->inflater) == 0;
}

/* RFC 9113 section 8.3 */
static void
take(struct arena *a, const nghttp2_nv *nv, struct http_head *head, struct request *request)
{
	if (nv->namelen == 0 || nv->name[0] == '?' || head->fields.count == MIME_FIELDS_MAX)
		return;
	const void *value = arena_string(a, nv->value, nv->valuelen);
	if (value == NULL)
		return;
	const struct pseudo text = {value, nv->valuelen};
	if (nv->name[0] != ':') {
		const void *name = arena_copy(a, nv->name, nv->namelen);
		if (name != NULL)
			add(head, name, nv->namelen, value, nv->valuelen);
	} else if (is(nv, ":method")) {
		head->method = text.bytes;
		head->method_len = text.len;
	} else if (is(nv, ":path")) {
		request->path = text;
	} else if (is(nv, ":authority")) {
		request->authority = text;
	} else if (is(nv, ":scheme")) {
		request->scheme = text;
	} else if (is(nv, ":status")) {
		head->response = true;
		for (size_t i = 0; i < text.len && i < 3 && text.bytes[i] >= '0' && text.bytes[i] <= '9'; i++)
			head->status = head->status * 10 + (unsigned)(text.bytes[i] - '0');
	}
}

static bool
is(const nghttp2_nv *nv, const char *name)
{
	return nv->namelen == strlen(name) && memcmp(nv->name, name, nv->namelen) == 0;
}

static void
add(struct http_head *head, const void *name, size_t name_len, const void *value, size_t value_len)
{
	struct mime_fields *f = &head->fields;
	if (f->count < MIME_FIELDS_MAX)
		f->field[f->count++] = (struct mime_field){.name = name, .name_len = name_len, .value = value,
		        .value_len = value_len};
}

/* As HTTP/1 would write it; with its scheme only where that is not plain http. */
static void
set_target(struct arena *a, struct http_head *head, const struct request *request)
{
	struct pseudo t = request->path;
	if (t.len == 0 && request->scheme.len == 0)
		t = request->authority; /* CONNECT (section 8.5) */
	size_t len = request->scheme.len + 3 + request->authority.len + request->path.len;
	uint8_t *whole = NULL;
	if (text_equal_nocase(request->scheme.bytes, request->scheme.len, "https") && request->authority.len > 0 &&
	        request->path.len > 0 && request->path.bytes[0] == '/')
		whole = arena_alloc(a, len);
	if (whole != NULL) {
		memcpy(whole, request->scheme.bytes, request->scheme.len);
		memcpy(whole + request->scheme.len, "://", 3);
		memcpy(whole + request->scheme.len + 3, request->authority.bytes, request->authority.len);
		memcpy(whole + len - request->path.len, request->path.bytes, request->path.len);
		t = (struct pseudo){whole, len};
	}
	head->target = t.bytes;
	head->target_len = t.len;
}
