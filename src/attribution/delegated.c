#include "config.h"

/*
 * RIR statistics, "delegated" and "delegated-extended": registry|cc|type|start|value|date|status[|opaque-id]. What is
 * wanted are a country's networks and AS numbers, and what its holders have under another country. The
 * country is where a resource was first delegated, which is a registry's word and no proof of where it is used.
 */

#include "attribution/list.h"

#include <stdio.h>
#include <string.h>

#include "base/table.h"

enum field {
	REGISTRY,
	COUNTRY,
	TYPE,
	START,
	VALUE,
	DATE,
	STATUS,
	HOLDER,
	FIELDS,
};

enum {
	FIELDS_LEAST = STATUS + 1,
	HOLDERS_MAX = 100 * 1000,
	ASN_RUN_MAX = 65536, /* AS numbers in one row */
};

struct reading {
	struct list *list;
	struct table *holders; /* registry|opaque-id of holders in a wanted country > its code */
	char *field[FIELDS];
	int fields;
	const char *jurisdiction;
	bool by_holder;
};

static int collect_holders(struct reading *d, const char *text);
static int read_line(struct reading *d, char *line, size_t number);
static int take_ipv4(struct reading *d, size_t number);
static int take_ipv6(struct reading *d, size_t number);
static int take_asn(struct reading *d, size_t number);
static int take_block(void *ctx, const struct addr *network, unsigned bits);
static bool split(struct reading *d, char *line);
static bool delegated_status(const char *status);
static const char *wanted_country(const struct list *l, const char *country, size_t len);
static const char *origin_text(struct reading *d);

int
delegated_read(struct list *l, char *text)
{
	struct reading d = {.list = l, .holders = table_create(HOLDERS_MAX)};
	int result = -1;
	if (d.holders == NULL || collect_holders(&d, text) < 0)
		goto done;
	size_t number = 0;
	for (char *line; (line = list_line(&text, &number)) != NULL;) {
		if (*line != '\0' && *line != '#' && read_line(&d, line, number) < 0)
			goto done;
	}
	result = 0;
done:
	table_destroy(d.holders);
	return result;
}

int
delegated_blocks(uint32_t first, uint64_t count, delegated_block_fn *fn, void *ctx)
{
	uint64_t at = first;
	if (count == 0 || at + count > UINT64_C(1) << 32)
		return -1;
	while (count > 0) {
		unsigned bits = 32;
		/* As wide as the start is aligned, and as there are addresses left. */
		while (bits > 0 && at % (UINT64_C(1) << (33 - bits)) == 0 && count >= UINT64_C(1) << (33 - bits))
			bits--;
		uint8_t bytes[4] = {(uint8_t)(at >> 24), (uint8_t)(at >> 16), (uint8_t)(at >> 8), (uint8_t)at};
		struct addr network = addr_from_v4(bytes);
		if (fn(ctx, &network, bits) < 0)
			return -1;
		at += UINT64_C(1) << (32 - bits);
		count -= UINT64_C(1) << (32 - bits);
	}
	return 0;
}

/* First pass: who holds anything in a wanted country. The text stays whole. */
static int
collect_holders(struct reading *d, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *at = text, *bar[FIELDS - 1], *end = text + len;
		size_t bars = 0;
		while (bars < FIELDS - 1 && (at = memchr(at, '|', (size_t)(end - at))) != NULL)
			bar[bars++] = at++;
		if (bars == FIELDS - 1) {
			const char *cc = wanted_country(d->list, bar[0] + 1, (size_t)(bar[1] - bar[0] - 1));
			const char *id = bar[HOLDER - 1] + 1;
			size_t id_len = strcspn(id, "|\r\n");
			char key[128];
			size_t registry = (size_t)(bar[0] - text);
			if (cc != NULL && id_len > 0 && registry + id_len < sizeof key) {
				memcpy(key, text, registry);
				memcpy(key + registry, id, id_len);
				/* A full table keeps what it has: rows by country do not need it. */
				(void)table_put(d->holders, key, registry + id_len, (void *)(uintptr_t)cc, NULL);
			}
		}
		text += len + (text[len] == '\n');
	}
	return 0;
}

static int
read_line(struct reading *d, char *line, size_t number)
{
	struct list *l = d->list;
	if (!split(d, line)) {
		list_bad(l, number, "not registry|cc|type|start|value|date|status", line);
		return 0;
	}
	/* The version line and the summaries. */
	if (d->field[REGISTRY][strspn(d->field[REGISTRY], "0123456789.")] == '\0' ||
	        strcmp(d->field[COUNTRY], "*") == 0 || !delegated_status(d->field[STATUS]))
		return 0;

	d->jurisdiction = wanted_country(l, d->field[COUNTRY], strlen(d->field[COUNTRY]));
	d->by_holder = d->jurisdiction == NULL;
	if (d->by_holder && d->fields > HOLDER) {
		char key[128];
		size_t registry = strlen(d->field[REGISTRY]), id = strlen(d->field[HOLDER]);
		if (registry + id < sizeof key) {
			memcpy(key, d->field[REGISTRY], registry);
			memcpy(key + registry, d->field[HOLDER], id);
			d->jurisdiction = table_get(d->holders, key, registry + id);
		}
	}
	if (d->jurisdiction == NULL)
		return 0;
	if (strcmp(d->field[TYPE], "ipv4") == 0)
		return take_ipv4(d, number);
	if (strcmp(d->field[TYPE], "ipv6") == 0)
		return take_ipv6(d, number);
	if (strcmp(d->field[TYPE], "asn") == 0)
		return take_asn(d, number);
	list_bad(l, number, "neither ipv4, ipv6 nor asn", d->field[TYPE]);
	return 0;
}

static int
take_ipv4(struct reading *d, size_t number)
{
	struct addr first;
	uint64_t count;
	const char *value = d->field[VALUE];
	if (addr_parse(d->field[START], &first) < 0 || !addr_is_v4(&first) ||
	        text_to_u64(value, strlen(value), &count) < 0 || count == 0 || count > UINT32_MAX ||
	        addr_v4(&first) + count > UINT64_C(1) << 32) {
		list_bad(d->list, number, "not an IPv4 range", d->field[START]);
		return 0;
	}
	return delegated_blocks(addr_v4(&first), count, take_block, d);
}

static int
take_ipv6(struct reading *d, size_t number)
{
	struct addr network;
	uint64_t bits;
	char text[ADDR_TEXT_MAX + 8];
	const char *value = d->field[VALUE], *wrong = "not an IPv6 network";
	unsigned parsed = 0;
	if (text_to_u64(value, strlen(value), &bits) == 0 && bits <= 128 &&
	        strlen(d->field[START]) < ADDR_TEXT_MAX && strchr(d->field[START], ':') != NULL) {
		snprintf(text, sizeof text, "%s/%u", d->field[START], (unsigned)bits);
		wrong = rows_parse_network(text, &network, &parsed);
	}
	if (wrong != NULL) {
		list_bad(d->list, number, wrong, d->field[START]);
		return 0;
	}
	return take_block(d, &network, parsed);
}

/* Only a holder's own country makes an AS number count: a carrier has many, and customers behind each. */
static int
take_asn(struct reading *d, size_t number)
{
	uint64_t first, count;
	const char *start = d->field[START], *value = d->field[VALUE];
	if (d->by_holder)
		return 0;
	if (text_to_u64(start, strlen(start), &first) < 0 || text_to_u64(value, strlen(value), &count) < 0 ||
	        first == 0 || first > UINT32_MAX || count > ASN_RUN_MAX || first + count > UINT64_C(1) << 32) {
		list_bad(d->list, number, "not a run of AS numbers", start);
		return 0;
	}
	const char *source = origin_text(d);
	for (uint64_t i = 0; i < count; i++) {
		uint32_t asn = (uint32_t)(first + i);
		if (source == NULL || origins_add(d->list->origins, asn, d->jurisdiction, source) < 0)
			return -1;
	}
	d->list->taken++;
	return 0;
}

static int
take_block(void *ctx, const struct addr *network, unsigned bits)
{
	struct reading *d = ctx;
	struct list *l = d->list;
	struct row *row = rows_add(l->rows, network, bits);
	if (row == NULL)
		return -1;
	row->order = l->order;
	row->listed.jurisdiction = d->jurisdiction;
	row->listed.confidence = l->confidence;
	if (l->confidence == CONFIDENCE_NONE)
		row->listed.confidence = d->by_holder ? CONFIDENCE_MEDIUM : CONFIDENCE_CONFIRMED;
	if (d->fields > HOLDER && *d->field[HOLDER] != '\0')
		row->listed.holder = arena_printf(l->rows->arena, "holder %s", d->field[HOLDER]);
	row->listed.source = origin_text(d);
	row->listed.list = l->name;
	row->listed.list_digest = l->digest;
	l->taken++;
	return row->listed.source != NULL ? 0 : -1;
}

static bool
split(struct reading *d, char *line)
{
	d->fields = 0;
	while (d->fields < FIELDS) {
		d->field[d->fields++] = line;
		line = strchr(line, '|');
		if (line == NULL)
			break;
		*line++ = '\0';
	}
	/* A summary line has one field less. */
	if (d->fields == FIELDS_LEAST - 1 && strcmp(d->field[COUNTRY], "*") == 0) {
		static char empty[1];
		d->field[d->fields++] = empty;
	}
	return d->fields >= FIELDS_LEAST;
}

/* "available" and "reserved" space is nobody's. */
static bool
delegated_status(const char *status)
{
	return strcmp(status, "allocated") == 0 || strcmp(status, "assigned") == 0;
}

/* The code as it lives in the configuration, or NULL. */
static const char *
wanted_country(const struct list *l, const char *country, size_t len)
{
	size_t count = l->jurisdiction != NULL ? 1 : l->wanted_count;
	for (size_t i = 0; i < count; i++) {
		const char *code = l->jurisdiction != NULL ? l->jurisdiction : l->wanted[i];
		if (strlen(code) == len && memcmp(code, country, len) == 0)
			return code;
	}
	return NULL;
}

static const char *
origin_text(struct reading *d)
{
	return arena_printf(d->list->rows->arena, "%s statistics: %s %s %s, %s %s%s", d->field[REGISTRY],
	        d->field[TYPE], d->field[START], *d->field[COUNTRY] != '\0' ? d->field[COUNTRY] : "no country",
	        d->field[STATUS], d->field[DATE],
	        d->by_holder ? ", held by a holder of the listed country" : "");
}
