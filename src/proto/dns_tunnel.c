/*
 * DNS tunnels (iodine, dnscat2 and the like): a client asks for ever new names with long labels under one domain. A
 * name carries something if its longest label has 30 characters or more, of eight kinds or more, and hardly a hyphen,
 * as the names of machines have; or if the record asked for is of a type for nothing but data, or text.
 *
 * It is a tunnel when 64 such names, all different, and their answers have come to 16 KB, and the names have 100
 * characters or the answers 60 bytes on average. Look-ups of hashes (block lists, virus scanners) have shorter names
 * and an address for an answer. A slower or smaller tunnel is not seen, nor one through names that look like words.
 */
#include "config.h"

#include "proto/dns_tunnel.h"

#include <string.h>

#include "base/hash.h"

enum {
	LABEL_LONG = 30,
	KINDS_LEAST = 8,
	TICKET_LEAST = 5,
	NAMES_LEAST = 64,
	BYTES_LEAST = 16 * 1024,
	NAME_AVERAGE = 100,
	ANSWER_AVERAGE = 60,
	NAMES_WORDS = 8, /* of a filter that knows which names came already */
	NAMES_HELD = 128, /* after which it begins again */
	TYPE_PRIVATE = 65280,
	TOP_LONGEST = 24, /* of the world's top-level domains; one in punycode has a hyphen */
};

static const char note_prefix[] = "dns.tunnel:";

/* What a client asked for under a domain. A note. */
struct tally {
	uint32_t names, answers;
	uint64_t up, down; /* characters of names, bytes of answers */
	uint32_t held;
	uint64_t seen[NAMES_WORDS];
};

/* The part of a name that is registered, and what stands before it. */
struct parts {
	const char *domain;
	size_t domain_len;
	size_t payload; /* characters before it, dots included */
};

static bool find_payload(const struct dns_message *m, struct dns_name *name, struct parts *p);
static bool may_carry(const struct dns_question *q);
static bool split(const struct dns_name *name, struct parts *out);
static bool carries(const struct dns_name *name, unsigned type, const struct parts *p);
static bool is_ticket(const char *text, size_t len);
static bool is_new(struct tally *t, const struct dns_name *name);
static bool is_tunnel(const struct tally *t);
static void tell(struct session *s, const struct parts *p, const struct tally *t);

bool
dns_tunnel_possible(const struct dns_message *m)
{
	struct dns_name name;
	struct parts p;
	return find_payload(m, &name, &p);
}

bool
dns_tunnel_look(struct session *s, enum side from, const struct dns_message *m)
{
	const enum side client = m->answers ? side_other(from) : from;
	const enum note_scope scope = client == SIDE_SOURCE ? NOTE_SOURCE : NOTE_DESTINATION;
	struct dns_name name;
	struct parts p;
	if (!find_payload(m, &name, &p))
		return false;
	char key[sizeof note_prefix - 1 + NAME_MAX_LEN];
	const size_t key_len = sizeof note_prefix - 1 + p.domain_len;
	memcpy(key, note_prefix, sizeof note_prefix - 1);
	memcpy(key + sizeof note_prefix - 1, p.domain, p.domain_len);
	struct tally t = {0};
	size_t had_len;
	const void *had = session_noted(s, scope, key, key_len, &had_len);
	if (had != NULL && had_len == sizeof t)
		memcpy(&t, had, sizeof t);
	if (m->answers) {
		t.answers++;
		t.down += m->answer_bytes;
	} else if (is_new(&t, &name)) {
		t.names++;
		t.up += p.payload;
	}
	(void)session_note(s, scope, key, key_len, &t, sizeof t);
	if (!is_tunnel(&t))
		return false;
	tell(s, &p, &t);
	return true;
}

/* False: nothing but a name is carried. */
static bool
find_payload(const struct dns_message *m, struct dns_name *name, struct parts *p)
{
	return m->has_question && may_carry(&m->question) && dns_message_name(m, name) && split(name, p) &&
	       carries(name, m->question.type, p);
}

/* Most names are too short, and need not be read. */
static bool
may_carry(const struct dns_question *q)
{
	return q->name_size > LABEL_LONG || q->type == DNS_NULL || q->type == DNS_TXT || q->type >= TYPE_PRIVATE;
}

/*
 * The last two labels, or three where the last but one is short (co.uk). Where the last one is too long for a
 * domain of the world the first is taken for it (dnscat2 asked for directly). Reverse look-ups are none.
 */
static bool
split(const struct dns_name *name, struct parts *out)
{
	size_t at[3] = {0, 0, 0}; /* where the last labels begin */
	size_t labels = 0;
	for (size_t i = name->len; i > 0 && labels < 3; i--)
		if (name->text[i - 1] == '.')
			at[labels++] = i;
	if (labels < 1)
		return false;
	if (name->len - at[0] > TOP_LONGEST) {
		size_t first = (size_t)((const char *)memchr(name->text, '.', name->len) - name->text);
		*out = (struct parts){.domain = name->text, .domain_len = first, .payload = name->len - first - 1};
		return true;
	}
	if (labels < 2)
		return false;
	size_t begins = at[1] + 4 >= at[0] && labels == 3 ? at[2] : at[1];
	*out = (struct parts){.domain = name->text + begins, .domain_len = name->len - begins, .payload = begins - 1};
	return name->len - at[0] != 4 || memcmp(name->text + at[0], "arpa", 4) != 0;
}

static bool
carries(const struct dns_name *name, unsigned type, const struct parts *p)
{
	const char *text = p->domain == name->text ? name->text + p->domain_len + 1 : name->text;
	uint32_t kinds[8] = {0};
	size_t longest = 0, hyphens = 0, count = 0;
	if (type == DNS_NULL || type >= TYPE_PRIVATE)
		return true;
	if (type == DNS_TXT && is_ticket(text, p->payload))
		return true;
	if (p->payload < LABEL_LONG)
		return false;
	for (size_t i = 0, label = 0; i < p->payload; i++) {
		const uint8_t c = (uint8_t)text[i];
		label = c == '.' ? 0 : label + 1;
		longest = label > longest ? label : longest;
		hyphens += c == '-';
		kinds[c >> 5] |= 1u << (c & 31);
	}
	for (size_t i = 0; i < 8; i++)
		count += (size_t)__builtin_popcount(kinds[i]);
	return longest >= LABEL_LONG && count >= KINDS_LEAST && hyphens <= p->payload / 16;
}

/*
 * A name that is only there to be asked for, so that the answer can carry something: of some letters, without the
 * underscores that mail's keys and policies have, and no address as block lists are asked for.
 */
static bool
is_ticket(const char *text, size_t len)
{
	size_t label = 0, digits = 0;
	while (label < len && text[label] != '.') {
		digits += text[label] >= '0' && text[label] <= '9';
		label++;
	}
	return label >= TICKET_LEAST && digits < label && memchr(text, '_', len) == NULL;
}

/* Was it not asked for of late? Of new ones some are taken for old. */
static bool
is_new(struct tally *t, const struct dns_name *name)
{
	const uint64_t hash = hash_stable(name->text, name->len);
	bool known = true;
	for (unsigned i = 0; i < 3; i++) {
		const unsigned bit = (unsigned)(hash >> 16 * i) % (NAMES_WORDS * 64);
		const uint64_t mask = UINT64_C(1) << bit % 64;
		known = known && (t->seen[bit / 64] & mask) != 0;
		t->seen[bit / 64] |= mask;
	}
	if (!known && ++t->held == NAMES_HELD) {
		memset(t->seen, 0, sizeof t->seen);
		t->held = 0;
	}
	return !known;
}

static bool
is_tunnel(const struct tally *t)
{
	return t->names >= NAMES_LEAST && t->up + t->down >= BYTES_LEAST &&
	       (t->up / t->names >= NAME_AVERAGE || (t->answers > 0 && t->down / t->answers >= ANSWER_AVERAGE));
}

static void
tell(struct session *s, const struct parts *p, const struct tally *t)
{
	session_unreadable(s, "DNS tunnel");
	session_detail(s, "tunnel.kind", "dns", 3);
	session_detail(s, "tunnel.domain", p->domain, p->domain_len);
	session_detail_number(s, "tunnel.names", t->names);
	session_detail_number(s, "tunnel.up_bytes", t->up);
	session_detail_number(s, "tunnel.down_bytes", t->down);
}
