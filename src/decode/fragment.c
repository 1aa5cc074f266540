#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/table.h"
#include "decode/decode.h"
#include "decode/fragment.h"

enum {
	UNIT = 8, /* offsets count these */
	DATAGRAM_MAX = 65535,
	UNITS_MAX = (DATAGRAM_MAX + UNIT) / UNIT,
	DATAGRAM_ROOM = 4096, /* bytes of its first allocation */
};

#define TIMEOUT_V4     (30 * CLOCK_SECOND) /* RFC 791 section 3.2 says 15 s, systems take 30 */
#define TIMEOUT_V6     (60 * CLOCK_SECOND) /* RFC 8200 section 4.5 */

/* All that tells one datagram from another; no padding, as it is hashed as bytes. */
struct key {
	struct addr src, dst;
	uint32_t id;
	uint16_t vlan[2];
	uint8_t version;
	uint8_t protocol; /* IPv4 only (RFC 791); IPv6 may change it from fragment to fragment */
	uint8_t depth;
	uint8_t zero;
};

struct datagram {
	TAILQ_ENTRY(datagram) entry; /* oldest first */
	struct key key;
	int64_t deadline;
	uint8_t *bytes;
	size_t room;  /* allocated */
	size_t end;   /* of what is there so far */
	size_t total; /* 0: the last fragment was not seen */
	size_t units_there;
	uint64_t frames;
	uint64_t ip_bytes;
	uint8_t protocol;                   /* by the first fragment */
	uint8_t there[(UNITS_MAX + 7) / 8]; /* bitmap of units */
};

TAILQ_HEAD(datagram_list, datagram);

struct fragments {
	struct table *table;
	struct datagram_list list;
	size_t memory, limit;
	int64_t timeout; /* 0: by version */
	uint64_t incomplete, shed;
};

static struct key key_of(const struct packet *packet, const struct fragment *f);
static struct datagram *fragments_find(struct fragments *fs, const struct key *key, int64_t time);
static void fragments_remove(struct fragments *fs, struct datagram *d);
static void fragments_expire(struct fragments *fs, int64_t now);
static void fragments_make_room(struct fragments *fs, const struct datagram *keep);
static bool fragment_sane(const struct fragment *f, const struct part *p);
static bool datagram_fits(const struct datagram *d, const struct fragment *f, size_t end);
static int datagram_grow(struct fragments *fs, struct datagram *d, size_t end);
static void datagram_fill(
	struct datagram *d, size_t offset, const struct part *p, struct fragments_result *result);
static bool datagram_has(const struct datagram *d, size_t unit);
static bool datagram_whole(const struct datagram *d);

struct fragments *
fragments_create(size_t memory, int64_t timeout)
{
	struct fragments *fs = calloc(1, sizeof *fs);
	if (fs == NULL)
		return NULL;
	fs->table = table_create(0);
	if (fs->table == NULL) {
		free(fs);
		return NULL;
	}
	TAILQ_INIT(&fs->list);
	fs->limit = memory != 0 ? memory : FRAGMENT_MEMORY_DEFAULT;
	fs->timeout = timeout;
	return fs;
}

void
fragments_destroy(struct fragments *fs)
{
	if (fs == NULL)
		return;
	struct datagram *d;
	while ((d = TAILQ_FIRST(&fs->list)) != NULL) {
		fragments_remove(fs, d);
		datagram_destroy(d);
	}
	table_destroy(fs->table);
	free(fs);
}

void
fragments_add(struct fragments *fs, const struct packet *packet, const struct fragment *f,
	const struct part *p, struct fragments_result *result)
{
	fragments_expire(fs, packet->time);
	if (!fragment_sane(f, p)) {
		result->malformed = true;
		return;
	}
	struct key key = key_of(packet, f);
	struct datagram *d = fragments_find(fs, &key, packet->time);
	size_t end = f->offset + p->r.left;
	if (d == NULL || datagram_grow(fs, d, end) < 0) {
		fs->shed++;
		return;
	}
	if (!datagram_fits(d, f, end)) {
		result->malformed = true;
		return;
	}
	if (!f->more)
		d->total = end;
	if (f->offset == 0)
		d->protocol = f->protocol;
	datagram_fill(d, f->offset, p, result);
	d->frames++;
	d->ip_bytes += packet->ip_bytes;
	if (datagram_whole(d)) {
		fragments_remove(fs, d);
		result->whole = d;
	} else {
		fragments_make_room(fs, d);
	}
}

/*
 * All but the last fragment are multiples of eight bytes; none reaches beyond the longest datagram.
 */
static bool
fragment_sane(const struct fragment *f, const struct part *p)
{
	size_t len = p->r.left;
	return len > 0 && (!f->more || len % UNIT == 0) && f->offset + len <= DATAGRAM_MAX;
}

static struct key
key_of(const struct packet *packet, const struct fragment *f)
{
	return (struct key){
		.src = packet->src,
		.dst = packet->dst,
		.id = f->id,
		.vlan = {packet->vlan[0], packet->vlan[1]},
		.version = packet->ip_version,
		.protocol = packet->ip_version == 4 ? f->protocol : 0,
		.depth = packet->depth,
	};
}

/* The datagram of this key, begun where there is none. NULL: out of memory. */
static struct datagram *
fragments_find(struct fragments *fs, const struct key *key, int64_t time)
{
	struct datagram *d = table_get(fs->table, key, sizeof *key);
	if (d != NULL)
		return d;
	d = calloc(1, sizeof *d);
	if (d == NULL || table_put(fs->table, key, sizeof *key, d, NULL) < 0) {
		free(d);
		return NULL;
	}
	int64_t timeout = fs->timeout != 0    ? fs->timeout
			  : key->version == 4 ? TIMEOUT_V4
					      : TIMEOUT_V6;
	d->key = *key;
	d->deadline = time + timeout;
	TAILQ_INSERT_TAIL(&fs->list, d, entry);
	fs->memory += sizeof *d;
	return d;
}

static void
fragments_remove(struct fragments *fs, struct datagram *d)
{
	table_remove(fs->table, &d->key, sizeof d->key);
	TAILQ_REMOVE(&fs->list, d, entry);
	fs->memory -= sizeof *d + d->room;
}

/* Time may run backwards in a capture, so the list is only nearly in the order of deadlines. */
static void
fragments_expire(struct fragments *fs, int64_t now)
{
	struct datagram *d;
	while ((d = TAILQ_FIRST(&fs->list)) != NULL && d->deadline < now) {
		fs->incomplete += d->frames;
		fragments_remove(fs, d);
		datagram_destroy(d);
	}
}

static void
fragments_make_room(struct fragments *fs, const struct datagram *keep)
{
	while (fs->memory > fs->limit) {
		struct datagram *d = TAILQ_FIRST(&fs->list);
		if (d == keep)
			d = TAILQ_NEXT(d, entry);
		if (d == NULL)
			return;
		fs->shed += d->frames;
		fragments_remove(fs, d);
		datagram_destroy(d);
	}
}

/* Does the fragment agree with what is known of the datagram's length? */
static bool
datagram_fits(const struct datagram *d, const struct fragment *f, size_t end)
{
	if (d->total != 0)
		return f->more ? end <= d->total : end == d->total;
	return f->more || end >= d->end;
}

static int
datagram_grow(struct fragments *fs, struct datagram *d, size_t end)
{
	if (end <= d->room)
		return 0;
	size_t room = d->room == 0 ? DATAGRAM_ROOM : d->room;
	while (room < end)
		room *= 2;
	uint8_t *bytes = realloc(d->bytes, room);
	if (bytes == NULL)
		return -1;
	memset(bytes + d->room, 0, room - d->room);
	fs->memory += room - d->room;
	d->bytes = bytes;
	d->room = room;
	return 0;
}

/* Copies the units that are not there yet and compares those that are. */
static void
datagram_fill(
	struct datagram *d, size_t offset, const struct part *p, struct fragments_result *result)
{
	size_t len = p->r.left;

	for (size_t done = 0; done < len; done += UNIT) {
		size_t at = offset + done;
		size_t want = len - done < UNIT ? len - done : UNIT;
		if (datagram_has(d, at / UNIT)) {
			result->overlap = true;
			if (memcmp(d->bytes + at, p->r.next + done, want) != 0)
				result->conflict = true;
			continue;
		}
		memcpy(d->bytes + at, p->r.next + done, want);
		d->there[at / UNIT / 8] |= (uint8_t)(1u << (at / UNIT % 8));
		d->units_there++;
	}
	if (offset + len > d->end)
		d->end = offset + len;
}

static bool
datagram_has(const struct datagram *d, size_t unit)
{
	return (d->there[unit / 8] >> (unit % 8) & 1) != 0;
}

static bool
datagram_whole(const struct datagram *d)
{
	return d->total != 0 && d->units_there == (d->total + UNIT - 1) / UNIT;
}

void
datagram_destroy(struct datagram *d)
{
	if (d == NULL)
		return;
	free(d->bytes);
	free(d);
}

uint8_t
datagram_protocol(const struct datagram *d)
{
	return d->protocol;
}

uint8_t
datagram_frames(const struct datagram *d)
{
	return d->frames < UINT8_MAX ? (uint8_t)d->frames : UINT8_MAX;
}

uint32_t
datagram_ip_bytes(const struct datagram *d)
{
	return d->ip_bytes < UINT32_MAX ? (uint32_t)d->ip_bytes : UINT32_MAX;
}

void
datagram_view(const struct datagram *d, struct part *out)
{
	out->r = reader_init(d->bytes, d->total);
	out->cut = 0;
}

uint64_t
fragments_incomplete(const struct fragments *fs)
{
	uint64_t count = fs->incomplete;
	struct datagram *d;

	TAILQ_FOREACH(d, &fs->list, entry)
	count += d->frames;
	return count;
}

uint64_t
fragments_shed(const struct fragments *fs)
{
	return fs->shed;
}
