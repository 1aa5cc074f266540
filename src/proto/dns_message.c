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
	struct reader owner; /* from its name on */
	size_t owner_at;     /* where that stands, or stands that it points to */
	uint16_t type, class;
	uint32_t ttl;
	struct reader data;
};

/* A name that means what was asked for. */
struct alias {
	size_t at; /* where it stands: most owners point to it */
	uint32_t ttl;
	const struct dns_name *name;
};

struct walk {
	const struct dns_message *message;
	dns_address_fn *fn;
	void *ctx;
	struct alias chain[CHAIN_MAX];
	size_t count;
	struct dns_name name[CHAIN_MAX]; /* what was asked for, and its aliases */
	struct dns_name owner;           /* of the record at hand, where it was read */
};

static struct header read_header(struct reader *r);
static bool header_fits(const struct header *h);
static bool read_name(struct reader *r, const uint8_t *bytes, size_t len, struct dns_name *out);
static bool pass_name(struct reader *r, const uint8_t *bytes);
static bool add_label(struct dns_name *out, const uint8_t *label, size_t n);
static bool read_question(struct reader *r, const uint8_t *bytes, struct dns_question *out);
static bool class_fits(uint16_t class);
static bool record_fits(struct reader *r, const uint8_t *bytes);
static bool read_record(struct reader *r, const uint8_t *bytes, struct record *out);
static bool type_fits(uint16_t type);
static const struct dns_name *meant(struct walk *w, const struct record *r, uint32_t *ttl);
static void add_alias(struct walk *w, struct reader data, uint32_t ttl);
static void take_record(struct walk *w, struct record *r);
static void take_binding(struct walk *w, struct record *r, const struct dns_name *name, uint32_t ttl);

bool
dns_message_fits(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);
	const struct header h = read_header(&r);
	struct dns_question question;
	if (!reader_ok(&r) || !header_fits(&h))
		return false;
	for (unsigned i = 0; i < h.questions; i++)
		if (!read_question(&r, bytes, &question))
			return false;
	if (h.answers + h.authorities + h.additional == 0 || r.left == 0) /* or it is cut */
		return h.questions > 0;
	return record_fits(&r, bytes);
}

bool
dns_message_read(const uint8_t *bytes, size_t len, struct dns_message *out)
{
	struct reader r = reader_init(bytes, len);
	const struct header h = read_header(&r);
	struct dns_question other;
	if (!reader_ok(&r) || !header_fits(&h))
		return false;
	out->bytes = bytes;
	out->len = len;
	out->answers = (h.flags & 0x8000) != 0;
	out->has_question = h.questions > 0 && read_question(&r, bytes, &out->question);
	out->answer_bytes = out->has_question && h.answers > 0 ? r.left : 0;
	for (unsigned i = 1; i < h.questions; i++)
		(void)read_question(&r, bytes, &other);
	out->records = r;
	/* What stands behind the answers is not about the question, but in mDNS, which has none. */
	out->record_count = h.answers;
	if (h.questions == 0)
		out->record_count += (unsigned)h.authorities + h.additional;
	return out->has_question || h.questions == 0;
}

bool
dns_message_name(const struct dns_message *m, struct dns_name *out)
{
	struct reader at = m->question.name;
	return read_name(&at, m->bytes, m->len, out);
}

void
dns_message_addresses(const struct dns_message *m, dns_address_fn *fn, void *ctx)
{
	struct walk w;
	w.message = m;
	w.fn = fn;
	w.ctx = ctx;
	w.count = 0;
	if (m->record_count == 0)
		return;
	if (m->has_question) {
		if (!dns_message_name(m, &w.name[0]))
			return;
		w.chain[w.count++] = (struct alias){.at = DNS_HEADER, .ttl = UINT32_MAX, .name = &w.name[0]};
	}
	struct reader r = m->records;
	struct record record;
	for (unsigned i = 0; i < m->record_count && i < RECORDS_MAX && read_record(&r, m->bytes, &record); i++)
		take_record(&w, &record);
}

static struct header
read_header(struct reader *r)
{
	struct reader at = reader_sub(r, DNS_HEADER);
	reader_skip(&at, 2); /* ID */
	struct header h;
	h.flags = reader_be16(&at);
	h.questions = reader_be16(&at);
	h.answers = reader_be16(&at);
	h.authorities = reader_be16(&at);
	h.additional = reader_be16(&at);
	return h;
}

/* RFC 1035 section 4.1.1: Z is 0; opcodes as registered, and a query has no response code. */
static bool
header_fits(const struct header *h)
{
	const unsigned opcode = h->flags >> 11 & 15;
	const bool answer = h->flags & 0x8000;
	if ((h->flags & 0x0040) != 0 || opcode > 6 || opcode == 3 || (!answer && (h->flags & 15) != 0))
		return false;
	if (h->questions > QUESTIONS_MAX || h->answers > COUNT_MAX || h->authorities > COUNT_MAX || h->additional > COUNT_MAX)
		return false;
	return h->questions > 0 || (answer && h->answers > 0);
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
	for (size_t i = 0; i < n; i++) { /* without branches, so that several go at once */
		uint8_t c = label[i];
		c = (uint8_t)(c | ((uint8_t)(c - 'A') < 26) << 5);
		at[i] = (char)((uint8_t)(c - '!') < 0x7f - '!' && c != '.' ? c : '?');
	}
	out->len = (uint8_t)(out->len + dot + n);
	return true;
}

static bool
read_question(struct reader *r, const uint8_t *bytes, struct dns_question *out)
{
	out->name = *r;
	if (!pass_name(r, bytes))
		return false;
	out->name_size = out->name.left - r->left;
	out->type = reader_be16(r);
	const uint16_t class = reader_be16(r);
	return reader_ok(r) && type_fits(out->type) && class_fits(class);
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
read_record(struct reader *r, const uint8_t *bytes, struct record *out)
{
	out->owner = *r;
	out->owner_at = (size_t)(r->next - bytes);
	if (r->left >= 2 && r->next[0] >= 0xc0)
		out->owner_at = (size_t)(r->next[0] & 0x3f) << 8 | r->next[1];
	if (!pass_name(r, bytes))
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
	if (!read_name(&d, w->message->bytes, w->message->len, &target))
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
meant(struct walk *w, const struct record *r, uint32_t *ttl)
{
	struct reader owner = r->owner;
	size_t i = 0;
	*ttl = r->ttl;
	while (i < w->count && w->chain[i].at != r->owner_at)
		i++;
	if (i == w->count) { /* another place, which may say the same */
		if (!read_name(&owner, w->message->bytes, w->message->len, &w->owner))
			return NULL;
		if (w->count == 0)
			return &w->owner;
		for (i = 0; i < w->count; i++)
			if (w->chain[i].name->len == w->owner.len &&
			        memcmp(w->chain[i].name->text, w->owner.text, w->owner.len) == 0)
				break;
	}
	if (i == w->count)
		return NULL;
	if (w->chain[i].ttl < *ttl)
		*ttl = w->chain[i].ttl;
	return w->chain[0].name;
}

static void
add_alias(struct walk *w, struct reader data, uint32_t ttl)
{
	const uint8_t *bytes = w->message->bytes;
	const size_t at = (size_t)(data.next - bytes);
	if (w->count == 0 || w->count == CHAIN_MAX || !read_name(&data, bytes, w->message->len, &w->name[w->count]))
		return;
	w->chain[w->count] = (struct alias){.at = at, .ttl = ttl, .name = &w->name[w->count]};
	w->count++;
}
