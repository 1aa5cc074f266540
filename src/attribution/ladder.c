#include "config.h"

/* The confidence ladder: which row counts for an address at a time, how far it can be believed, and why. */

#include <string.h>

#include "attribution/snapshot.h"

/* What is held against the rows. */
struct question {
	struct attribution *a;
	struct addr addr; /* the IPv4 one, where an IPv6 one stands for it */
	const struct place *place;
	int64_t time;
	const struct exchange *exchange; /* NULL: only the address is known */
	const struct row *false_range;   /* the innermost known false range over it, or NULL */
};

static const struct row *find_false_range(const struct question *q, uint32_t node);
static const struct row *find_best(const struct question *q, uint32_t node, enum confidence *confidence);
static bool better(const struct row *x, enum confidence cx, const struct row *y, enum confidence cy);
static bool counts(const struct question *q, const struct row *r);
static enum confidence climb(const struct question *q, const struct row *r, struct listing *out);
static enum confidence climb_country(const struct question *q, const struct row *r, struct listing *out);
static enum confidence climb_exchange(const struct exchange *e, struct listing *out);
static bool capped_by_false_range(const struct question *q, const struct row *r);
static void compare_country(const struct question *q, const struct row *r, struct listing *out);
static bool has_no_ipv6(const char *jurisdiction);
static const char *says_country(struct attribution *a, const char *country);
static void reason(struct listing *out, const char *text);
static bool same_prefix(const struct addr *x, const struct addr *y, unsigned v4_bits, unsigned v6_bits);
static bool link_local(const struct addr *a);

bool
attribution_listed(const struct attribution *a, const struct addr *addr)
{
	struct addr real = place_embedded(addr);
	uint32_t node = prefix_table_find(a->table, &real);
	return node != PREFIX_NONE && a->nodes[node].listed;
}

void
attribution_listing(struct attribution *a, const struct addr *addr, const struct place *place, int64_t time,
        const struct exchange *exchange, struct listing *out)
{
	static const struct place nowhere;
	struct question q = {.a = a, .addr = place_embedded(addr), .time = time, .exchange = exchange};
	enum confidence confidence;
	q.place = place != NULL ? place : &nowhere;
	*out = (struct listing){0};
	uint32_t node = prefix_table_find(a->table, &q.addr);
	if (node == PREFIX_NONE || !a->nodes[node].listed)
		return;
	q.false_range = find_false_range(&q, node);
	const struct row *best = find_best(&q, node, &confidence);
	if (best == NULL)
		return;
	out->row = &best->listed;
	out->confidence = climb(&q, best, out);
}

bool
attribution_private_link(const struct attribution *a, const struct addr *x, const struct addr *y, uint16_t vlan)
{
	bool x_listed = attribution_listed(a, x), y_listed = attribution_listed(a, y);
	if (x_listed && y_listed) {
		bool one_network = prefix_table_find(a->table, x) == prefix_table_find(a->table, y);
		return same_prefix(x, y, 30, 126) || (vlan != 0 && one_network);
	}
	return (x_listed && link_local(y)) || (y_listed && link_local(x));
}

size_t
attribution_rows(const struct attribution *a, const struct addr *addr, const struct listing_row **out, size_t max)
{
	struct addr real = place_embedded(addr);
	uint32_t node = prefix_table_find(a->table, &real);
	size_t count = 0;
	for (; node != PREFIX_NONE; node = prefix_table_parent(a->table, node)) {
		const struct node *n = &a->nodes[node];
		for (size_t i = 0; i < n->count && count < max; i++)
			out[count++] = &n->row[i]->listed;
	}
	return count;
}

const char *
confidence_name(enum confidence c)
{
	switch (c) {
	case CONFIDENCE_NONE: return "none";
	case CONFIDENCE_INFO: return "info";
	case CONFIDENCE_LOW: return "low";
	case CONFIDENCE_MEDIUM: return "medium";
	case CONFIDENCE_HIGH: return "high";
	case CONFIDENCE_CONFIRMED: return "confirmed";
	}
	return "none";
}

/* The innermost one that is valid at the time. */
static const struct row *
find_false_range(const struct question *q, uint32_t node)
{
	for (; node != PREFIX_NONE; node = prefix_table_parent(q->a->table, node)) {
		const struct node *n = &q->a->nodes[node];
		for (size_t i = 0; i < n->count; i++) {
			const struct listing_row *r = &n->row[i]->listed;
			if (r->false_positive && q->time >= r->valid_from && q->time < r->valid_until)
				return n->row[i];
		}
	}
	return NULL;
}

static const struct row *
find_best(const struct question *q, uint32_t node, enum confidence *confidence)
{
	const struct row *best = NULL;
	*confidence = CONFIDENCE_NONE;
	for (; node != PREFIX_NONE; node = prefix_table_parent(q->a->table, node)) {
		const struct node *n = &q->a->nodes[node];
		for (size_t i = 0; i < n->count; i++) {
			if (!counts(q, n->row[i]))
				continue;
			enum confidence c = climb(q, n->row[i], NULL);
			if (best == NULL || better(n->row[i], c, best, *confidence)) {
				best = n->row[i];
				*confidence = c;
			}
		}
	}
	return best;
}

/* A network says more than its origin AS, and that more than a country database; else what came first stays. */
static bool
better(const struct row *x, enum confidence cx, const struct row *y, enum confidence cy)
{
	if (cx != cy)
		return cx > cy;
	return x->listed.basis < y->listed.basis;
}

/* A database that is overruled by another one does not count either. */
static bool
counts(const struct question *q, const struct row *r)
{
	const struct listing_row *l = &r->listed;
	if (l->false_positive || q->time < l->valid_from || q->time >= l->valid_until)
		return false;
	if (l->basis == LISTING_COUNTRY)
		return strcmp(q->place->country, l->jurisdiction) == 0;
	if (l->basis == LISTING_ASN)
		return q->place->asn == r->asn;
	return true;
}

/* The confidence; with out, also the reasons for and against. */
static enum confidence
climb(const struct question *q, const struct row *r, struct listing *out)
{
	enum confidence c = r->listed.confidence;
	reason(out, r->headline);
	if (r->listed.basis == LISTING_COUNTRY) {
		c = climb_country(q, r, out);
	} else {
		if (c == CONFIDENCE_CONFIRMED && q->exchange != NULL)
			c = climb_exchange(q->exchange, out);
		else if (r->listed.basis == LISTING_RANGE && c <= CONFIDENCE_MEDIUM)
			reason(out, "its list rates it no higher: a lead to follow, not proof");
		compare_country(q, r, out);
	}
	if (capped_by_false_range(q, r)) {
		c = CONFIDENCE_INFO;
		reason(out, q->false_range->headline);
	}
	if (q->exchange != NULL && q->exchange->private_link) {
		c = CONFIDENCE_INFO;
		reason(out, "likely a private link: both ends use addresses as example configurations have them, "
		            "and nothing between them was routed");
	}
	return c;
}

/* A label in a country database, by itself, is low; anything that speaks against it makes it information. */
static enum confidence
climb_country(const struct question *q, const struct row *r, struct listing *out)
{
	const struct place *p = q->place;
	enum confidence c = CONFIDENCE_LOW;
	reason(out, "no registry record supports it: only a country database says so");
	if (p->registered[0] != '\0' && strcmp(p->registered, r->listed.jurisdiction) != 0) {
		c = CONFIDENCE_INFO;
		reason(out, "the same database has the network registered in another country");
	}
	if (p->flags & PLACE_ANONYMOUS) {
		c = CONFIDENCE_INFO;
		reason(out, "a VPN, proxy or relay: such networks claim places where they are not");
	}
	if (p->flags & PLACE_ANYCAST) {
		c = CONFIDENCE_INFO;
		reason(out, "an anycast network: it has no one place");
	}
	if (!addr_is_v4(&q->addr) && has_no_ipv6(r->listed.jurisdiction)) {
		c = CONFIDENCE_INFO;
		reason(out, "no IPv6 network is allocated to this jurisdiction");
	}
	if (p->flags & PLACE_SATELLITE)
		reason(out, "a satellite network: its addresses tell little about a place");
	return c;
}

/* What was seen decides whether a listed range is confirmed: a sender's address alone can be forged. */
static enum confidence
climb_exchange(const struct exchange *e, struct listing *out)
{
	if ((e->handshake || e->two_way) && e->payload) {
		reason(out, e->handshake ? "the connection was established and payload moved"
		                         : "packets went both ways and payload moved");
		return CONFIDENCE_CONFIRMED;
	}
	if (!e->two_way && !e->handshake)
		reason(out, "seen in one direction only: a forged sender cannot be ruled out");
	else
		reason(out, "no payload moved");
	return CONFIDENCE_HIGH;
}

/*
 * A false range is about labels in databases, so it overrules those whatever their size. It overrules a listed
 * network only when it is the narrower statement, or an equal one of the same or a later list.
 */
static bool
capped_by_false_range(const struct question *q, const struct row *r)
{
	const struct row *f = q->false_range;
	if (f == NULL)
		return false;
	if (r->listed.basis != LISTING_RANGE || f->listed.bits > r->listed.bits)
		return true;
	return f->listed.bits == r->listed.bits && f->order >= r->order;
}

/* Agreement and disagreement of a country database are reasons, never a verdict. */
static void
compare_country(const struct question *q, const struct row *r, struct listing *out)
{
	if (out == NULL || q->place->country[0] == '\0')
		return;
	if (strcmp(q->place->country, r->listed.jurisdiction) == 0)
		reason(out, "the country database agrees");
	else
		reason(out, says_country(q->a, q->place->country));
}

/* Jurisdictions to which no registry has given an IPv6 network (delegated statistics, September 2025). */
static bool
has_no_ipv6(const char *jurisdiction)
{
	return strcmp(jurisdiction, "KP") == 0;
}

static const char *
says_country(struct attribution *a, const char *country)
{
	size_t index = (size_t)(country[0] - 'A') * 26 + (size_t)(country[1] - 'A');
	if (index >= COUNTRY_CODES)
		return NULL;
	if (a->says[index] == NULL)
		a->says[index] = arena_printf(&a->arena, "a country database says %s (%s)", country_name(country),
		        country);
	return a->says[index];
}

static void
reason(struct listing *out, const char *text)
{
	if (out != NULL && text != NULL && out->reason_count < LISTING_REASONS_MAX)
		out->reasons[out->reason_count++] = text;
}

static bool
same_prefix(const struct addr *x, const struct addr *y, unsigned v4_bits, unsigned v6_bits)
{
	return addr_is_v4(x) == addr_is_v4(y) && addr_within(x, y, addr_is_v4(y) ? v4_bits : v6_bits);
}

/* Never forwarded by a router. */
static bool
link_local(const struct addr *a)
{
	const uint8_t *b = a->bytes;
	if (addr_is_v4(a))
		return (b[12] == 169 && b[13] == 254) || (b[12] == 224 && b[13] == 0 && b[14] == 0) ||
		       addr_v4(a) == UINT32_MAX;
	return (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || (b[0] == 0xff && (b[1] & 0x0f) == 2);
}
