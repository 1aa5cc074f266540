/*
 * Totals and the most telling rows. Memory does not grow with the capture: files and alerts are kept
 * in arrays of fixed size where the least telling one gives way, networks in a table with a limit.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "output/event.h"
#include "output/summary.h"

static int networks_init(struct summary_networks *n);
static void networks_clear(struct summary_networks *n);
static void networks_add(struct summary_networks *n, const struct place *p, bool by_owner, const struct summary_network *add);
static void file_fill(struct summary_file *f, const struct transfer_record *r);
static void file_keep(struct summary_files *files, const struct summary_file *f);
static int file_order(const void *a, const void *b);
static struct summary_alert *alert_slot(struct summary *s, const struct alert *a);
static void alert_fill(struct summary_alert *to, const struct alert *a);
static void alert_ends(struct summary_alert *to, const struct alert *a);
static int alert_order(const void *a, const void *b);
static void end_fill(struct summary_end *to, const struct endpoint *e);
static const struct listing *surest_listing(const struct flow_record *r);
static void escape(char *out, size_t size, const char *text);
static int compare_u64(uint64_t a, uint64_t b);

int
summary_tally_init(struct summary *s)
{
	s->read.rows = calloc(SUMMARY_FILES_KEPT, sizeof s->read.rows[0]);
	s->inferred.rows = calloc(SUMMARY_FILES_KEPT, sizeof s->inferred.rows[0]);
	s->alerts = calloc(SUMMARY_ALERTS_KEPT, sizeof s->alerts[0]);
	if (s->read.rows == NULL || s->inferred.rows == NULL || s->alerts == NULL)
		return -1;
	if (networks_init(&s->networks) != 0 || networks_init(&s->countries) != 0)
		return -1;
	return 0;
}

void
summary_tally_clear(struct summary *s)
{
	free(s->read.rows);
	free(s->inferred.rows);
	free(s->alerts);
	networks_clear(&s->networks);
	networks_clear(&s->countries);
}

static int
networks_init(struct summary_networks *n)
{
	n->table = table_create(SUMMARY_NETWORKS_KEPT);
	return n->table != NULL ? 0 : -1;
}

static void
networks_clear(struct summary_networks *n)
{
	size_t cursor = 0;
	struct summary_network *row;

	if (n->table == NULL)
		return;
	while ((row = table_next(n->table, &cursor, NULL, NULL)) != NULL)
		free(row);
	table_destroy(n->table);
}

void
summary_tally_flow(struct summary *s, const struct flow_record *r)
{
	const struct endpoint *source = &r->side[SIDE_SOURCE], *destination = &r->side[SIDE_DESTINATION];
	bool from_home = source->place.flags & PLACE_HOME;
	bool to_home = destination->place.flags & (PLACE_HOME | PLACE_MULTICAST);

	s->flows++;
	if (from_home && to_home) {
		s->internal_flows++;
		s->internal_bytes += source->bytes + destination->bytes;
		return;
	}
	/* Seen from home; where neither end is home, from the initiator. */
	const struct endpoint *near = !from_home && to_home ? destination : source;
	const struct endpoint *far = near == source ? destination : source;
	const struct summary_network add = {
		.out = near->bytes,
		.in = far->bytes,
		.flows = 1,
		.listed = far->listing.row != NULL && far->listing.confidence > CONFIDENCE_INFO,
	};
	networks_add(&s->networks, &far->place, true, &add);
	networks_add(&s->countries, &far->place, false, &add);
}

/* by_owner: one row for each network owner, else for each country. */
static void
networks_add(struct summary_networks *n, const struct place *p, bool by_owner, const struct summary_network *add)
{
	struct {
		uint32_t asn;
		char country[4];
	} key = {0};

	memcpy(key.country, p->country, sizeof p->country);
	key.asn = by_owner ? p->asn : 0;
	struct summary_network *row = table_get(n->table, &key, sizeof key);
	if (row == NULL) {
		row = calloc(1, sizeof *row);
		if (row != NULL && table_put(n->table, &key, sizeof key, row, NULL) != 0) {
			free(row);
			row = NULL;
		}
		if (row != NULL) {
			row->asn = key.asn;
			memcpy(row->country, p->country, sizeof row->country);
			escape(row->org, sizeof row->org, p->org);
		} else {
			row = &n->other;
		}
	}
	row->out += add->out;
	row->in += add->in;
	row->flows += add->flows;
	row->listed |= add->listed;
}

size_t
summary_networks_top(const struct summary_networks *n, const struct summary_network **out, size_t max)
{
	const struct summary_network *row;
	size_t cursor = 0, count = 0;

	while ((row = table_next(n->table, &cursor, NULL, NULL)) != NULL) {
		size_t at = count < max ? count : max;
		/* Insertion from the end; what comes first in the capture stays first among equals. */
		while (at > 0 && out[at - 1]->out + out[at - 1]->in < row->out + row->in) {
			if (at < max)
				out[at] = out[at - 1];
			at--;
		}
		if (at < max) {
			out[at] = row;
			count += count < max;
		}
	}
	return count;
}

bool
summary_countries_known(const struct summary *s)
{
	const struct summary_network *row;
	size_t cursor = 0;

	while ((row = table_next(s->countries.table, &cursor, NULL, NULL)) != NULL)
		if (row->country[0] != '\0')
			return true;
	return false;
}

void
summary_tally_transfer(struct summary *s, const struct transfer_record *r)
{
	struct summary_file f;

	if (r->form)
		return; /* its files come by themselves */
	file_fill(&f, r);
	if (r->basis == TRANSFER_READ) {
		s->directories += r->listing;
		s->cut += r->state == TRANSFER_TRUNCATED && !f.copied;
		s->aborted += r->state == TRANSFER_ABORTED;
	}
	file_keep(r->basis == TRANSFER_READ ? &s->read : &s->inferred, &f);
}

static void
file_fill(struct summary_file *f, const struct transfer_record *r)
{
	const struct listing *listing = surest_listing(r->flow);
	const struct listing *data = r->data != NULL ? surest_listing(r->data) : NULL;
	const struct facts *facts = r->flow->facts;
	const char *name = event_has(&r->name) ? r->name.utf8 : r->path.utf8;

	if (listing == NULL || (data != NULL && data->confidence > listing->confidence))
		listing = data;
	*f = (struct summary_file){
		.start = r->start,
		.end = r->end,
		.size = r->size_known ? r->size : r->seen + r->missing,
		.size_known = r->size_known,
		.seen = r->seen,
		.copied = r->copied > 0 && r->copied == r->missing,
		.state = r->state,
		.basis = r->basis,
		.http_status = r->http.status,
		.listing = r->listing,
		.listed = listing != NULL ? listing->confidence : CONFIDENCE_NONE,
	};
	memcpy(f->id, r->id, sizeof f->id);
	if (r->basis == TRANSFER_INFERRED && name == NULL)
		name = facts->tls.server_name != NULL ? facts->tls.server_name : facts->service.utf8;
	escape(f->name, sizeof f->name, name);
	escape(f->user, sizeof f->user, event_has(&r->user) ? r->user.utf8 : facts->user.utf8);
	escape(f->protocol, sizeof f->protocol, r->protocol != NULL ? r->protocol : facts->protocol);
	escape(f->network, sizeof f->network, listing != NULL ? listing->row->network_text : NULL);
	if (r->has_sha256)
		text_hex(f->hash, r->sha256, 4);
	end_fill(&f->from, &r->flow->side[r->sender]);
	end_fill(&f->to, &r->flow->side[side_other(r->sender)]);
}

/* The rows are a heap with the least telling one on top, so that a better one takes its place at once. */
static void
file_keep(struct summary_files *files, const struct summary_file *f)
{
	struct summary_file *rows = files->rows;
	size_t at, child;

	files->total++;
	files->bytes += f->seen;
	if (files->count < SUMMARY_FILES_KEPT) {
		for (at = files->count++; at > 0 && file_order(f, &rows[(at - 1) / 2]) > 0; at = (at - 1) / 2)
			rows[at] = rows[(at - 1) / 2];
		rows[at] = *f;
		return;
	}
	if (file_order(f, &rows[0]) > 0)
		return;
	for (at = 0; (child = 2 * at + 1) < files->count; at = child) {
		if (child + 1 < files->count && file_order(&rows[child + 1], &rows[child]) > 0)
			child++;
		if (file_order(f, &rows[child]) > 0)
			break;
		rows[at] = rows[child];
	}
	rows[at] = *f;
}

/* Listed ones first, the surest before the others; then by size, time and id. */
static int
file_order(const void *a, const void *b)
{
	const struct summary_file *x = a, *y = b;
	int order = (int)y->listed - (int)x->listed;

	if (order == 0)
		order = compare_u64(y->size, x->size);
	if (order == 0)
		order = x->start < y->start ? -1 : x->start > y->start;
	return order != 0 ? order : strcmp(x->id, y->id);
}

void
summary_tally_alert(struct summary *s, const struct alert *a)
{
	struct summary_alert *to = alert_slot(s, a);

	if (to != NULL)
		alert_fill(to, a);
}

/* The row of this alert, or a new one; a full table gives up its least severe row for a more severe one. */
static struct summary_alert *
alert_slot(struct summary *s, const struct alert *a)
{
	struct summary_alert *least = NULL;

	for (size_t i = 0; i < s->alert_count; i++) {
		if (strcmp(s->alerts[i].id, a->id) == 0)
			return &s->alerts[i];
		if (least == NULL || s->alerts[i].severity < least->severity)
			least = &s->alerts[i];
	}
	struct summary_alert *slot = NULL;
	if (s->alert_count < SUMMARY_ALERTS_KEPT) {
		slot = &s->alerts[s->alert_count++];
	} else if (a->action == ALERT_OPEN) {
		slot = least->severity < a->severity ? least : NULL;
		s->alerts_not_kept[slot != NULL ? slot->severity : a->severity]++;
	}
	if (slot == NULL)
		return NULL;
	*slot = (struct summary_alert){.first = a->packet_time};
	memcpy(slot->id, a->id, sizeof slot->id);
	escape(slot->rule, sizeof slot->rule, a->rule);
	if (a->transfer != NULL)
		escape(slot->what, sizeof slot->what, a->transfer->name.utf8);
	alert_ends(slot, a);
	return slot;
}

/* What changes while an alert is open. */
static void
alert_fill(struct summary_alert *to, const struct alert *a)
{
	const struct transfer_record *t = a->transfer;
	const struct facts *facts = t != NULL ? t->flow->facts : a->flow->facts;

	to->severity = a->severity;
	to->confidence = a->confidence;
	to->last = a->packet_time;
	to->count = a->count;
	to->files = a->files;
	to->bytes = a->bytes;
	escape(to->summary, sizeof to->summary, a->summary);
	if (to->user[0] == '\0')
		escape(to->user, sizeof to->user, t != NULL && event_has(&t->user) ? t->user.utf8 : facts->user.utf8);
	if (to->protocol[0] == '\0')
		escape(to->protocol, sizeof to->protocol,
			t != NULL && t->protocol != NULL ? t->protocol : facts->protocol);
	if (a->listing == NULL || a->listing->row == NULL)
		return;

	const struct listing_row *row = a->listing->row;
	snprintf(to->network, sizeof to->network, "%s", row->network_text);
	snprintf(to->listed_as, sizeof to->listed_as, "%s (%s)%s%s%s%s%s%s", row->network_text,
		country_name(row->jurisdiction), row->holder != NULL ? ", held by " : "",
		row->holder != NULL ? row->holder : "", row->programme != NULL ? ", programme " : "",
		row->programme != NULL ? row->programme : "", row->list != NULL ? ", list " : "",
		row->list != NULL ? row->list : "");
	to->reasons[0] = '\0';
	for (size_t i = 0, used = 0; i < a->listing->reason_count && used < sizeof to->reasons; i++)
		used += (size_t)snprintf(to->reasons + used, sizeof to->reasons - used, "%s%s", i > 0 ? "; " : "",
			a->listing->reasons[i]);
}

/* From the sender to the receiver of a transfer, else from who opened the exchange. */
static void
alert_ends(struct summary_alert *to, const struct alert *a)
{
	const struct transfer_record *t = a->transfer;
	const struct flow_record *flow = a->flow;
	enum side from = SIDE_SOURCE;

	to->transfer = t != NULL;
	if (t != NULL && flow != t->data) {
		flow = t->flow;
		from = t->sender;
	} else if (t != NULL) {
		/* The data connection may have been opened from either end. */
		const struct addr *sender = &t->flow->side[t->sender].addr;
		from = addr_equal(&flow->side[SIDE_SOURCE].addr, sender) ? SIDE_SOURCE : SIDE_DESTINATION;
	}
	end_fill(&to->from, &flow->side[from]);
	end_fill(&to->to, &flow->side[side_other(from)]);
}

/* The same listed network, or for rules without one the same address, and the same host at our end. */
bool
summary_alert_covers(const struct summary_alert *a, const struct summary_file *f)
{
	bool ends = addr_equal(&a->from.addr, &f->from.addr) && addr_equal(&a->to.addr, &f->to.addr);
	bool turned = addr_equal(&a->from.addr, &f->to.addr) && addr_equal(&a->to.addr, &f->from.addr);

	if (!a->transfer || f->start > a->last || f->end < a->first)
		return false;
	if (a->network[0] == '\0')
		return ends || turned;
	if (strcmp(a->network, f->network) != 0)
		return false;
	return addr_equal(&a->from.addr, &f->from.addr) || addr_equal(&a->from.addr, &f->to.addr) ||
	       addr_equal(&a->to.addr, &f->from.addr) || addr_equal(&a->to.addr, &f->to.addr);
}

void
summary_tally_sort(struct summary *s)
{
	qsort(s->read.rows, s->read.count, sizeof s->read.rows[0], file_order);
	qsort(s->inferred.rows, s->inferred.count, sizeof s->inferred.rows[0], file_order);
	qsort(s->alerts, s->alert_count, sizeof s->alerts[0], alert_order);
	memcpy(s->alerts_by_severity, s->alerts_not_kept, sizeof s->alerts_by_severity);
	for (size_t i = 0; i < s->alert_count; i++)
		s->alerts_by_severity[s->alerts[i].severity]++;
}

/* The most severe first, then the surest, then by time. */
static int
alert_order(const void *a, const void *b)
{
	const struct summary_alert *x = a, *y = b;
	int order = (int)y->severity - (int)x->severity;

	if (order == 0)
		order = (int)y->confidence - (int)x->confidence;
	if (order == 0)
		order = x->first < y->first ? -1 : x->first > y->first;
	return order != 0 ? order : strcmp(x->id, y->id);
}

static void
end_fill(struct summary_end *to, const struct endpoint *e)
{
	*to = (struct summary_end){
		.addr = e->addr,
		.port = e->port,
		.home = e->place.flags & PLACE_HOME,
		.asn = e->place.asn,
	};
	memcpy(to->country, e->place.country, sizeof to->country);
	escape(to->org, sizeof to->org, e->place.org);
}

/* NULL: neither end is listed. */
static const struct listing *
surest_listing(const struct flow_record *r)
{
	const struct listing *source = &r->side[SIDE_SOURCE].listing, *destination = &r->side[SIDE_DESTINATION].listing;

	if (source->row == NULL && destination->row == NULL)
		return NULL;
	if (source->row == NULL)
		return destination;
	return destination->row != NULL && destination->confidence >= source->confidence ? destination : source;
}

/* NULL gives an empty text. */
static void
escape(char *out, size_t size, const char *text)
{
	if (text != NULL)
		text_escape(out, size, text, strlen(text));
	else
		out[0] = '\0';
}

static int
compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}
