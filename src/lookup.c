#include "config.h"

#include "lookup.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "output/json.h"
#include "output/output.h"

enum {
	LABEL_WIDTH = 14,
	LINE_WIDTH = 100,
	ROWS_MAX = 32,
};

struct answer {
	struct attribution *a;
	FILE *out;
	struct addr addr;
	int64_t at;
	struct place place;
	struct listing listing;
	const struct service_row *service;
};

static bool is_name(const char *word);
static void answer_addr(struct answer *q, struct json *j);
static void answer_name(const struct answer *q, const char *name, struct json *j);
static void answer_text(const struct answer *q);
static void put_service(FILE *out, const struct service_row *row);
static void put_listing(const struct answer *q);
static void put_other_rows(const struct answer *q);
static void put_place(const struct answer *q);
static void put_databases(const struct answer *q);
static void put_database(const struct answer *q, const struct attribution_database *d, const struct place *p,
        unsigned bits);
static bool valid(const struct listing_row *r, int64_t at);
static const char *verdict(enum confidence c);
static const char *window(const struct listing_row *r, char *text, size_t size);
static const char *country(const char *code, char *text, size_t size);
static const char *owner(const struct place *p, char *text, size_t size);
static const char *day(int64_t time, char text[CLOCK_TEXT_MAX]);
static void put(FILE *out, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));
static size_t wrapped(const char *text);

int
lookup_run(struct attribution *a, const char *const *words, size_t count, int64_t at, bool json, FILE *out,
        FILE *errors)
{
	struct json j;
	int status = 0;
	bool first = true;
	json_init(&j);
	for (size_t i = 0; i < count; i++) {
		struct answer q = {.a = a, .out = out, .at = at};
		char shown[128];
		const bool is_addr = addr_parse(words[i], &q.addr) == 0;
		if (!is_addr && !is_name(words[i])) {
			text_escape(shown, sizeof shown, words[i], strlen(words[i]));
			fprintf(errors, "waybill: lookup: \"%s\" is not an IP address, nor a host's name\n", shown);
			status = 2;
			continue;
		}
		if (!json && !first)
			fputc('\n', out);
		first = false;
		json_reset(&j);
		if (is_addr)
			answer_addr(&q, json ? &j : NULL);
		else
			answer_name(&q, words[i], json ? &j : NULL);
		if (json) {
			fwrite(j.bytes, 1, j.len, out);
			fputc('\n', out);
		}
	}
	if (j.failed || fflush(out) != 0 || ferror(out))
		status = 1;
	json_clear(&j);
	return status;
}

/* Of a host: letters, digits, hyphens and underscores between dots, and a last label that is no number. */
static bool
is_name(const char *word)
{
	size_t len = strlen(word), label = 0;
	bool number = true;
	for (size_t i = 0; i < len; i++) {
		const char c = word[i];
		if (c == '.' && label == 0)
			return false;
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", c) == NULL)
			return false;
		if (c == '.' && word[i + 1] != '\0')
			number = true;
		else if (c != '.' && (c < '0' || c > '9'))
			number = false;
		label = c == '.' ? 0 : label + 1;
	}
	return len > 0 && len <= NAME_MAX_LEN && !number;
}

/* j: as an object; NULL: as text. */
static void
answer_addr(struct answer *q, struct json *j)
{
	attribution_place(q->a, &q->addr, &q->place);
	attribution_listing(q->a, &q->addr, &q->place, q->at, NULL, &q->listing);
	q->service = attribution_service_of_place(q->a, &q->addr, &q->place);
	if (j != NULL)
		event_write_lookup(j, &q->addr, &q->place, &q->listing, q->service);
	else
		answer_text(q);
}

/* A name is looked up in the list of services alone: nothing is asked of the network. */
static void
answer_name(const struct answer *q, const char *name, struct json *j)
{
	const struct service_row *row = attribution_service_of_name(q->a, name, strlen(name));
	if (j != NULL) {
		event_write_lookup_name(j, name, row);
		return;
	}
	fprintf(q->out, "%s\n", name);
	if (row != NULL)
		put_service(q->out, row);
	else
		put(q->out, "service", "none that is known by its name");
}

static void
put_service(FILE *out, const struct service_row *row)
{
	put(out, "service", "%s (%s), by %s: %s", row->name, row->kind, row->match, confidence_name(row->confidence));
	if (row->source != NULL)
		put(out, "source", "%s", row->source);
}

static void
answer_text(const struct answer *q)
{
	char text[ADDR_TEXT_MAX], date[CLOCK_TEXT_MAX];
	fprintf(q->out, "%s, as of %s\n", addr_format(&q->addr, text), day(q->at, date));
	put_listing(q);
	put_other_rows(q);
	put_place(q);
	if (q->service != NULL)
		put_service(q->out, q->service);
	put_databases(q);
}

static void
put_listing(const struct answer *q)
{
	const struct listing_row *r = q->listing.row;
	char text[160];
	if (r == NULL) {
		put(q->out, "listed", "no");
		return;
	}
	put(q->out, "LISTED", "%s: %s", country(r->jurisdiction, text, sizeof text), verdict(q->listing.confidence));
	put(q->out, "network", "%s, %s", r->network_text, window(r, text, sizeof text));
	put(q->out, "holder", "%s", r->holder != NULL ? r->holder : "not stated");
	if (r->programme != NULL)
		put(q->out, "programme", "%s", r->programme);
	for (size_t i = 0; i < q->listing.reason_count; i++)
		put(q->out, i == 0 ? "because" : "", "- %s", q->listing.reasons[i]);
	if (r->source != NULL && r->basis == LISTING_RANGE)
		put(q->out, "source", "%s", r->source);
	put(q->out, "list", "%s, SHA-256 %.16s...", r->list, r->list_digest);
}

/* Rows that do not count, or not at this time: what a reader of an old or a later record would ask about. */
static void
put_other_rows(const struct answer *q)
{
	const struct listing_row *rows[ROWS_MAX];
	size_t count = attribution_rows(q->a, &q->addr, rows, ROWS_MAX);
	const char *label = "also";
	for (size_t i = 0; i < count; i++) {
		const struct listing_row *r = rows[i];
		char text[160];
		/* Databases are answered for one by one. */
		if (r == q->listing.row || r->basis != LISTING_RANGE)
			continue;
		if (r->false_positive)
			put(q->out, label, "%s: databases are known to label it %s wrongly: %s (%s)", r->network_text,
			        r->jurisdiction, r->holder != NULL ? r->holder : "holder not stated",
			        r->source != NULL ? r->source : "no source");
		else
			put(q->out, label, "%s: %s for %s by %s, %s", r->network_text,
			        valid(r, q->at) ? "listed" : "NOT listed at this time", r->jurisdiction, r->list,
			        window(r, text, sizeof text));
		label = "";
	}
}

static void
put_place(const struct answer *q)
{
	const struct place *p = &q->place;
	char text[160];
	if (p->flags & PLACE_MULTICAST)
		put(q->out, "kind", "a group, not a host");
	else if (p->flags & PLACE_PRIVATE)
		put(q->out, "kind", "private: not routed on the public Internet");
	if (p->flags & PLACE_HOME)
		put(q->out, "home", "in the home networks");
	put(q->out, "country", "%s", country(p->country, text, sizeof text));
	if (p->registered[0] != '\0')
		put(q->out, "registered in", "%s%s", country(p->registered, text, sizeof text),
		        strcmp(p->registered, p->country) != 0 ? ", which differs" : "");
	put(q->out, "network owner", "%s", owner(p, text, sizeof text));
	if (p->flags & PLACE_ANONYMOUS)
		put(q->out, "note", "a VPN, proxy or relay: its users are elsewhere");
	if (p->flags & PLACE_SATELLITE)
		put(q->out, "note", "a satellite network: its users may be anywhere");
	if (p->flags & PLACE_ANYCAST)
		put(q->out, "note", "an anycast network: it is in many places");
}

static void
put_databases(const struct answer *q)
{
	const struct attribution_database *d;
	size_t count = attribution_databases(q->a, &d);
	char first[3] = "";
	bool differ = false;
	for (size_t i = 0; i < count; i++) {
		struct place p;
		unsigned bits;
		if (attribution_database_place(q->a, i, &q->addr, &p, &bits) < 0) {
			put(q->out, "database", "%s: nothing on it", d[i].type);
			continue;
		}
		put_database(q, &d[i], &p, bits);
		if (p.country[0] == '\0')
			continue;
		if (first[0] == '\0')
			memcpy(first, p.country, sizeof first);
		differ = differ || strcmp(first, p.country) != 0;
	}
	if (count == 0)
		put(q->out, "database", "none is loaded: country and owner are not known");
	if (differ)
		put(q->out, "", "The databases DISAGREE on the country; the first one that has it is used.");
}

static void
put_database(const struct answer *q, const struct attribution_database *d, const struct place *p, unsigned bits)
{
	char built[CLOCK_TEXT_MAX], where[160], whose[320];
	put(q->out, "database", "%s%s, built %s, network /%u: %s%s%s", d->type,
	        d->embedded ? " (comes with waybill)" : "",
	        d->built != 0 ? day(d->built, built) : "at a time it does not state", bits,
	        d->country ? country(p->country, where, sizeof where) : "", d->country && d->asn ? "; " : "",
	        d->asn ? owner(p, whose, sizeof whose) : "");
}

static bool
valid(const struct listing_row *r, int64_t at)
{
	return at >= r->valid_from && at < r->valid_until;
}

static const char *
verdict(enum confidence c)
{
	switch (c) {
	case CONFIDENCE_CONFIRMED: return "confirmed once an exchange both ways has moved payload, high until then";
	case CONFIDENCE_HIGH: return "high";
	case CONFIDENCE_MEDIUM: return "medium";
	case CONFIDENCE_LOW: return "low: a lead to follow";
	case CONFIDENCE_INFO:
	case CONFIDENCE_NONE: break;
	}
	return "info: the evidence speaks against it";
}

static const char *
window(const struct listing_row *r, char *text, size_t size)
{
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];
	bool open_from = r->valid_from == INT64_MIN, open_until = r->valid_until == INT64_MAX;
	if (open_from && open_until)
		snprintf(text, size, "at any time");
	else if (open_until)
		snprintf(text, size, "from %s on", day(r->valid_from, from));
	else if (open_from)
		snprintf(text, size, "until %s", day(r->valid_until, until));
	else
		snprintf(text, size, "from %s until %s", day(r->valid_from, from), day(r->valid_until, until));
	return text;
}

static const char *
country(const char *code, char *text, size_t size)
{
	const char *name = country_name(code);
	if (code[0] == '\0')
		snprintf(text, size, "not known");
	else if (name == code)
		snprintf(text, size, "%s", code);
	else
		snprintf(text, size, "%s (%s)", name, code);
	return text;
}

static const char *
owner(const struct place *p, char *text, size_t size)
{
	if (p->asn == 0)
		snprintf(text, size, "not known");
	else
		snprintf(text, size, "AS%u %s", p->asn, p->org != NULL ? p->org : "(no name)");
	return text;
}

static const char *
day(int64_t time, char text[CLOCK_TEXT_MAX])
{
	clock_format(time, text);
	text[strcspn(text, "T")] = '\0';
	return text;
}

/* A labelled line; long text goes on below itself. Lists and databases are others' text: it is escaped. */
static void
put(FILE *out, const char *label, const char *format, ...)
{
	char text[1024], shown[2048];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	text_escape(shown, sizeof shown, text, strlen(text));
	const char *at = shown;
	for (;;) {
		size_t len = wrapped(at);
		fprintf(out, "  %-*s%.*s\n", LABEL_WIDTH, label, (int)len, at);
		at += len + (at[len] == ' ');
		if (*at == '\0')
			return;
		label = "";
	}
}

/* As much of the text as fits on a line, up to a space where there is one. */
static size_t
wrapped(const char *text)
{
	size_t width = LINE_WIDTH - LABEL_WIDTH - 2, len = strlen(text);
	if (len <= width)
		return len;
	for (size_t i = width; i > 0; i--) {
		if (text[i] == ' ')
			return i;
	}
	return strcspn(text, " ");
}
