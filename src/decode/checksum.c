#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/pages.h"
#include "decode/checksum.h"

enum {
	SENDERS_MAX = 65536,
	SLOT_BITS = 17, /* twice as many slots as senders */
	SLOT_COUNT = 1 << SLOT_BITS,
	SENDERS_OFFLOAD_LEAST = 3, /* wrong checksums before we speak of offload */
	WAITING = 16,              /* a power of two */
};

enum kind { KIND_IP_HEADER, KIND_TCP, KIND_UDP, KIND_OTHER, KINDS };

/* Small, so that many of them stay in the cache. Senders are told apart by a part of a keyed hash. */
struct sender {
	uint32_t tag;           /* 0: an empty slot */
	uint8_t wrong[KINDS];   /* SENDERS_OFFLOAD_LEAST: so many or more */
	int16_t surplus[KINDS]; /* right ones more than wrong ones; beyond its range it stands still */
};
_Static_assert(sizeof(struct sender) == 16, "four to a cache line");

/* Where a sender's slot is, or begins to be looked for. */
struct sender_key {
	uint32_t home, tag;
};

/* Right checksums of one sender that are still to be counted. */
struct right {
	struct addr addr;
	struct sender_key key;
	uint32_t kinds; /* a bit each; 0: nothing waits here */
};

/*
 * Nothing is judged by a right checksum, so it need not be counted at once: by the time that it is,
 * a few packets later or before the next wrong one, the slot is on its way from memory.
 */
struct senders {
	struct hash_fixed_key seed;
	struct sender *slots; /* open addressing */
	size_t count;
	struct right waiting[WAITING]; /* a ring */
	unsigned latest;               /* the place taken last, modulo WAITING */
	bool offload;
	bool merging; /* the capture was made where segments are merged */
};

static uint64_t word_at(const uint8_t *bytes);
static uint64_t checksum_rest(uint64_t sum, const uint8_t *bytes, size_t len);
static struct sender_key sender_key(const struct senders *s, const struct addr *src);
static struct sender *senders_of(struct senders *s, struct sender_key key);
static void senders_right(struct senders *s, const struct addr *src, enum kind kind);
static void senders_count(struct senders *s, struct right *right);
static void senders_count_all(struct senders *s);
static enum kind kind_of(uint8_t protocol);

uint64_t
checksum_add(uint64_t sum, const uint8_t *bytes, size_t len)
{
	/* Four sums that do not wait for each other are what keeps the processor busy. */
	uint64_t second = 0, third = 0, fourth = 0;
	for (; len >= 32; bytes += 32, len -= 32) {
		sum = checksum_plus(sum, word_at(bytes));
		second = checksum_plus(second, word_at(bytes + 8));
		third = checksum_plus(third, word_at(bytes + 16));
		fourth = checksum_plus(fourth, word_at(bytes + 24));
	}
	sum = checksum_plus(checksum_plus(sum, second), checksum_plus(third, fourth));
	for (; len >= 8; bytes += 8, len -= 8)
		sum = checksum_plus(sum, word_at(bytes));
	return len > 0 ? checksum_rest(sum, bytes, len) : sum;
}

static inline uint64_t
word_at(const uint8_t *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof word);
	return word;
}

/* Fewer than eight bytes. In which 16-bit column of the sum they come makes no difference. */
static uint64_t
checksum_rest(uint64_t sum, const uint8_t *bytes, size_t len)
{
	uint32_t four;
	uint16_t two;

	if ((len & 4) != 0) {
		memcpy(&four, bytes, sizeof four);
		sum = checksum_plus(sum, four);
		bytes += 4;
	}
	if ((len & 2) != 0) {
		memcpy(&two, bytes, sizeof two);
		sum = checksum_plus(sum, two);
		bytes += 2;
	}
	if ((len & 1) != 0) {
		const uint8_t last[2] = {bytes[0], 0};
		memcpy(&two, last, sizeof two);
		sum = checksum_plus(sum, two);
	}
	return sum;
}

uint64_t
checksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t protocol, uint32_t len)
{
	/*
	 * IPv4's pseudo header holds the same fields in less room, which sums up to the same: what
	 * stands before a mapped address is ffff, the other zero of ones' complement.
	 */
	uint64_t sum = (uint64_t)htonl(len) + htonl(protocol);
	sum = checksum_plus(sum, word_at(src->bytes));
	sum = checksum_plus(sum, word_at(src->bytes + 8));
	sum = checksum_plus(sum, word_at(dst->bytes));
	return checksum_plus(sum, word_at(dst->bytes + 8));
}

struct senders *
senders_create(void)
{
	struct senders *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->seed = hash_fixed_key_random();
	s->slots = pages_take(SLOT_COUNT * sizeof *s->slots);
	if (s->slots != NULL)
		return s;
	free(s);
	return NULL;
}

void
senders_destroy(struct senders *s)
{
	if (s == NULL)
		return;
	pages_give(s->slots, SLOT_COUNT * sizeof *s->slots);
	free(s);
}

enum checksum_judgement
senders_judge(struct senders *s, const struct addr *src, uint8_t protocol,
	enum checksum_finding finding, bool merged)
{
	enum kind kind = kind_of(protocol);

	if (finding == CHECKSUM_IS_RIGHT) {
		senders_right(s, src, kind);
		return CHECKSUM_RIGHT;
	}
	if (finding == CHECKSUM_IS_PARTIAL && merged)
		s->merging = true;
	if (finding == CHECKSUM_IS_PARTIAL && s->merging)
		return CHECKSUM_OFFLOADED;
	senders_count_all(s);
	struct sender *sender = senders_of(s, sender_key(s, src));
	if (sender->surplus[kind] > INT16_MIN)
		sender->surplus[kind]--;
	if (sender->wrong[kind] < SENDERS_OFFLOAD_LEAST)
		sender->wrong[kind]++;
	if (sender->surplus[kind] > 0)
		return CHECKSUM_WRONG;
	if (sender->wrong[kind] == SENDERS_OFFLOAD_LEAST && kind != KIND_IP_HEADER)
		s->offload = true;
	return CHECKSUM_OFFLOADED;
}

static struct sender_key
sender_key(const struct senders *s, const struct addr *src)
{
	const uint64_t hash = hash_fixed(&s->seed, src->bytes, sizeof src->bytes);
	const uint32_t tag = (uint32_t)hash;
	return (struct sender_key){.home = (uint32_t)(hash >> (64 - SLOT_BITS)), .tag = tag != 0 ? tag : 1};
}

/* Its slot. Who was not known gets one; when there are too many, all others are forgotten. */
static struct sender *
senders_of(struct senders *s, struct sender_key key)
{
	size_t at = key.home;

	for (; s->slots[at].tag != 0; at = (at + 1) % SLOT_COUNT)
		if (s->slots[at].tag == key.tag)
			return &s->slots[at];
	if (s->count == SENDERS_MAX) {
		memset(s->slots, 0, SLOT_COUNT * sizeof *s->slots);
		s->count = 0;
		at = key.home;
	}
	s->count++;
	s->slots[at].tag = key.tag;
	return &s->slots[at];
}

/* Puts it behind those that wait; one packet's IP header and transport share a place. */
static void
senders_right(struct senders *s, const struct addr *src, enum kind kind)
{
	struct right *right = &s->waiting[s->latest];

	if (right->kinds != 0 && (right->kinds >> kind & 1) == 0 && addr_equal(&right->addr, src)) {
		right->kinds |= 1u << kind;
		return;
	}
	s->latest = (s->latest + 1) % WAITING;
	right = &s->waiting[s->latest];
	senders_count(s, right);
	right->addr = *src;
	right->key = sender_key(s, src);
	right->kinds = 1u << kind;
	__builtin_prefetch(&s->slots[right->key.home], 1);
}

static void
senders_count(struct senders *s, struct right *right)
{
	if (right->kinds == 0)
		return;
	struct sender *sender = senders_of(s, right->key);
	for (unsigned kind = 0; kind < KINDS; kind++)
		if ((right->kinds >> kind & 1) != 0 && sender->surplus[kind] < INT16_MAX)
			sender->surplus[kind]++;
	right->kinds = 0;
}

static void
senders_count_all(struct senders *s)
{
	for (unsigned i = 1; i <= WAITING; i++)
		senders_count(s, &s->waiting[(s->latest + i) % WAITING]);
}

static enum kind
kind_of(uint8_t protocol)
{
	switch (protocol) {
	case SENDERS_IP_HEADER: return KIND_IP_HEADER;
	case IPPROTO_TCP: return KIND_TCP;
	case IPPROTO_UDP: return KIND_UDP;
	default: return KIND_OTHER;
	}
}

bool
senders_offload(const struct senders *s)
{
	return s->offload;
}
