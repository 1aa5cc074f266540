#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "decode/checksum.h"

enum {
	SENDERS_MAX = 65536,
	SENDERS_RECENT = 64,       /* a power of two */
	SENDERS_OFFLOAD_LEAST = 3, /* wrong checksums before we speak of offload */
};

/* Who sent, by which protocol; no padding, as it is hashed as bytes. */
struct sender_key {
	struct addr addr;
	uint8_t protocol;
};

struct sender {
	struct sender_key key;
	uint32_t right, wrong;
};

struct senders {
	struct table *table;
	struct sender *recent[SENDERS_RECENT]; /* who sent lately, most often those who send now */
	bool offload;
	bool merging; /* the capture was made where segments are merged */
};

static uint64_t word_at(const uint8_t *bytes);
static uint64_t checksum_rest(uint64_t sum, const uint8_t *bytes, size_t len);
static struct sender *sender_of(struct senders *s, const struct addr *src, uint8_t protocol);
static struct sender *sender_add(struct senders *s, const struct sender_key *key);
static void senders_forget(struct table *table);

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
	s->table = table_create(SENDERS_MAX);
	if (s->table == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

void
senders_destroy(struct senders *s)
{
	if (s == NULL)
		return;
	senders_forget(s->table);
	free(s);
}

enum checksum_judgement
senders_judge(struct senders *s, const struct addr *src, uint8_t protocol,
	enum checksum_finding finding, bool merged)
{
	struct sender *sender = sender_of(s, src, protocol);

	if (sender == NULL)
		return finding == CHECKSUM_IS_RIGHT ? CHECKSUM_RIGHT : CHECKSUM_OFFLOADED;
	if (finding == CHECKSUM_IS_RIGHT) {
		sender->right++;
		return CHECKSUM_RIGHT;
	}
	if (finding == CHECKSUM_IS_PARTIAL && merged)
		s->merging = true;
	if (finding == CHECKSUM_IS_PARTIAL && s->merging)
		return CHECKSUM_OFFLOADED;
	sender->wrong++;
	if (sender->right > sender->wrong)
		return CHECKSUM_WRONG;
	if (sender->wrong >= SENDERS_OFFLOAD_LEAST && protocol != SENDERS_IP_HEADER)
		s->offload = true;
	return CHECKSUM_OFFLOADED;
}

static struct sender *
sender_of(struct senders *s, const struct addr *src, uint8_t protocol)
{
	const struct sender_key key = {.addr = *src, .protocol = protocol};

	struct sender **recent =
		&s->recent[(src->bytes[15] ^ src->bytes[14] ^ protocol) % SENDERS_RECENT];
	if (*recent != NULL && memcmp(&(*recent)->key, &key, sizeof key) == 0)
		return *recent;
	struct sender *sender = table_get(s->table, &key, sizeof key);
	if (sender == NULL)
		sender = sender_add(s, &key);
	*recent = sender;
	return sender;
}

/* NULL: out of memory. */
static struct sender *
sender_add(struct senders *s, const struct sender_key *key)
{
	if (table_count(s->table) == SENDERS_MAX) {
		struct table *fresh = table_create(SENDERS_MAX);
		if (fresh == NULL)
			return NULL;
		senders_forget(s->table);
		s->table = fresh;
		memset(s->recent, 0, sizeof s->recent);
	}
	struct sender *sender = calloc(1, sizeof *sender);
	if (sender == NULL || table_put(s->table, key, sizeof *key, sender, NULL) < 0) {
		free(sender);
		return NULL;
	}
	sender->key = *key;
	return sender;
}

static void
senders_forget(struct table *table)
{
	size_t cursor = 0;
	struct sender *sender;

	while ((sender = table_next(table, &cursor, NULL, NULL)) != NULL)
		free(sender);
	table_destroy(table);
}

bool
senders_offload(const struct senders *s)
{
	return s->offload;
}
