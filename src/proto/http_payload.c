/*
 * From body to files. A body is one transfer, with its content codings undone. The body of a 206 answer is a
 * part of a file, or several (multipart/byteranges). A multipart request is one transfer as
 * it was sent, told to be a form once a file is found in it, and one more for each such file. Bodies by which WebDAV asks and
 * locks (RFC 4918) are no files.
 */
#include "config.h"

#include "proto/http_payload.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/bittorrent.h"
#include "proto/http_coding.h"
#include "proto/http_empty.h"
#include "proto/http_listing.h"
#include "proto/http_name.h"
#include "proto/http_range.h"
#include "proto/mime_multipart.h"

struct http_payload {
	struct session *session;
	enum side from;
	struct http_exchange *x;
	bool request;
	struct transfer *whole;       /* the body; NULL where only its parts count */
	struct transfer *part;        /* the file now in the multipart body */
	uint64_t part_len;            /* its bytes so far */
	struct mime_multipart *parts;
	enum transfer_state broken_off; /* the state of a part that has no end */
	const uint8_t *validator;     /* which version of the file a range is of; in the exchange's arena */
	size_t validator_len;
	struct http_coding *coding;   /* to be undone */
	bool undecodable;             /* from here on the coding can't be undone */
	uint64_t len;                 /* body bytes so far, unseen ones included */
	uint64_t content_len;         /* what came of them */
	bool empty_counts;            /* without a byte it is a file nevertheless */
	bool looked_at;               /* content is, before it goes to the transfer: for page, parts or a list */
	bool ranged;                  /* the file in this form is a part of one, */
	struct http_range range;      /* this one */
	bool tracker;                 /* it is the answer of one of BitTorrent's */
	uint8_t *page;                /* its beginning, while it may be a listing or is that */
	size_t page_len;
};

static bool is_machinery(const struct http_exchange *x);
static bool is_empty_file(const struct http_exchange *x, const struct http_head *head, const struct http_body *body);
static void open_whole(struct http_payload *p, const struct http_head *head, const struct http_body *body);
static struct http_coding *make_coding(struct http_payload *p, const struct http_head *head);
static void tell_encoded(struct transfer *t, const struct mime_fields *f);
static void keep_validator(struct http_payload *p, const struct http_head *head);
static void open_parts(struct http_payload *p, const struct mime_field *type);
static struct transfer *begin_range(struct http_payload *p, const struct mime_fields *f,
        const struct http_range *range);
static struct transfer *begin(struct http_payload *p, const struct mime_fields *f, struct transfer_start *start);
static void content(void *ctx, const uint8_t *bytes, size_t len);
static void look_at(struct http_payload *p, const uint8_t *bytes, size_t len);
static void look_for_listing(struct http_payload *p, const uint8_t *bytes, size_t len);
static void judge_page(struct http_payload *p);
static void part_begin(void *ctx, const struct mime_fields *header);
static struct transfer *begin_form_range(struct http_payload *p, const struct mime_fields *header,
        const struct mime_text *name);
static void range_begin(void *ctx, const struct mime_fields *header);
static void part_data(void *ctx, const uint8_t *bytes, size_t len);
static void part_skip(void *ctx, uint64_t len);
static void part_end(void *ctx, bool whole);
static void end(struct http_payload *p, struct transfer *t, uint64_t len, enum transfer_state state);

static const struct mime_multipart_ops file_parts = {part_begin, part_data, part_skip, part_end};
static const struct mime_multipart_ops range_parts = {range_begin, part_data, part_skip, part_end};

struct http_payload *
http_payload_open(struct session *s, enum side from, const struct http_head *head,
        const struct http_body *body, struct http_exchange *x)
{
	const struct mime_field *type = http_head_field(head, "content-type");
	const bool lists_parts = !head->response && x->api != NULL && x->api->role == HTTP_API_FINISH;
	const bool empty_counts = is_empty_file(x, head, body);
	if ((body->framing == HTTP_BODY_NONE && !(body->empty && empty_counts)) || (!head->response && !lists_parts && is_machinery(x)) ||
	        (head->response && head->status / 100 == 2 && x->api != NULL && x->api->silent))
		return NULL;
	struct http_payload *p = malloc(sizeof *p);
	if (p == NULL)
		return NULL;
	*p = (struct http_payload){.session = s, .from = from, .x = http_exchange_ref(x), .request = !head->response, .empty_counts = empty_counts};
	if ((p->request && mime_type_is(type, "multipart/")) ||
	        (head->status == 206 && mime_type_is(type, "multipart/byteranges"))) {
		keep_validator(p, head);
		open_parts(p, type);
	}
	if ((p->request || p->parts == NULL) && !lists_parts)
		open_whole(p, head, body);
	if (head->response && x->method != NULL && strcmp(x->method, "PROPFIND") == 0 && head->status == 207)
		transfer_listing(p->whole);
	if (head->status == 200 && x->api != NULL && x->api->listing)
		transfer_listing(p->whole);
	p->tracker = head->status == 200 && bittorrent_is_announcement(x->url);
	if (p->tracker)
		bittorrent_announced(s, side_other(from), x->url);
	if (p->tracker || (head->status == 200 && mime_type_is(type, "text/html")))
		p->page = malloc(HTTP_LISTING_BYTES);
	p->looked_at = p->page != NULL || p->parts != NULL || lists_parts;
	return p;
}

void
http_payload_data(struct http_payload *p, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return;
	p->len += len;
	if (p->coding == NULL) {
		content(p, bytes, len);
		return;
	}
	transfer_sent(p->whole, bytes, len);
	if (!p->undecodable && http_coding_feed(p->coding, bytes, len) == VERDICT_MORE)
		return;
	p->undecodable = true;
	transfer_skip(p->whole, len);
	if (p->parts != NULL)
		mime_multipart_skip(p->parts, len);
}

void
http_payload_skip(struct http_payload *p, uint64_t len)
{
	p->len += len;
	p->undecodable = p->coding != NULL;
	if (p->request && p->x->api != NULL && p->x->api->role == HTTP_API_FINISH)
		http_api_body_lost(p->x->api);
	transfer_skip(p->whole, len);
	if (p->parts != NULL)
		mime_multipart_skip(p->parts, len);
}

void
http_payload_close(struct http_payload *p, enum transfer_state state)
{
	if (p == NULL)
		return;
	if (p->coding != NULL && !p->undecodable)
		http_coding_finish(p->coding);
	judge_page(p);
	p->broken_off = state == TRANSFER_ABORTED ? TRANSFER_ABORTED : TRANSFER_TRUNCATED;
	mime_multipart_destroy(p->parts);
	if (p->coding != NULL && http_coding_name(p->coding) != NULL)
		transfer_encoding(p->whole, http_coding_name(p->coding));
	if (p->undecodable && state == TRANSFER_COMPLETE)
		state = TRANSFER_TRUNCATED;
	end(p, p->whole, p->coding != NULL && !p->undecodable ? p->content_len : p->len, state);
	http_coding_destroy(p->coding);
	http_exchange_unref(p->x);
	free(p);
}

/* Requests whose body says what to do with a resource and is none (RFC 4918, 3253, 3744, 4791, 5323). */
static bool
is_machinery(const struct http_exchange *x)
{
	static const char *const methods[] = {"PROPFIND", "PROPPATCH", "LOCK", "UNLOCK", "MKCOL", "COPY", "MOVE",
	        "REPORT", "SEARCH", "ACL", "MKCALENDAR", "BIND", "REBIND", "UNBIND", "CHECKOUT", "CHECKIN",
	        "UNCHECKOUT", "VERSION-CONTROL", "LABEL", "MERGE", "UPDATE", "MKACTIVITY", "MKWORKSPACE",
	        "BASELINE-CONTROL", "ORDERPATCH"};
	for (size_t i = 0; x->method != NULL && i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(x->method, methods[i]) == 0)
			return true;
	return x->api != NULL && x->api->silent;
}

/* Would it be a file if no byte came? An answer without a length may just have broken off. */
static bool
is_empty_file(const struct http_exchange *x, const struct http_head *head, const struct http_body *body)
{
	if (!head->response)
		return http_empty_is_sent(x, head);
	return http_empty_is_answered(x, head) && (body->framing != HTTP_BODY_CLOSE || head->version >= HTTP_VERSION_2);
}

/*
 * Ranges count bytes of the encoded content (RFC 9110 section 14.1), so that a
 * part's coding can't be undone.
 */
static void
open_whole(struct http_payload *p, const struct http_head *head, const struct http_body *body)
{
	struct transfer_start start = {.sender = p->from};
	struct http_range range;

	if ((p->request || head->status == 206) &&
	        http_range_parse(&range, http_head_field(head, "content-range"))) {
		if (p->parts == NULL) {
			keep_validator(p, head);
			p->whole = begin_range(p, &head->fields, &range);
			tell_encoded(p->whole, &head->fields);
			return;
		}
		p->ranged = true;
		p->range = range;
	}
	p->coding = make_coding(p, head);
	start.size_known = p->coding == NULL && (body->framing == HTTP_BODY_LENGTH || body->framing == HTTP_BODY_NONE);
	start.size = start.size_known && body->framing == HTTP_BODY_LENGTH ? body->left : 0;
	p->whole = begin(p, &head->fields, &start);
	if (p->coding == NULL)
		tell_encoded(p->whole, &head->fields);
}

/* A part of a file can't be decoded for itself. */
static struct http_coding *
make_coding(struct http_payload *p, const struct http_head *head)
{
	if (p->request && http_coding_is_aws(&head->fields))
		return http_coding_create_aws(content, p);
	if (p->request && p->x->api != NULL && p->x->api->role == HTTP_API_PART)
		return NULL;
	return http_coding_create(&head->fields, content, p);
}

/* What has the coding still on is not the file as it will be saved. */
static void
tell_encoded(struct transfer *t, const struct mime_fields *f)
{
	static const char *const codings[] = {"br", "compress", "x-compress", "lzma", "xz", "gzip", "x-gzip",
	        "deflate", "zstd"};
	const struct mime_field *coding = mime_fields_find(f, "content-encoding", NULL);
	for (size_t i = 0; coding != NULL && i < sizeof codings / sizeof codings[0]; i++) {
		if (!mime_type_is(coding, codings[i]))
			continue;
		transfer_still_encoded(t, coding->value, coding->value_len);
		return;
	}
}

/* What is in ranges needs to know of which version of the file they are. */
static void
keep_validator(struct http_payload *p, const struct http_head *head)
{
	uint8_t validator[HTTP_VALIDATOR_MAX];
	size_t len = http_range_validator(head, validator);
	p->validator = arena_copy(&p->x->arena, validator, len);
	p->validator_len = p->validator != NULL ? len : 0;
}

static void
open_parts(struct http_payload *p, const struct mime_field *type)
{
	p->parts = mime_multipart_create(type->value, type->value_len, p->request ? &file_parts : &range_parts, p);
}

static struct transfer *
begin_range(struct http_payload *p, const struct mime_fields *f, const struct http_range *range)
{
	uint8_t key[HTTP_RANGE_KEY_MAX];
	struct transfer_start start = {.sender = p->from,
	        .offset = range->first,
	        .size_known = range->total_known,
	        .size = range->total};
	start.join_len = http_range_key(key, range, p->request, p->x->url, p->validator, p->validator_len);
	start.join_key = start.join_len > 0 ? key : NULL;
	return begin(p, f, &start);
}

/* Begins a transfer named by the header, else by the URL. */
static struct transfer *
begin(struct http_payload *p, const struct mime_fields *f, struct transfer_start *start)
{
	struct mime_text name;
	const struct mime_field *type = mime_fields_find(f, "content-type", NULL);

	start->method = p->x->method;
	start->path = p->x->path;
	start->path_len = p->x->path_len;
	if (http_declared_name(f, &name)) {
		start->path = name.bytes;
		start->path_len = name.len;
		start->charset = name.charset[0] != '\0' ? name.charset : NULL;
	}
	if (p->request && p->x->api != NULL)
		http_api_start(p->x->api, p->session, start);
	struct transfer *t = transfer_begin(p->session, start);
	if (type != NULL) {
		const uint8_t *semicolon = memchr(type->value, ';', type->value_len);
		const uint8_t *value = type->value;
		size_t len = semicolon != NULL ? (size_t)(semicolon - value) : type->value_len;
		text_trim(&value, &len);
		transfer_mime(t, value, len);
	}
	http_exchange_tell(p->x, t);
	return t;
}

/* Content as the receiver has it: codings are undone. */
static void
content(void *ctx, const uint8_t *bytes, size_t len)
{
	struct http_payload *p = ctx;
	p->content_len += len;
	if (p->looked_at) /* first, so that a form is known as one before it is told to have begun */
		look_at(p, bytes, len);
	transfer_append(p->whole, bytes, len);
}

static void
look_at(struct http_payload *p, const uint8_t *bytes, size_t len)
{
	if (p->page != NULL)
		look_for_listing(p, bytes, len);
	if (p->parts != NULL)
		mime_multipart_feed(p->parts, bytes, len);
	if (p->request && p->x->api != NULL && p->x->api->role == HTTP_API_FINISH)
		http_api_body(p->x->api, bytes, len);
}

static void
look_for_listing(struct http_payload *p, const uint8_t *bytes, size_t len)
{
	size_t room = HTTP_LISTING_BYTES - p->page_len;
	size_t n = len < room ? len : room;
	memcpy(p->page + p->page_len, bytes, n);
	p->page_len += n;
	if (p->page_len == HTTP_LISTING_BYTES)
		judge_page(p);
}

static void
judge_page(struct http_payload *p)
{
	if (p->page != NULL && p->tracker)
		bittorrent_answered(p->session, p->page, p->page_len);
	else if (p->page != NULL && http_listing_looks(p->page, p->page_len))
		transfer_listing(p->whole);
	free(p->page);
	p->page = NULL;
}

/* A form's field is no file; one with a file name is (RFC 7578 section 4.2). */
static void
part_begin(void *ctx, const struct mime_fields *header)
{
	struct http_payload *p = ctx;
	struct transfer_start start = {.sender = p->from};
	struct mime_text name;

	p->part_len = 0;
	p->part = NULL;
	if (http_declared_name(header, &name))
		p->part = p->ranged ? begin_form_range(p, header, &name) : begin(p, header, &start);
	if (p->part != NULL)
		transfer_form(p->whole);
}

/* Uploads in pieces by form (Seafile, and much that runs in browsers): one URL takes many files. */
static struct transfer *
begin_form_range(struct http_payload *p, const struct mime_fields *header, const struct mime_text *name)
{
	p->validator = arena_copy(&p->x->arena, name->bytes, name->len);
	p->validator_len = p->validator != NULL ? name->len : 0;
	return begin_range(p, header, &p->range);
}

static void
range_begin(void *ctx, const struct mime_fields *header)
{
	struct http_payload *p = ctx;
	struct http_range range;

	p->part_len = 0;
	p->part = NULL;
	if (http_range_parse(&range, mime_fields_find(header, "content-range", NULL)))
		p->part = begin_range(p, header, &range);
}

static void
part_data(void *ctx, const uint8_t *bytes, size_t len)
{
	struct http_payload *p = ctx;
	p->part_len += len;
	transfer_append(p->part, bytes, len);
}

static void
part_skip(void *ctx, uint64_t len)
{
	struct http_payload *p = ctx;
	p->part_len += len;
	transfer_skip(p->part, len);
}

static void
part_end(void *ctx, bool whole)
{
	struct http_payload *p = ctx;
	end(p, p->part, p->part_len, whole ? TRANSFER_COMPLETE : p->broken_off);
	p->part = NULL;
}

static void
end(struct http_payload *p, struct transfer *t, uint64_t len, enum transfer_state state)
{
	if (t == NULL)
		return;
	const bool in_form = p->request && t == p->part && !p->ranged;
	if (len == 0 && (state != TRANSFER_COMPLETE || !(p->empty_counts || in_form)))
		transfer_discard(t);
	else if (p->request && len == 0)
		http_exchange_end_empty(p->x, t, in_form);
	else if (p->request)
		http_exchange_end_upload(p->x, t, state);
	else {
		if (len == 0)
			transfer_accepted(t);
		transfer_end(t, state);
	}
}
