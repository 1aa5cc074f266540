#include "config.h"

#include "proto/classifier.h"

#include <netinet/in.h>
#include <stdlib.h>

enum {
	WORDS = sizeof(struct proto_set) / sizeof(uint64_t),
	TRANSPORTS_MAX = 8,
	BUCKETS = 256,
	HINTS_MAX = PROTO_NUMBER_MAX * PROTO_PORTS_MAX,
};

/* A port that protocols name. */
struct hint {
	uint16_t port;
	uint16_t next; /* in its bucket: index and 1; 0: the last */
	struct proto_set set;
};

struct classifier {
	struct {
		uint8_t number; /* IPPROTO_TCP, ... */
		struct proto_set set;
	} transport[TRANSPORTS_MAX];
	size_t transports;
	uint16_t bucket[BUCKETS]; /* index and 1; 0: empty */
	struct hint hint[HINTS_MAX];
	size_t hints;
};

static struct proto_set *transport_of(struct classifier *c, uint8_t transport);
static struct proto_set *hint_of(struct classifier *c, uint16_t port);
static const struct hint *hint_find(const struct classifier *c, uint16_t port);
static size_t bucket_of(uint16_t port);
static bool says_nothing(const struct probe *p);
static void split(const struct classifier *c, uint8_t transport, const struct proto_set *refused,
        const struct probe *p, struct proto_set *hinted, struct proto_set *others);
static enum verdict ask(const struct proto_set *set, const struct probe *p, unsigned *number);

struct classifier *
classifier_create(void)
{
	struct classifier *c = calloc(1, sizeof *c);
	for (unsigned n = 1; c != NULL && protos[n - 1] != NULL; n++) {
		const struct proto *proto = protos[n - 1];
		struct proto_set *transport = transport_of(c, proto->transport);
		if (transport == NULL) {
			free(c);
			return NULL;
		}
		proto_set_add(transport, n);
		for (size_t i = 0; i < PROTO_PORTS_MAX && proto->ports[i] != 0; i++)
			proto_set_add(hint_of(c, proto->ports[i]), n);
	}
	return c;
}

void
classifier_destroy(struct classifier *c)
{
	free(c);
}

enum verdict
classifier_choose(const struct classifier *c, uint8_t transport, const struct proto_set *refused,
        const struct probe *p, unsigned *number)
{
	struct proto_set hinted, others;
	split(c, transport, refused, p, &hinted, &others);
	const enum verdict likely = ask(&hinted, p, number);
	if (likely == VERDICT_DONE)
		return likely;
	const enum verdict v = ask(&others, p, number);
	return v == VERDICT_NOT_MINE ? likely : v;
}

/* Zeros, as a lone one that keeps a connection alive: the port would decide alone. */
static bool
says_nothing(const struct probe *p)
{
	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < p->len[side]; i++)
			if (p->bytes[side][i] != 0)
				return false;
	return true;
}

unsigned
classifier_likely(const struct classifier *c, uint8_t transport, const struct proto_set *refused,
        const struct probe *p)
{
	struct proto_set hinted, others;
	if (says_nothing(p))
		return 0;
	split(c, transport, refused, p, &hinted, &others);
	for (size_t w = 0; w < WORDS; w++)
		for (uint64_t left = hinted.bits[w]; left != 0; left &= left - 1) {
			const unsigned n = (unsigned)(w * 64) + (unsigned)__builtin_ctzll(left);
			if (protos[n - 1]->probe(p) == VERDICT_MORE)
				return n;
		}
	return 0;
}

/* Its protocols, none where it is new; NULL: no room. */
static struct proto_set *
transport_of(struct classifier *c, uint8_t transport)
{
	for (size_t i = 0; i < c->transports; i++)
		if (c->transport[i].number == transport)
			return &c->transport[i].set;
	if (c->transports == TRANSPORTS_MAX)
		return NULL;
	c->transport[c->transports].number = transport;
	return &c->transport[c->transports++].set;
}

static struct proto_set *
hint_of(struct classifier *c, uint16_t port)
{
	const struct hint *had = hint_find(c, port);
	if (had != NULL)
		return &c->hint[had - c->hint].set;
	struct hint *h = &c->hint[c->hints++];
	*h = (struct hint){.port = port, .next = c->bucket[bucket_of(port)]};
	c->bucket[bucket_of(port)] = (uint16_t)c->hints;
	return &h->set;
}

static const struct hint *
hint_find(const struct classifier *c, uint16_t port)
{
	for (size_t at = c->bucket[bucket_of(port)]; at != 0; at = c->hint[at - 1].next)
		if (c->hint[at - 1].port == port)
			return &c->hint[at - 1];
	return NULL;
}

static size_t
bucket_of(uint16_t port)
{
	return (port ^ port >> 8) % BUCKETS;
}

/* Who is asked: those whose port it is, and the others. */
static void
split(const struct classifier *c, uint8_t transport, const struct proto_set *refused,
        const struct probe *p, struct proto_set *hinted, struct proto_set *others)
{
	static const struct proto_set nobody;
	const struct hint *source = hint_find(c, p->port[SIDE_SOURCE]);
	const struct hint *destination = hint_find(c, p->port[SIDE_DESTINATION]);
	const struct proto_set *all = &nobody;
	for (size_t i = 0; i < c->transports; i++)
		if (c->transport[i].number == transport)
			all = &c->transport[i].set;
	for (size_t w = 0; w < WORDS; w++) {
		const uint64_t ports = (source != NULL ? source->set.bits[w] : 0) |
		                       (destination != NULL ? destination->set.bits[w] : 0);
		const uint64_t wanted = all->bits[w] & ~refused->bits[w];
		hinted->bits[w] = wanted & ports;
		others->bits[w] = wanted & ~ports;
	}
}

/* In the order of protos[], until one says yes. */
static enum verdict
ask(const struct proto_set *set, const struct probe *p, unsigned *number)
{
	enum verdict all = VERDICT_NOT_MINE;
	*number = 0;
	for (size_t w = 0; w < WORDS; w++)
		for (uint64_t left = set->bits[w]; left != 0; left &= left - 1) {
			const unsigned n = (unsigned)(w * 64) + (unsigned)__builtin_ctzll(left);
			const enum verdict v = protos[n - 1]->probe(p);
			if (v == VERDICT_DONE) {
				*number = n;
				return v;
			}
			if (v == VERDICT_MORE)
				all = v;
		}
	return all;
}
