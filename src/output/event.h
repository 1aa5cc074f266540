/*
 * What the writers of the event kinds share: the members that stand in every event, or in every
 * event about a flow. Each function writes whole members into the object that is open.
 */
#ifndef WAYBILL_OUTPUT_EVENT_H
#define WAYBILL_OUTPUT_EVENT_H

#include "base/record.h"
#include "output/json.h"
#include "output/output.h"

/* The envelope of an event. */
struct event_head {
	int64_t time;          /* @timestamp */
	const char *constants; /* kind, category, type, action, dataset: members written out */
	const char *id;        /* or NULL */
	int64_t start, end;
};

/* Empties the writer, opens the event and its event object; the caller may add to that and ends it. */
void event_begin(struct json *j, const struct event_head *head, const struct event_stamp *stamp);

/* source, destination, network. protocol: of the transfer, or NULL for the session's. */
void event_flow_members(struct json *j, const struct flow_record *r, const char *protocol);

/* The details of a session and of a transfer in it. */
struct event_details {
	struct detail detail[2 * DETAIL_MAX];
	size_t count;
};

/* Borrowed from the records. transfer: or NULL; what it says of itself stands for what its session says under the same key. */
void event_details_gather(struct event_details *out, const struct flow_record *flow, const struct transfer_record *transfer);
/* Does a key begin with prefix? */
bool event_details_any(const struct event_details *d, const char *prefix);
/* Those whose keys begin with prefix, nested by what follows it; but for members whose names are in skip (NULL ends). */
void event_details(struct json *j, const struct event_details *d, const char *prefix, const char *const skip[]);
/* email, dns: field sets of ECS that only details fill. */
void event_root_details(struct json *j, const struct event_details *d);
/* Under waybill: all that have no place of their own. */
void event_waybill_details(struct json *j, const struct event_details *d);

/* user, user_agent, tls, email, dns. transfer: or NULL for a flow alone. */
void event_session_members(struct json *j, const struct flow_record *r, const struct transfer_record *transfer,
                           const struct event_details *details);

/* file, url, http. */
void event_file_members(struct json *j, const struct transfer_record *r);

/* Under waybill: flow, session, ssh, and what details say. */
void event_waybill_flow(struct json *j, const struct flow_record *r, const struct event_details *details);

/* Under waybill: transfer, name, path. */
void event_waybill_transfer(struct json *j, const struct transfer_record *r);

/* Under waybill: the raw form of a text that did not come as UTF-8; else nothing. */
void event_waybill_text(struct json *j, const char *name, const struct text *t);

/* Under waybill: whose service an end of the flow is; nothing where that is not known. */
void event_waybill_service(struct json *j, const struct flow_record *r);

/* The same of a single address or name (lookup). row NULL: nothing. */
void event_waybill_service_row(struct json *j, const struct service_row *row);

/* "SNI"; NULL for none. */
const char *event_name_basis(enum name_basis b);

void event_addr(struct json *j, const char *name, const struct addr *a);

/* One end of a connection, as source, destination or an end of waybill.transfer.data. domain: or NULL. */
void event_endpoint(struct json *j, const char *name, const struct endpoint *e, const char *domain, size_t domain_len);

/* Under waybill: the listing of an end; side NULL: of a single address (lookup). row NULL: nothing. */
void event_waybill_listing(struct json *j, const struct listing *l, const char *side, bool data);

/* The listing that weighs most among the ends of a transfer's or flow's connections; data: or NULL. */
void event_waybill_listed(struct json *j, const struct flow_record *flow, const struct flow_record *data);

const char *event_side(enum side s);             /* "source" */
const char *event_confidence(enum confidence c); /* "confirmed"; "none" */

/* A rule's name for people: "File transfer with a sanctioned network"; or NULL. */
const char *event_rule_name(const char *rule);

/* HTTP of any version, where facts name a host and a user agent? NULL: no. */
bool event_is_http(const char *protocol);

static inline bool
event_has(const struct text *t)
{
	return t->utf8 != NULL && t->utf8[0] != '\0';
}

static inline void
event_text(struct json *j, const char *name, const struct text *t)
{
	if (event_has(t))
		json_string(j, name, t->utf8);
}

/* An empty string is an unknown one. */
static inline void
event_string(struct json *j, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_string(j, name, value);
}

#endif
