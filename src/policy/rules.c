#include "config.h"

#include "policy/rules.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* A contact's kind is clear at the latest after so much payload. */
enum { CONTACT_SETTLES_BYTES = 4096, CONTACT_ONE_WAY_PACKETS = 3 };

static bool find_listed(const struct flow_record *r, enum side *out);
static const struct flow_record *find_listed_of(const struct transfer_record *r, enum side *out);
static bool exchanged(const struct flow_record *r);
static bool went_to_remote(const struct finding *f);
static bool asks_resolver(const struct flow_record *r);
static enum severity transfer_severity(enum confidence c);
static enum severity contact_severity(const struct flow_record *r, enum confidence c);
static bool is_page_view(const struct transfer_record *r, enum side remote);
static bool is_page_part(const char *mime, bool named_kp);
static bool is_allowed(const struct policy_conf *conf, const struct addr *a);
static bool mime_begins(const char *mime, const char *prefix);

enum rule_answer
rules_flow(const struct policy_conf *conf, const struct flow_record *r, struct finding *out)
{
	enum side remote;
	if (!conf->sanctioned_contact || !find_listed(r, &remote))
		return RULE_NEVER;
	if (!exchanged(r))
		return RULE_NO;
	const struct listing *l = &r->side[remote].listing;
	uint64_t payload = r->side[0].payload + r->side[1].payload;
	*out = (struct finding){
	        .rule = "sanctioned-contact",
	        .subject = r->id,
	        .flow = r,
	        .listing = l,
	        .remote = remote,
	        .confidence = l->confidence,
	        .severity = contact_severity(r, l->confidence),
	        .time = r->end,
	        .bytes = payload,
	};
	return payload >= CONTACT_SETTLES_BYTES ? RULE_SETTLED : RULE_SO_FAR;
}

bool
policy_flow_settled(const struct flow_record *r)
{
	return exchanged(r) && r->side[0].payload + r->side[1].payload >= CONTACT_SETTLES_BYTES;
}

bool
rules_transfer(const struct policy_conf *conf, const struct transfer_record *r, struct finding *out)
{
	if (!conf->sanctioned_transfer || r->form)
		return false;
	enum side remote = SIDE_SOURCE;
	const struct flow_record *flow = find_listed_of(r, &remote);
	if (flow == NULL)
		return false;
	if (flow == r->flow && is_page_view(r, remote))
		return false;
	const struct listing *l = &flow->side[remote].listing;
	*out = (struct finding){
	        .rule = "sanctioned-transfer",
	        .subject = r->id,
	        .flow = flow,
	        .transfer = r,
	        .listing = l,
	        .remote = remote,
	        .confidence = l->confidence,
	        .severity = transfer_severity(l->confidence),
	        .time = r->end,
	        .bytes = r->seen + r->missing,
	};
	return true;
}

bool
rules_bulk(const struct policy_conf *conf, const struct transfer_record *r, struct finding *out)
{
	const struct endpoint *from = &r->flow->side[r->sender];
	const struct endpoint *to = &r->flow->side[side_other(r->sender)];
	if (!conf->bulk_outbound || r->basis != TRANSFER_INFERRED || r->size < conf->bulk_bytes)
		return false;
	if ((from->place.flags & PLACE_HOME) == 0 || (to->place.flags & (PLACE_HOME | PLACE_PRIVATE)) != 0 ||
	        is_allowed(conf, &to->addr))
		return false;
	*out = (struct finding){
	        .rule = "bulk-outbound",
	        .subject = r->id,
	        .flow = r->flow,
	        .transfer = r,
	        .remote = side_other(r->sender),
	        .confidence = CONFIDENCE_LOW,
	        .severity = SEVERITY_LOW,
	        .time = r->end,
	        .bytes = r->seen,
	};
	return true;
}

size_t
rules_key(const struct finding *f, char key[RULE_KEY_MAX])
{
	char home[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
	addr_format(&f->flow->side[side_other(f->remote)].addr, home);
	addr_format(&f->flow->side[f->remote].addr, remote);
	const char *network = f->listing != NULL ? f->listing->row->network_text : remote;
	int len = snprintf(key, RULE_KEY_MAX, "%s %s %.80s", f->rule, home, network);
	return (size_t)len;
}

const char *
rules_summary(const struct finding *f, uint64_t count, char text[RULE_SUMMARY_MAX])
{
	char home[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX], name[160] = "a file", more[48] = "", what[96] = "";
	const struct transfer_record *t = f->transfer;
	addr_format(&f->flow->side[side_other(f->remote)].addr, home);
	addr_format(&f->flow->side[f->remote].addr, remote);
	if (f->listing != NULL)
		snprintf(what, sizeof what, " (%.16s, listed network %.40s)", f->listing->row->jurisdiction,
		        f->listing->row->network_text);
	if (count > 1)
		snprintf(more, sizeof more, ", with %llu more", (unsigned long long)count - 1);
	if (t == NULL) {
		const struct endpoint *end = f->flow->side;
		bool both = end[SIDE_SOURCE].packets > 0 && end[SIDE_DESTINATION].packets > 0;
		bool home_sent = end[side_other(f->remote)].packets > 0;
		snprintf(text, RULE_SUMMARY_MAX, "%s %s %s%s%s", home,
		        both        ? "exchanged packets with"
		        : home_sent ? "sent payload, no answer to which was captured, to"
		                    : "received payload, no answer to which was captured, from",
		        remote, what, more);
		return text;
	}
	if (t->name.utf8 != NULL)
		text_escape(name, sizeof name, t->name.utf8, strlen(t->name.utf8));
	else if (t->basis == TRANSFER_INFERRED)
		snprintf(name, sizeof name, "a transfer whose content could not be read");
	bool to_remote = went_to_remote(f);
	snprintf(text, RULE_SUMMARY_MAX, "%s went %s %s%s %s %s%s", name, to_remote ? "to" : "from", remote, what,
	        to_remote ? "from" : "to", home, more);
	return text;
}

/* The listed end; of two, the surer one. */
static bool
find_listed(const struct flow_record *r, enum side *out)
{
	const struct listing *s = &r->side[SIDE_SOURCE].listing, *d = &r->side[SIDE_DESTINATION].listing;
	if (s->row == NULL && d->row == NULL)
		return false;
	bool source = s->row != NULL && (d->row == NULL || s->confidence > d->confidence);
	*out = source ? SIDE_SOURCE : SIDE_DESTINATION;
	return true;
}

/* Of the two connections of a transfer the one whose listed end is the surer, its session before its data; or NULL. */
static const struct flow_record *
find_listed_of(const struct transfer_record *r, enum side *out)
{
	enum side side;
	const struct flow_record *found = find_listed(r->flow, out) ? r->flow : NULL;
	if (r->data == NULL || !find_listed(r->data, &side))
		return found;
	if (found != NULL && found->side[*out].listing.confidence >= r->data->side[side].listing.confidence)
		return found;
	*out = side;
	return r->data;
}

/*
 * Both ends took part: a SYN that is refused, a scan or a spoofed datagram is none. Without a handshake (UDP,
 * or a capture that began late) both must have sent something of their own. A tap that sees one direction only
 * shows an exchange as well, once so much of a TCP stream passed as nobody sends who gets no answer.
 */
static bool
exchanged(const struct flow_record *r)
{
	const struct endpoint *s = &r->side[SIDE_SOURCE], *d = &r->side[SIDE_DESTINATION];
	if (flow_record_refused(r))
		return false;
	if (s->packets == 0 || d->packets == 0)
		return r->transport == IPPROTO_TCP && s->packets + d->packets >= CONTACT_ONE_WAY_PACKETS &&
		       s->payload + d->payload >= CONTACT_SETTLES_BYTES;
	return r->handshake || (s->payload > 0 && d->payload > 0) ||
	       (r->midstream && s->payload + d->payload > 0);
}

/*
 * Did the file go to the end that the finding names? The ends of a data connection need not be those of its session
 * (a third host, FTP's server to server transfer, or a NAT between): the one they share tells, else the bytes do.
 */
static bool
went_to_remote(const struct finding *f)
{
	const struct transfer_record *t = f->transfer;
	if (f->flow != t->data)
		return t->sender != f->remote;
	const struct addr *from = &t->flow->side[t->sender].addr;
	const struct addr *to = &t->flow->side[side_other(t->sender)].addr;
	const struct endpoint *home = &f->flow->side[side_other(f->remote)], *remote = &f->flow->side[f->remote];
	if (addr_equal(&remote->addr, from) || addr_equal(&home->addr, to))
		return false;
	if (addr_equal(&remote->addr, to) || addr_equal(&home->addr, from))
		return true;
	return home->payload >= remote->payload;
}

static enum severity
transfer_severity(enum confidence c)
{
	static const enum severity by[] = {
	        [CONFIDENCE_NONE] = SEVERITY_INFO,
	        [CONFIDENCE_INFO] = SEVERITY_INFO,
	        [CONFIDENCE_LOW] = SEVERITY_LOW,
	        [CONFIDENCE_MEDIUM] = SEVERITY_MEDIUM,
	        [CONFIDENCE_HIGH] = SEVERITY_HIGH,
	        [CONFIDENCE_CONFIRMED] = SEVERITY_CRITICAL,
	};
	return by[c];
}

/*
 * Most contact is a reader of state media, a resolver or a crawler: nobody is paged for a handshake or a
 * page view (what moves beyond that is a transfer). Anything else that talks both ways is worth a look.
 */
static enum severity
contact_severity(const struct flow_record *r, enum confidence c)
{
	bool talks = r->side[0].payload > 0 && r->side[1].payload > 0;
	const char *protocol = r->facts->protocol;
	bool undecided = r->transport == IPPROTO_TCP && protocol == NULL && r->end_reason == FLOW_END_NONE &&
	                 r->side[0].payload + r->side[1].payload < CONTACT_SETTLES_BYTES;
	bool reads = (protocol != NULL && strcmp(protocol, "http") == 0) || asks_resolver(r);
	if (!talks || undecided || reads || r->transport == IPPROTO_ICMP || r->transport == IPPROTO_ICMPV6)
		return SEVERITY_INFO;
	return c >= CONFIDENCE_HIGH ? SEVERITY_MEDIUM : c == CONFIDENCE_MEDIUM ? SEVERITY_LOW : SEVERITY_INFO;
}

/* A page or a part of one, fetched without an account from a listed web server. */
static bool
is_page_view(const struct transfer_record *r, enum side remote)
{
	if (r->basis != TRANSFER_READ || r->http.method == NULL || strcmp(r->http.method, "GET") != 0 ||
	        r->sender != remote || r->listing || r->user.utf8 != NULL)
		return false;
	const char *host = r->flow->facts->service.utf8;
	size_t len = host != NULL ? strcspn(host, ":") : 0;
	bool named_kp = len > 3 && memcmp(host + len - 3, ".kp", 3) == 0;
	if (!is_page_part(r->declared_mime, named_kp))
		return false;
	/* Whatever a server calls it, an archive or a film is no page. What can't be told may be one (brotli). */
	return r->mime == NULL || is_page_part(r->mime, named_kp) || mime_begins(r->mime, "text/") ||
	       mime_begins(r->mime, "application/octet-stream") || mime_begins(r->mime, "application/json") ||
	       mime_begins(r->mime, "application/vnd.ms-");
}

static bool
is_page_part(const char *mime, bool named_kp)
{
	static const char *const parts[] = {"text/html", "text/css", "text/javascript", "application/javascript",
	        "application/x-javascript", "application/xhtml", "application/rss", "application/xml", "text/xml",
	        "font/", "image/"};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		/* Pictures are the trade's goods: only a named public site's are page views. */
		if (mime_begins(mime, parts[i]) && (named_kp || strcmp(parts[i], "image/") != 0))
			return true;
	}
	return false;
}

/* DNS over UDP is known by its port alone: its content is not read. */
static bool
asks_resolver(const struct flow_record *r)
{
	enum { PORT_DNS = 53 };
	return r->transport == IPPROTO_UDP &&
	       (r->side[SIDE_SOURCE].port == PORT_DNS || r->side[SIDE_DESTINATION].port == PORT_DNS);
}

static bool
is_allowed(const struct policy_conf *conf, const struct addr *a)
{
	for (size_t i = 0; i < conf->allow_count; i++) {
		if (addr_within(a, &conf->allow[i].addr, conf->allow[i].bits))
			return true;
	}
	return false;
}

static bool
mime_begins(const char *mime, const char *prefix)
{
	return mime != NULL && strncmp(mime, prefix, strlen(prefix)) == 0;
}
