#include "config.h"

#include "proto/dns_message.h"

#include <string.h>

#include "base/reader.h"

enum {
	LABEL_MAX = 63,      /* RFC 1035 section 2.3.4 */
	POINTERS_MAX = 32,   /* in one name */
	QUESTIONS_MAX = 64,  /* mDNS asks for many at once */
	COUNT_MAX = 4096,    /* records of a section: a longer message has no room for them */
	RECORDS_MAX = 256,   /* that are looked at */
	CHAIN_MAX = 8,       /* aliases that are followed */
	CLASS_IN = 1,
	CLASS_UNIQUE = 0x7fff, /* RFC 6762 section 10.2: the top bit is something else */
	SVCB_IPV4 = 4, SVCB_IPV6 = 6, /* RFC 9460 section 7.3 */
};

struct header {
	uint16_t flags;
	uint16_t questions, answers, authorities, additional;
};

struct record {
	struct dns_name owner;
	uint16_t type, class;
	uint32_t ttl;
	struct reader data;
};

/* Names that mean what was asked for. */
struct chain {
	struct dns_name name[CHAIN_MAX];
	uint32_t ttl[CHAIN_MAX];
	size_t count;
};

struct walk {
	const uint8_t *bytes;
	size_t len;
	struct chain chain;
	dns_address_fn *fn;
	void *ctx;
};

static struct header read_header(struct reader *r);
static bool read_name(struct reader *r, const uint8_t *bytes, size_t len, struct dns_name *out);
static bool pass_name(struct reader *r, const uint8_t *bytes);
static bool add_label(struct dns_name *out, const uint8_t *label, size_t n);
static bool read_question(struct reader *r, const uint8_t *bytes, size_t len, struct dns_question *out);
static bool question_fits(struct reader *r, const uint8_t *bytes);
static bool class_fits(uint16_t class);
static bool record_fits(struct reader *r, const uint8_t *bytes);
static bool read_record(struct reader *r, const uint8_t *bytes, size_t len, struct record *out);
static bool type_fits(uint16_t type);
static const struct dns_name *meant(const struct walk *w, const struct record *r, uint32_t *ttl);
static void add_alias(struct walk *w, struct reader data, uint32_t ttl);
static void take_record(struct walk *w, struct record *r);
static void take_binding(struct walk *w, struct record *r, const struct dns_name *name, uint32_t ttl);

bool
dns_message_fits(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	struct header h = read_header(&r);
	const unsigned opcode = h.flags >> 11 & 15;
	const bool answer = h.flags & 0x8000;
	/* RFC 1035 section 4.1.1: Z is 0; opcodes as registered, and a query has no response code. */
	if (!reader_ok(&r) || (h.flags & 0x0040) != 0 || opcode > 6 || opcode == 3 || (!answer && (h.flags & 15) != 0))
		return false;
	if (h.questions > QUESTIONS_MAX || h.answers > COUNT_MAX || h.authorities > COUNT_MAX || h.additional > COUNT_MAX)
		return false;
	if (h.questions == 0 && (!answer || h.answers == 0))
		return false;
	for (unsigned i = 0; i < h.questions; i++)
		if (!question_fits(&r, bytes))
			return false;
	if (h.answers + h.authorities + h.additional == 0 || r.left == 0) /* or it is cut */
		return h.questions > 0;
	return record_fits(&r, bytes);
}

bool
dns_message_question(const uint8_t *bytes, size_t len, struct dns_question *out)
{
	struct reader r = reader_init(bytes, len);
	struct header h = read_header(&r);
	if (h.questions == 0 || !read_question(&r, bytes, len, out))
		return false;
	out->answer_bytes = h.answers > 0 ? r.left : 0;
	return true;
}

void
dns_message_addresses(const uint8_t *bytes, size_t len, dns_address_fn *fn, void *ctx)
{
	struct walk w = {.bytes = bytes, .len = len, .fn = fn, .ctx = ctx};
	struct reader r = reader_init(bytes, len);
	struct header h = read_header(&r);
	struct dns_question q;
	struct record record;
	for (unsigned i = 0; i < h.questions; i++) {
		if (i >= QUESTIONS_MAX || !read_question(&r, bytes, len, &q))
			return;
		if (i > 0)
			continue;
		w.chain.name[0] = q.name;
		w.chain.ttl[0] = UINT32_MAX;
		w.chain.count = 1;
	}
	/* What stands behind the answers is not about the question, but in mDNS, which has none. */
	unsigned records = h.answers;
	if (h.questions == 0)
		records += (unsigned)h.authorities + h.additional;
	for (unsigned i = 0; i < records && i < RECORDS_MAX && read_record(&r, bytes, len, &record); i++)
		take_record(&w, &record);
}

static struct header
read_header(struct reader *r)
{
	struct header h;
	reader_skip(r, 2); /* ID */
	h.flags = reader_be16(r);
	h.questions = reader_be16(r);
	h.answers = reader_be16(r);
	h.authorities = reader_be16(r);
	h.additional = reader_be16(r);
	return h;
}

/* RFC 1035 section 4.1.4: pointers lead back, so that every name ends. */
static bool
read_name(struct reader *r, const uint8_t *bytes, size_t len, struct dns_name *out)
{
	struct reader at = *r;
	bool jumped = false;
	size_t before = len; /* where a pointer must lead to */
	out->len = 0;
	for (unsigned pointers = 0; pointers < POINTERS_MAX;) {
		size_t here = (size_t)(at.next - bytes);
		uint8_t n = reader_u8(&at);
		if (!reader_ok(&at))
			break;
		if (!jumped)
			before = here;
		if (n <= LABEL_MAX) {
			const uint8_t *label = reader_take(&at, n);
			if (!jumped)
				*r = at;
			if (n == 0)
				return true;
			if (label == NULL || !add_label(out, label, n))
				break;
			continue;
		}
		size_t target = (size_t)(n & 0x3f) << 8 | reader_u8(&at);
		if (!jumped)
			*r = at;
		if (n < 0xc0 || !reader_ok(&at) || target >= before)
			break;
		before = target;
		jumped = true;
		pointers++;
		at = reader_init(bytes + target, len - target);
	}
	r->bad = true;
	return false;
}

/* The same where nobody wants to know the name. */
static bool
pass_name(struct reader *r, const uint8_t *bytes)
{
	const size_t begin = (size_t)(r->next - bytes);
	for (;;) {
		const size_t here = (size_t)(r->next - bytes);
		const uint8_t n = reader_u8(r);
		if (n == 0)
			return reader_ok(r) && here - begin <= NAME_MAX_LEN + 1;
		if (n > LABEL_MAX) {
			const size_t target = (size_t)(n & 0x3f) << 8 | reader_u8(r);
			return n >= 0xc0 && reader_ok(r) && target < here;
		}
		reader_skip(r, n);
	}
}

static bool
add_label(struct dns_name *out, const uint8_t *label, size_t n)
{
	size_t dot = out->len > 0 ? 1 : 0;
	if (out->len + dot + n > NAME_MAX_LEN)
		return false;
	char *at = out->text + out->len;
	if (dot == 1)
		*at++ = '.';
	for (size_t i = 0; i < n; i++) {
		char c = (char)label[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		*at++ = c > ' ' && c < 0x7f && c != '.' ? c : '?';
	}
	out->len = (uint8_t)(out->len + dot + n);
	return true;
}

static bool
read_question(struct reader *r, const uint8_t *bytes, size_t len, struct dns_question *out)
{
	if (!read_name(r, bytes, len, &out->name))
		return false;
	out->type = reader_be16(r);
	const uint16_t class = reader_be16(r);
	return reader_ok(r) && class_fits(class);
}

static bool
question_fits(struct reader *r, const uint8_t *bytes)
{
	if (!pass_name(r, bytes))
		return false;
	const uint16_t type = reader_be16(r), class = reader_be16(r);
	return reader_ok(r) && type_fits(type) && class_fits(class);
}

/* RFC 1035 sections 3.2.4 and 3.2.5, RFC 2136 section 2.4: IN, CS, CH, HS, NONE, ANY. */
static bool
class_fits(uint16_t class)
{
	class &= CLASS_UNIQUE;
	return (class >= 1 && class <= 4) || class == 254 || class == 255;
}

static bool
record_fits(struct reader *r, const uint8_t *bytes)
{
	if (!pass_name(r, bytes))
		return false;
	const uint16_t type = reader_be16(r);
	reader_skip(r, 6); /* class, time to live */
	reader_skip(r, reader_be16(r));
	return reader_ok(r) && type_fits(type);
}

static bool
read_record(struct reader *r, const uint8_t *bytes, size_t len, struct record *out)
{
	if (!read_name(r, bytes, len, &out->owner))
		return false;
	out->type = reader_be16(r);
	out->class = reader_be16(r);
	out->ttl = reader_be32(r);
	out->data = reader_sub(r, reader_be16(r));
	if (out->ttl > INT32_MAX) /* RFC 2181 section 8 */
		out->ttl = 0;
	return reader_ok(r);
}

/* As registered, or for private use; of more than that nobody has heard. */
static bool
type_fits(uint16_t type)
{
	return (type >= 1 && type <= 264) || type == 32768 || type == 32769 || type >= 65280;
}

static void
take_record(struct walk *w, struct record *r)
{
	uint32_t ttl;
	struct addr addr;
	const struct dns_name *name = meant(w, r, &ttl);
	const uint8_t *bytes = r->data.next;
	if (name == NULL || (r->class & CLASS_UNIQUE) != CLASS_IN)
		return;
	switch (r->type) {
	case DNS_A:
		if (r->data.left != 4)
			return;
		addr = addr_from_v4(bytes);
		w->fn(w->ctx, name, &addr, ttl);
		return;
	case DNS_AAAA:
		if (r->data.left != 16)
			return;
		addr = addr_from_v6(bytes);
		w->fn(w->ctx, name, &addr, ttl);
		return;
	case DNS_CNAME: add_alias(w, r->data, ttl); return;
	case DNS_SVCB:
	case DNS_HTTPS: take_binding(w, r, name, ttl); return;
	default: return;
	}
}

/* RFC 9460 section 2.2: a target, which may be an alias (priority 0), and parameters. */
static void
take_binding(struct walk *w, struct record *r, const struct dns_name *name, uint32_t ttl)
{
	struct reader d = r->data;
	uint16_t priority = reader_be16(&d);
	struct dns_name target;
	if (priority == 0) {
		add_alias(w, d, ttl);
		return;
	}
	if (!read_name(&d, w->bytes, w->len, &target))
		return;
	while (d.left >= 4) {
		uint16_t key = reader_be16(&d);
		struct reader value = reader_sub(&d, reader_be16(&d));
		size_t size = key == SVCB_IPV4 ? 4 : 16;
		while ((key == SVCB_IPV4 || key == SVCB_IPV6) && value.left >= size) {
			const uint8_t *bytes = reader_take(&value, size);
			struct addr addr = key == SVCB_IPV4 ? addr_from_v4(bytes) : addr_from_v6(bytes);
			w->fn(w->ctx, name, &addr, ttl);
		}
	}
}

/* The name that the record's owner was asked for by, and how long that holds; NULL: it is about something else. */
static const struct dns_name *
meant(const struct walk *w, const struct record *r, uint32_t *ttl)
{
	*ttl = r->ttl;
	if (w->chain.count == 0)
		return &r->owner;
	for (size_t i = 0; i < w->chain.count; i++) {
		const struct dns_name *n = &w->chain.name[i];
		if (n->len != r->owner.len || memcmp(n->text, r->owner.text, n->len) != 0)
			continue;
		if (w->chain.ttl[i] < *ttl)
			*ttl = w->chain.ttl[i];
		return &w->chain.name[0];
	}
	return NULL;
}

static void
add_alias(struct walk *w, struct reader data, uint32_t ttl)
{
	struct chain *c = &w->chain;
	if (c->count == 0 || c->count == CHAIN_MAX || !read_name(&data, w->bytes, w->len, &c->name[c->count]))
		return;
	c->ttl[c->count++] = ttl;
}
