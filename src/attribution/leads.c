#include "config.h"

#include "attribution/leads.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "base/text.h"

enum {
	CLIENTS_MAX = 4096,
	CONTACTS_MAX = 4,        /* services that one client is in touch with */
	GOING_ON_MAX = 8,        /* flows of one of them that have not ended */
	BULK_MAX = 8,            /* flows of one client that wait for a lead */
	BULK_BYTES = 64 * 1024,  /* what makes a transfer of a flow that can't be read */
};

/* Before bulk begins; programs that ask for a place to put a file begin to at once, people take their time. */
static const int64_t window = 120 * CLOCK_SECOND;

struct going_on {
	char flow[RECORD_ID_MAX]; /* empty: none */
};

/* A time in which a client was in touch with a service, without a pause longer than the window. */
struct contact {
	const struct service_row *row; /* NULL: none */
	int64_t first, last;
	struct going_on going_on[GOING_ON_MAX];
};

struct client {
	struct contact contact[CONTACTS_MAX];
	int64_t blind_until; /* what began before may have been led by somebody who was forgotten */
};

/* Where bulk goes: to a store, or, store NULL, to a port. */
struct target {
	const struct service_row *store;
	uint8_t transport;
	uint16_t port;
};

struct bulk {
	char flow[RECORD_ID_MAX]; /* empty: none */
	const struct service_row *store;
	int64_t start;
};

struct stores { /* of one client */
	struct bulk bulk[BULK_MAX];
	size_t next; /* to be overwritten */
};

struct leads {
	struct table *clients, *stores; /* by address */
	uint64_t forgotten;
	struct service_led led[BULK_MAX];
};

static bool is_contact(const struct flow_record *r);
static bool is_bulk(const struct flow_record *r);
static bool is_unknown_bulk(const struct flow_record *r);
static bool goes_to(const struct service_row *row, const struct target *to);
static bool is_port(const char *word, size_t len, const struct target *to);
static bool is_at(const struct contact *c, int64_t when);
static bool is_going_on(const struct contact *c);
static const struct contact *only_contact(const struct client *c, const struct target *to, int64_t when);
static void note_contact(struct leads *l, const struct flow_record *r, bool ended);
static struct contact *contact_for(struct leads *l, struct client *c, const struct flow_record *r);
static bool is_older(const struct contact *a, const struct contact *b);
static void contact_extend(struct contact *c, const struct flow_record *r);
static void contact_keep(struct contact *c, const char *flow, bool ended);
static void note_bulk(struct leads *l, const struct flow_record *r);
static void take_led(struct leads *l, struct flow_record *r);
static void *entry(struct leads *l, struct table *t, const struct addr *client, size_t size);
static void table_free(struct table *t);

struct leads *
leads_create(void)
{
	struct leads *l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	l->clients = table_create(CLIENTS_MAX);
	l->stores = table_create(CLIENTS_MAX);
	if (l->clients != NULL && l->stores != NULL)
		return l;
	leads_destroy(l);
	return NULL;
}

void
leads_destroy(struct leads *l)
{
	if (l == NULL)
		return;
	table_free(l->clients);
	table_free(l->stores);
	free(l);
}

void
leads_find(struct leads *l, struct flow_record *r)
{
	const struct target to = {.store = r->service.row, .transport = r->transport, .port = r->side[SIDE_DESTINATION].port};
	const struct client *c = NULL;
	if (is_bulk(r) || is_unknown_bulk(r))
		c = table_get(l->clients, &r->side[SIDE_SOURCE].addr, sizeof(struct addr));
	const struct contact *only = c != NULL ? only_contact(c, &to, r->start) : NULL;
	if (only == NULL)
		return;
	const bool still = is_going_on(only) || only->last >= r->start;
	r->service.lead = (struct service_lead){.row = only->row, .before = still ? 0 : r->start - only->last,
	        .by_port = to.store == NULL};
}

void
leads_note(struct leads *l, struct flow_record *r, bool ended)
{
	if (is_contact(r)) {
		note_contact(l, r, ended);
		if (ended)
			take_led(l, r);
	} else if (ended && is_bulk(r) && r->service.lead.row == NULL) {
		note_bulk(l, r);
	}
}

void
leads_renew(struct leads *l, const struct attribution *a)
{
	size_t at = 0;
	struct client *c;
	struct stores *s;
	while ((c = table_next(l->clients, &at, NULL, NULL)) != NULL)
		for (size_t i = 0; i < CONTACTS_MAX; i++)
			if (c->contact[i].row != NULL)
				c->contact[i].row = attribution_service_of_name(a, c->contact[i].row->match, strlen(c->contact[i].row->match));
	at = 0;
	while ((s = table_next(l->stores, &at, NULL, NULL)) != NULL)
		for (size_t i = 0; i < BULK_MAX; i++) {
			struct bulk *b = &s->bulk[i];
			if (b->store != NULL)
				b->store = attribution_service_of_name(a, b->store->match, strlen(b->store->match));
			if (b->store == NULL)
				b->flow[0] = '\0';
		}
}

uint64_t
leads_forgotten(const struct leads *l)
{
	return l->forgotten;
}

/* A name that the client itself gave or was given, of a service that leads, and not by a row that is a lead itself. */
static bool
is_contact(const struct flow_record *r)
{
	const struct service *s = &r->service;
	return s->row != NULL && s->row->bulk != NULL && s->row->by == SERVICE_NAME && s->side == SIDE_DESTINATION &&
	       s->basis != NAME_DNS_OTHER && s->row->confidence >= CONFIDENCE_MEDIUM && r->side[SIDE_DESTINATION].payload > 0;
}

static bool
is_bulk(const struct flow_record *r)
{
	static const char kind[] = "object-storage";
	const struct service *s = &r->service;
	return s->row != NULL && s->row->bulk == NULL && s->row->by == SERVICE_NAME && s->side == SIDE_DESTINATION &&
	       strncmp(s->row->kind, kind, sizeof kind - 1) == 0 &&
	       r->side[SIDE_SOURCE].payload + r->side[SIDE_DESTINATION].payload >= BULK_BYTES;
}

/* What can't be read, between ends of which nothing else tells whose they are. */
static bool
is_unknown_bulk(const struct flow_record *r)
{
	const char *protocol = r->facts->protocol;
	return r->service.row == NULL && r->name.text == NULL &&
	       (protocol == NULL || strcmp(protocol, "tls") == 0 || strcmp(protocol, "dtls") == 0) &&
	       r->side[SIDE_SOURCE].payload + r->side[SIDE_DESTINATION].payload >= BULK_BYTES;
}

/* Is the store, its kind, or the port one of the words? */
static bool
goes_to(const struct service_row *row, const struct target *to)
{
	const struct service_row *store = to->store;
	const char *words = row->bulk;
	while (words != NULL && *words != '\0') {
		const size_t n = strcspn(words, " ");
		if (store == NULL ? is_port(words, n, to)
		                  : (strlen(store->name) == n && memcmp(words, store->name, n) == 0) ||
		                            (strlen(store->kind) == n && memcmp(words, store->kind, n) == 0))
			return true;
		words += n + strspn(words + n, " ");
	}
	return false;
}

/* "udp/49221" */
static bool
is_port(const char *word, size_t len, const struct target *to)
{
	uint64_t port;
	return len > 4 && memcmp(word, to->transport == IPPROTO_UDP ? "udp/" : "tcp/", 4) == 0 &&
	       (to->transport == IPPROTO_UDP || to->transport == IPPROTO_TCP) &&
	       text_to_u64(word + 4, len - 4, &port) == 0 && port == to->port;
}

/* Was it at that time, or not long before? */
static bool
is_at(const struct contact *c, int64_t when)
{
	return c->row != NULL && c->first <= when && (is_going_on(c) || c->last >= when - window);
}

static bool
is_going_on(const struct contact *c)
{
	for (size_t i = 0; i < GOING_ON_MAX; i++)
		if (c->going_on[i].flow[0] != '\0')
			return true;
	return false;
}

/* The one that could have led there; NULL: nobody, or several. */
static const struct contact *
only_contact(const struct client *c, const struct target *to, int64_t when)
{
	const struct contact *only = NULL;
	if (when < c->blind_until)
		return NULL;
	for (size_t i = 0; i < CONTACTS_MAX; i++) {
		if (!is_at(&c->contact[i], when) || !goes_to(c->contact[i].row, to))
			continue;
		if (only != NULL)
			return NULL;
		only = &c->contact[i];
	}
	return only;
}

/* ---- what is kept in mind ---- */

static void
note_contact(struct leads *l, const struct flow_record *r, bool ended)
{
	struct client *c = entry(l, l->clients, &r->side[SIDE_SOURCE].addr, sizeof *c);
	struct contact *contact = c != NULL ? contact_for(l, c, r) : NULL;
	if (contact == NULL)
		return;
	contact_extend(contact, r);
	contact_keep(contact, r->id, ended);
}

/* Rows of one service are one contact. At the limit one makes room, and nobody leads until it can't have. */
static struct contact *
contact_for(struct leads *l, struct client *c, const struct flow_record *r)
{
	struct contact *room = &c->contact[0];
	for (size_t i = 0; i < CONTACTS_MAX; i++) {
		struct contact *at = &c->contact[i];
		if (at->row != NULL && strcmp(at->row->name, r->service.row->name) == 0)
			return at;
		if (is_older(at, room))
			room = at;
	}
	if (room->row != NULL) {
		const int64_t until = is_going_on(room) ? INT64_MAX : room->last + window;
		c->blind_until = until > c->blind_until ? until : c->blind_until;
		l->forgotten++;
	}
	*room = (struct contact){.row = r->service.row, .first = r->start, .last = r->end};
	return room;
}

/* Is a of less use than b? */
static bool
is_older(const struct contact *a, const struct contact *b)
{
	if (a->row == NULL || b->row == NULL)
		return a->row == NULL && b->row != NULL;
	if (is_going_on(a) != is_going_on(b))
		return !is_going_on(a);
	return a->last < b->last;
}

/* After a pause it is another one. One that was before the pause is of no more use. */
static void
contact_extend(struct contact *c, const struct flow_record *r)
{
	if (is_going_on(c) || (r->start <= c->last + window && r->end >= c->first - window)) {
		c->first = r->start < c->first ? r->start : c->first;
		c->last = r->end > c->last ? r->end : c->last;
	} else if (r->start > c->last) {
		c->first = r->start;
		c->last = r->end;
	}
	c->row = r->service.row;
}

/* Flows that go on and find no room are in mind until they are next told. */
static void
contact_keep(struct contact *c, const char *flow, bool ended)
{
	struct going_on *room = NULL;
	for (size_t i = 0; i < GOING_ON_MAX; i++) {
		struct going_on *at = &c->going_on[i];
		if (strcmp(at->flow, flow) == 0) {
			if (ended)
				at->flow[0] = '\0';
			return;
		}
		if (room == NULL && at->flow[0] == '\0')
			room = at;
	}
	if (!ended && room != NULL)
		memcpy(room->flow, flow, sizeof room->flow);
}

/* It may turn out later who led it. */
static void
note_bulk(struct leads *l, const struct flow_record *r)
{
	struct stores *s = entry(l, l->stores, &r->side[SIDE_SOURCE].addr, sizeof *s);
	if (s == NULL)
		return;
	struct bulk *b = &s->bulk[s->next++ % BULK_MAX];
	*b = (struct bulk){.store = r->service.row, .start = r->start};
	memcpy(b->flow, r->id, sizeof b->flow);
}

static void
take_led(struct leads *l, struct flow_record *r)
{
	const struct addr *client = &r->side[SIDE_SOURCE].addr;
	const struct client *c = table_get(l->clients, client, sizeof *client);
	struct stores *s = table_get(l->stores, client, sizeof *client);
	size_t count = 0;
	for (size_t i = 0; c != NULL && s != NULL && i < BULK_MAX; i++) {
		struct bulk *b = &s->bulk[(s->next + i) % BULK_MAX]; /* the oldest first */
		if (b->flow[0] == '\0' || b->start < r->start || b->start > r->end + window)
			continue;
		const struct contact *only = only_contact(c, &(struct target){.store = b->store}, b->start);
		if (only == NULL || strcmp(only->row->name, r->service.row->name) != 0)
			continue;
		l->led[count].store = b->store;
		memcpy(l->led[count++].flow, b->flow, sizeof b->flow);
		b->flow[0] = '\0';
	}
	r->service.led = count > 0 ? l->led : NULL;
	r->service.led_count = count;
}

/* The client's, made where it has none; at the limit in place of the one that is known for the longest time. */
static void *
entry(struct leads *l, struct table *t, const struct addr *client, size_t size)
{
	void *found = table_get(t, client, sizeof *client);
	if (found != NULL)
		return found;
	if (table_count(t) == CLIENTS_MAX) {
		size_t at = 0, len;
		const void *key;
		struct addr oldest;
		if (!table_next(t, &at, &key, &len))
			return NULL;
		memcpy(&oldest, key, sizeof oldest);
		free(table_remove(t, &oldest, sizeof oldest));
		l->forgotten++;
	}
	found = calloc(1, size);
	if (found != NULL && table_put(t, client, sizeof *client, found, NULL) < 0) {
		free(found);
		found = NULL;
	}
	return found;
}

static void
table_free(struct table *t)
{
	size_t at = 0;
	void *value;
	while (t != NULL && (value = table_next(t, &at, NULL, NULL)) != NULL)
		free(value);
	table_destroy(t);
}
