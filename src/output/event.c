/*
 * The members that events share: envelope, endpoints with their places, listings. A fact that is
 * unknown is left out, never null or empty. ECS names fields; what it lacks stands under waybill.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>

#include "output/event.h"

#define ECS "\"ecs\":{\"version\":\"8.17.0\"}"
#define OBSERVER "\"vendor\":\"waybill\",\"product\":\"waybill\",\"version\":\"" PACKAGE_VERSION "\""

static void put_mac(struct json *j, const uint8_t mac[6]);
static void put_lead(struct json *j, const struct service_lead *l, bool alone);
static void put_led(struct json *j, const struct service_led *led, size_t count);
static void put_place(struct json *j, const struct place *p);

void
event_begin(struct json *j, const struct event_head *head, const struct event_stamp *stamp)
{
	json_reset(j);
	json_object(j, NULL);
	json_time(j, "@timestamp", head->time);
	json_splice(j, ECS);

	json_object(j, "observer");
	json_splice(j, OBSERVER);
	event_string(j, "hostname", stamp->observer);
	json_object_end(j);

	json_object(j, "event");
	json_splice(j, head->constants);
	event_string(j, "id", head->id);
	json_time(j, "start", head->start);
	json_time(j, "end", head->end);
	json_i64(j, "duration", head->end > head->start ? head->end - head->start : 0);
	json_time(j, "ingested", stamp->ingested);
}

void
event_endpoint(struct json *j, const char *name, const struct endpoint *e, const char *domain, size_t domain_len)
{
	json_object(j, name);
	event_addr(j, "ip", &e->addr);
	if (e->port != 0)
		json_u64(j, "port", e->port);
	if (e->has_mac) {
		json_name(j, "mac");
		put_mac(j, e->mac);
	}
	if (domain != NULL)
		json_bytes(j, "domain", domain, domain_len);
	json_u64(j, "bytes", e->bytes);
	json_u64(j, "packets", e->packets);
	put_place(j, &e->place);
	json_object_end(j);
}

void
event_addr(struct json *j, const char *name, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	json_name(j, name);
	if (addr_is_v4(a))
		json_put_v4(j, a->bytes + 12);
	else
		json_put_text(j, text, strlen(addr_format(a, text)));
}

/* As ECS writes it: RFC 9542 section 2.1, hexadecimal pairs with hyphens. */
static void
put_mac(struct json *j, const uint8_t mac[6])
{
	static const char hex[] = "0123456789ABCDEF";
	char text[19];
	char *at = text;

	for (size_t i = 0; i < 6; i++) {
		*at++ = i == 0 ? '"' : '-';
		*at++ = hex[mac[i] >> 4];
		*at++ = hex[mac[i] & 15];
	}
	*at++ = '"';
	json_put(j, text, (size_t)(at - text));
}

/* Country and owner: two of the three facts, never merged. The listing is told under waybill. */
static void
put_place(struct json *j, const struct place *p)
{
	if (p->country[0] != '\0' || p->registered[0] != '\0') {
		json_object(j, "geo");
		event_string(j, "country_iso_code", p->country);
		event_string(j, "registered_country_iso_code", p->registered);
		json_object_end(j);
	}
	if (p->asn != 0) {
		json_object(j, "as");
		json_u64(j, "number", p->asn);
		if (p->org != NULL && p->org[0] != '\0') {
			json_object(j, "organization");
			json_string(j, "name", p->org);
			json_object_end(j);
		}
		json_object_end(j);
	}
}

void
event_waybill_listing(struct json *j, const struct listing *l, const char *side, bool data)
{
	static const char *const basis[] = {
		[LISTING_RANGE] = "range", [LISTING_ASN] = "asn", [LISTING_COUNTRY] = "country",
	};
	const struct listing_row *row = l->row;

	if (row == NULL)
		return;
	json_object(j, "listing");
	event_string(j, "side", side);
	if (data)
		json_plain(j, "connection", "data");
	event_string(j, "jurisdiction", row->jurisdiction);
	event_string(j, "programme", row->programme);
	event_string(j, "holder", row->holder);
	event_string(j, "network", row->network_text);
	event_string(j, "list", row->list);
	event_string(j, "list_digest", row->list_digest);
	json_plain(j, "basis", basis[row->basis]);
	json_plain(j, "confidence", event_confidence(l->confidence));
	json_array(j, "reasons");
	for (size_t i = 0; i < l->reason_count && i < LISTING_REASONS_MAX; i++)
		json_string(j, NULL, l->reasons[i]);
	json_array_end(j);
	if (row->valid_from != INT64_MIN)
		json_time(j, "valid_from", row->valid_from);
	if (row->valid_until != INT64_MAX)
		json_time(j, "valid_until", row->valid_until);
	event_string(j, "source", row->source);
	json_object_end(j);
}

void
event_waybill_listed(struct json *j, const struct flow_record *flow, const struct flow_record *data)
{
	const struct flow_record *const flows[] = {flow, data};
	const struct listing *best = NULL;
	size_t best_flow = 0;
	enum side best_side = SIDE_DESTINATION;

	for (size_t f = 0; f < 2; f++) {
		for (int side = SIDE_DESTINATION; flows[f] != NULL && side >= SIDE_SOURCE; side--) {
			const struct listing *l = &flows[f]->side[side].listing;
			if (l->row == NULL || (best != NULL && l->confidence <= best->confidence))
				continue;
			best = l;
			best_flow = f;
			best_side = (enum side)side;
		}
	}
	if (best != NULL)
		event_waybill_listing(j, best, event_side(best_side), best_flow == 1);
}

void
event_waybill_service(struct json *j, const struct flow_record *r)
{
	static const char *const by[] = {[SERVICE_NETWORK] = "network", [SERVICE_ASN] = "asn"};
	const struct service *s = &r->service;

	if (s->row == NULL && s->lead.row == NULL)
		return;
	json_object(j, "service");
	if (s->row == NULL) {
		put_lead(j, &s->lead, true);
		json_object_end(j);
		return;
	}
	event_string(j, "name", s->row->name);
	event_string(j, "kind", s->row->kind);
	json_plain(j, "side", event_side(s->side));
	json_plain(j, "basis", s->row->by == SERVICE_NAME ? event_name_basis(s->basis) : by[s->row->by]);
	event_string(j, "match", s->row->match);
	json_plain(j, "confidence", event_confidence(s->confidence));
	if (s->lead.row != NULL) {
		json_object(j, "lead");
		put_lead(j, &s->lead, false);
		json_object_end(j);
	}
	put_led(j, s->led, s->led_count);
	json_object_end(j);
}

/* Never more than a lead: it goes by client and time, at best by a port too. alone: no more is known of whose the end is. */
static void
put_lead(struct json *j, const struct service_lead *l, bool alone)
{
	char when[64] = "when this flow began", reason[200];
	if (l->before >= 1000000000)
		(void)snprintf(when, sizeof when, "until some %" PRId64 " s before this flow began", l->before / 1000000000);
	(void)snprintf(reason, sizeof reason, "the same client was in touch with it %s, and with no other service that %s", when,
	               l->by_port ? "moves files by this port" : "keeps files there");
	event_string(j, "name", l->row->name);
	event_string(j, "kind", l->row->kind);
	if (alone)
		json_plain(j, "side", event_side(SIDE_DESTINATION));
	json_plain(j, "basis", l->by_port ? "client, time and port" : "client and time");
	event_string(j, "match", l->row->match);
	json_plain(j, "confidence", event_confidence(CONFIDENCE_LOW));
	event_string(j, "reason", reason);
}

static void
put_led(struct json *j, const struct service_led *led, size_t count)
{
	if (count == 0)
		return;
	json_array(j, "led");
	for (size_t i = 0; i < count; i++) {
		json_object(j, NULL);
		event_string(j, "flow", led[i].flow);
		event_string(j, "name", led[i].store->name);
		json_plain(j, "confidence", event_confidence(CONFIDENCE_LOW));
		json_object_end(j);
	}
	json_array_end(j);
}

void
event_waybill_service_row(struct json *j, const struct service_row *row)
{
	if (row == NULL)
		return;
	json_object(j, "service");
	event_string(j, "name", row->name);
	event_string(j, "kind", row->kind);
	event_string(j, "match", row->match);
	json_plain(j, "confidence", event_confidence(row->confidence));
	event_string(j, "source", row->source);
	json_object_end(j);
}

const char *
event_name_basis(enum name_basis b)
{
	static const char *const names[] = {
		[NAME_SNI] = "SNI", [NAME_HOST] = "HTTP Host", [NAME_DNS] = "DNS answer",
		[NAME_DNS_OTHER] = "DNS answer to another client", [NAME_CERTIFICATE] = "certificate",
	};
	return names[b];
}

void
event_waybill_text(struct json *j, const char *name, const struct text *t)
{
	if (t->raw == NULL || t->raw_len == 0)
		return;
	json_object(j, name);
	json_hex(j, "raw", t->raw, t->raw_len);
	event_string(j, "encoding", t->encoding);
	json_bool(j, "guessed", t->guessed);
	json_object_end(j);
}

void
event_write_lookup(struct json *j, const struct addr *addr, const struct place *p, const struct listing *l,
    const struct service_row *service)
{
	json_reset(j);
	json_object(j, NULL);
	event_addr(j, "ip", addr);
	put_place(j, p);
	if (l->row != NULL || service != NULL) {
		json_object(j, "waybill");
		event_waybill_listing(j, l, NULL, false);
		event_waybill_service_row(j, service);
		json_object_end(j);
	}
	json_object_end(j);
}

void
event_write_lookup_name(struct json *j, const char *name, const struct service_row *service)
{
	json_reset(j);
	json_object(j, NULL);
	json_string(j, "domain", name);
	if (service != NULL) {
		json_object(j, "waybill");
		event_waybill_service_row(j, service);
		json_object_end(j);
	}
	json_object_end(j);
}

const char *
event_side(enum side s)
{
	return s == SIDE_SOURCE ? "source" : "destination";
}

const char *
event_confidence(enum confidence c)
{
	static const char *const names[] = {
		[CONFIDENCE_NONE] = "none", [CONFIDENCE_INFO] = "info", [CONFIDENCE_LOW] = "low",
		[CONFIDENCE_MEDIUM] = "medium", [CONFIDENCE_HIGH] = "high", [CONFIDENCE_CONFIRMED] = "confirmed",
	};
	return names[c];
}
