#include "config.h"

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

static struct sender *sender_of(struct senders *s, const struct addr *src, uint8_t protocol);
static struct sender *sender_add(struct senders *s, const struct sender_key *key);
static void senders_forget(struct table *table);

uint64_t
checksum_add(uint64_t sum, const uint8_t *bytes, size_t len)
{
	/* Four independent sums of wide words are what keeps the processor busy; carries gather
	 * above. */
	uint64_t sums[4] = {0};
	for (; len >= sizeof sums; bytes += sizeof sums, len -= sizeof sums) {
		uint64_t words[4];
		memcpy(words, bytes, sizeof words);
		for (int i = 0; i < 4; i++)
			sums[i] += (words[i] & 0xffffffff) + (words[i] >> 32);
	}
	sum += sums[0] + sums[1] + sums[2] + sums[3];
	while (len >= 4) {
		uint32_t word;
		memcpy(&word, bytes, sizeof word);
		sum += word;
		bytes += 4;
		len -= 4;
	}
	if (len > 0) {
		uint8_t rest[4] = {0};
		memcpy(rest, bytes, len);
		uint32_t word;
		memcpy(&word, rest, sizeof word);
		sum += word;
	}
	return sum;
}

uint16_t
checksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

uint64_t
checksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t protocol, uint32_t len)
{
	/* IPv4's pseudo header holds the same fields in less room, which sums up to the same. */
	const uint8_t tail[8] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
		(uint8_t)len, [7] = protocol};
	size_t skip = addr_is_v4(src) && addr_is_v4(dst) ? 12 : 0;

	uint64_t sum = checksum_add(0, src->bytes + skip, sizeof src->bytes - skip);
	sum = checksum_add(sum, dst->bytes + skip, sizeof dst->bytes - skip);
	return checksum_add(sum, tail, sizeof tail);
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
