/*
 * waybill.flow: one connection or exchange, at its end. Also what other events tell of the flow that they
 * belong to.
 */
#include "config.h"

#include <netinet/in.h>

#include "output/event.h"

static void put_network(struct json *j, const struct flow_record *r, const char *protocol);
static const char *direction(const struct flow_record *r);
static const char *transport_name(uint8_t transport);
static void put_tls(struct json *j, const struct facts *f, const struct event_details *details);
static void put_session(struct json *j, const struct flow_record *r, const struct event_details *details);
static void put_transport(struct json *j, uint8_t transport);
static void put_outer(struct json *j, const struct flow_outer *o);
static void put_pair(struct json *j, const char *name, uint64_t source, uint64_t destination);

void
event_write_flow(struct json *j, const struct flow_record *r, const struct event_stamp *stamp)
{
	const struct event_head head = {
		.time = r->start,
		.constants = "\"kind\":\"event\",\"category\":[\"network\"],\"type\":[\"connection\",\"end\"],"
			     "\"action\":\"flow-ended\",\"dataset\":\"waybill.flow\"",
		.id = r->id,
		.start = r->start,
		.end = r->end,
	};

	struct event_details details;

	event_details_gather(&details, r, NULL);
	event_begin(j, &head, stamp);
	json_object_end(j);
	event_flow_members(j, r, NULL);
	event_session_members(j, r, NULL, &details);
	json_object(j, "waybill");
	event_waybill_flow(j, r, &details);
	event_waybill_service(j, r);
	event_waybill_listed(j, r, NULL);
	json_object_end(j);
	json_object_end(j);
}

void
event_flow_members(struct json *j, const struct flow_record *r, const char *protocol)
{
	event_endpoint(j, "source", &r->side[SIDE_SOURCE], NULL, 0);
	event_endpoint(j, "destination", &r->side[SIDE_DESTINATION], r->name.text, r->name.len);
	put_network(j, r, protocol);
}

static void
put_network(struct json *j, const struct flow_record *r, const char *protocol)
{
	const struct endpoint *source = &r->side[SIDE_SOURCE], *destination = &r->side[SIDE_DESTINATION];

	json_object(j, "network");
	json_plain(j, "type", r->ip_version == 6 ? "ipv6" : "ipv4");
	put_transport(j, r->transport);
	event_string(j, "protocol", protocol != NULL ? protocol : r->facts->protocol);
	event_string(j, "community_id", r->community_id);
	json_u64(j, "bytes", source->bytes + destination->bytes);
	json_u64(j, "packets", source->packets + destination->packets);
	json_plain(j, "direction", direction(r));
	if (r->vlan[0] != 0) {
		json_object(j, "vlan");
		json_u64(j, "id", r->vlan[0]);
		json_object_end(j);
	}
	if (r->vlan[1] != 0) {
		json_object(j, "inner");
		json_object(j, "vlan");
		json_u64(j, "id", r->vlan[1]);
		json_object_end(j);
		json_object_end(j);
	}
	json_object_end(j);
}

static void
put_transport(struct json *j, uint8_t transport)
{
	const char *name = transport_name(transport);
	if (name != NULL)
		json_plain(j, "transport", name);
	else
		json_u64(j, "iana_number", transport);
}

/* As ECS has it, for an observer at the edge of the home networks. A group that home calls is home. */
static const char *
direction(const struct flow_record *r)
{
	bool from_home = r->side[SIDE_SOURCE].place.flags & PLACE_HOME;
	bool to_home = r->side[SIDE_DESTINATION].place.flags & (PLACE_HOME | PLACE_MULTICAST);

	if (from_home)
		return to_home ? "internal" : "outbound";
	return r->side[SIDE_DESTINATION].place.flags & PLACE_HOME ? "inbound" : "external";
}

/* The IANA keyword in lower case, or NULL for one that is seldom met. */
static const char *
transport_name(uint8_t transport)
{
	switch (transport) {
	case IPPROTO_TCP: return "tcp";
	case IPPROTO_UDP: return "udp";
	case IPPROTO_ICMP: return "icmp";
	case IPPROTO_ICMPV6: return "ipv6-icmp";
	case IPPROTO_SCTP: return "sctp";
	case IPPROTO_IGMP: return "igmp";
	case IPPROTO_GRE: return "gre";
	case IPPROTO_ESP: return "esp";
	case IPPROTO_AH: return "ah";
	case IPPROTO_PIM: return "pim";
	case IPPROTO_DCCP: return "dccp";
	case IPPROTO_UDPLITE: return "udplite";
	case 88: return "eigrp";
	case 89: return "ospfigp";
	case 112: return "vrrp";
	default: return NULL;
	}
}

bool
event_is_http(const char *protocol)
{
	return protocol != NULL && strncmp(protocol, "http", 4) == 0;
}

void
event_session_members(struct json *j, const struct flow_record *r, const struct transfer_record *transfer,
                      const struct event_details *details)
{
	const struct facts *f = r->facts;
	const struct text *user = &f->user;

	if (transfer != NULL && event_has(&transfer->user))
		user = &transfer->user;
	if (event_has(user)) {
		json_object(j, "user");
		event_text(j, "name", user);
		json_object_end(j);
	}
	if (event_is_http(f->protocol) && event_has(&f->client)) {
		json_object(j, "user_agent");
		event_text(j, "original", &f->client);
		json_object_end(j);
	}
	put_tls(j, f, details);
	event_root_details(j, details);
}

static void
put_tls(struct json *j, const struct facts *f, const struct event_details *details)
{
	static const char *const ends[] = {"client", "server", NULL}, *const none[] = {NULL};
	const bool client = f->tls.server_name != NULL || f->tls.ja3 != NULL || f->tls.ja4 != NULL ||
	                    event_details_any(details, "tls.client.");
	const bool server = f->tls.ja3s != NULL || event_details_any(details, "tls.server.");

	if (!client && !server && f->tls.version == NULL && f->tls.alpn == NULL && f->tls.cipher == NULL &&
	        !event_details_any(details, "tls."))
		return;
	json_object(j, "tls");
	if (client) {
		json_object(j, "client");
		event_string(j, "server_name", f->tls.server_name);
		event_string(j, "ja3", f->tls.ja3);
		event_string(j, "ja4", f->tls.ja4);
		event_details(j, details, "tls.client.", none);
		json_object_end(j);
	}
	if (server) {
		json_object(j, "server");
		event_string(j, "ja3s", f->tls.ja3s);
		event_details(j, details, "tls.server.", none);
		json_object_end(j);
	}
	event_string(j, "version", f->tls.version);
	event_string(j, "cipher", f->tls.cipher);
	event_string(j, "next_protocol", f->tls.alpn);
	event_details(j, details, "tls.", ends);
	json_bool(j, "established", f->tls.established);
	json_object_end(j);
}

void
event_waybill_flow(struct json *j, const struct flow_record *r, const struct event_details *details)
{
	static const char *const ends[] = {
		[FLOW_END_FIN] = "fin", [FLOW_END_RST] = "rst", [FLOW_END_TIMEOUT] = "timeout",
		[FLOW_END_REUSE] = "reuse", [FLOW_END_SHED] = "shed", [FLOW_END_CAPTURE] = "capture-end",
	};
	const struct endpoint *source = &r->side[SIDE_SOURCE], *destination = &r->side[SIDE_DESTINATION];

	json_object(j, "flow");
	event_string(j, "id", r->id);
	put_pair(j, "payload", source->payload, destination->payload);
	if (source->missing > 0 || destination->missing > 0)
		put_pair(j, "missing", source->missing, destination->missing);
	if (r->transport == IPPROTO_TCP) {
		event_string(j, "history", r->history);
		json_bool(j, "midstream", r->midstream);
		json_bool(j, "handshake", r->handshake);
	} else if (r->transport == IPPROTO_ICMP || r->transport == IPPROTO_ICMPV6) {
		json_object(j, "icmp");
		json_u64(j, "type", r->icmp_type);
		json_u64(j, "code", r->icmp_code);
		json_object_end(j);
	}
	if (r->end_reason != FLOW_END_NONE)
		json_plain(j, "end_reason", ends[r->end_reason]);
	json_u64(j, "first_frame", r->first_frame);
	json_u64(j, "last_frame", r->last_frame);
	if (r->depth > 0)
		json_u64(j, "depth", r->depth);
	if (r->outer.id[0] != '\0')
		put_outer(j, &r->outer);
	json_object_end(j);
	put_session(j, r, details);
}

static void
put_outer(struct json *j, const struct flow_outer *o)
{
	static const char *const ends[] = {"source", "destination"};
	json_object(j, "outer");
	event_string(j, "id", o->id);
	put_transport(j, o->transport);
	for (int i = 0; i < 2; i++) {
		json_object(j, ends[i]);
		event_addr(j, "ip", &o->addr[i]);
		if (o->port[i] != 0)
			json_u64(j, "port", o->port[i]);
		json_object_end(j);
	}
	json_object_end(j);
}

static void
put_pair(struct json *j, const char *name, uint64_t source, uint64_t destination)
{
	json_object(j, name);
	json_u64(j, "source", source);
	json_u64(j, "destination", destination);
	json_object_end(j);
}

/* What a session said of itself and ECS has no field for. */
static void
put_session(struct json *j, const struct flow_record *r, const struct event_details *details)
{
	static const char *const none[] = {NULL};
	const struct facts *f = r->facts;
	bool http = event_is_http(f->protocol);
	bool client = event_has(&f->client) && !http;

	if (f->method != NULL || event_has(&f->service) || client || event_has(&f->server) ||
	    f->client_language != NULL || r->name.text != NULL) {
		json_object(j, "session");
		event_string(j, "method", f->method);
		event_string(j, "domain_basis", event_name_basis(r->name.basis));
		event_text(j, "service", &f->service);
		if (client)
			event_text(j, "client", &f->client);
		event_text(j, "server", &f->server);
		event_string(j, "language", f->client_language);
		json_object_end(j);
	}
	if (f->ssh.hassh != NULL || f->ssh.hassh_server != NULL || event_details_any(details, "ssh.")) {
		json_object(j, "ssh");
		event_string(j, "hassh", f->ssh.hassh);
		event_string(j, "hassh_server", f->ssh.hassh_server);
		event_details(j, details, "ssh.", none);
		json_object_end(j);
	}
	event_waybill_text(j, "user", &f->user);
	event_waybill_details(j, details);
}
