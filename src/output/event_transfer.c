/* waybill.transfer: the waybill itself, one event for each file. */
#include "config.h"

#include "output/event.h"

static void put_file(struct json *j, const struct transfer_record *r);
static void put_url(struct json *j, const char *url);
static void put_url_parts(struct json *j, const char *authority);
static void put_data(struct json *j, const struct flow_record *data);
static const char *extension(const char *name);

void
event_write_transfer(struct json *j, const struct transfer_record *r, const struct event_stamp *stamp)
{
	static const char *const outcomes[] = {
		[TRANSFER_OPEN] = "unknown", [TRANSFER_COMPLETE] = "success",
		[TRANSFER_TRUNCATED] = "unknown", [TRANSFER_ABORTED] = "failure",
	};
	struct event_head head = {
		.time = r->start,
		.constants = "\"kind\":\"event\",\"category\":[\"network\",\"file\"],\"type\":[\"access\"],"
			     "\"action\":\"file-upload\",\"dataset\":\"waybill.transfer\"",
		.id = r->id,
		.start = r->start,
		.end = r->end,
	};
	if (r->sender == SIDE_DESTINATION)
		head.constants = "\"kind\":\"event\",\"category\":[\"network\",\"file\"],\"type\":[\"access\"],"
				 "\"action\":\"file-download\",\"dataset\":\"waybill.transfer\"";

	struct event_details details;

	event_details_gather(&details, r->flow, r);
	event_begin(j, &head, stamp);
	json_plain(j, "outcome", outcomes[r->state]);
	json_object_end(j);
	event_flow_members(j, r->flow, r->protocol);
	event_file_members(j, r);
	event_session_members(j, r->flow, r, &details);
	json_object(j, "waybill");
	event_waybill_transfer(j, r);
	event_waybill_flow(j, r->flow, &details);
	event_waybill_service(j, r->flow);
	event_waybill_listed(j, r->flow, r->data);
	json_object_end(j);
	json_object_end(j);
}

void
event_file_members(struct json *j, const struct transfer_record *r)
{
	put_file(j, r);
	put_url(j, r->http.url);
	if (r->http.method == NULL && r->http.status == 0)
		return;
	json_object(j, "http");
	if (r->http.method != NULL || r->http.referrer != NULL) {
		json_object(j, "request");
		event_string(j, "method", r->http.method);
		event_string(j, "referrer", r->http.referrer);
		json_object_end(j);
	}
	if (r->http.status != 0) {
		json_object(j, "response");
		json_u64(j, "status_code", r->http.status);
		json_object_end(j);
	}
	json_object_end(j);
}

static void
put_file(struct json *j, const struct transfer_record *r)
{
	const char *mime = r->mime != NULL ? r->mime : r->declared_mime;

	if (!event_has(&r->name) && !event_has(&r->path) && !r->size_known && mime == NULL && !r->has_sha256)
		return;
	json_object(j, "file");
	event_text(j, "name", &r->name);
	event_text(j, "path", &r->path);
	if (r->size_known)
		json_u64(j, "size", r->size);
	if (event_has(&r->name))
		json_string(j, "extension", extension(r->name.utf8));
	event_string(j, "mime_type", mime);
	if (r->has_sha256) {
		json_object(j, "hash");
		json_hex(j, "sha256", r->sha256, sizeof r->sha256);
		json_object_end(j);
	}
	json_object_end(j);
}

/* What stands behind the last dot, where that looks like an extension; else NULL. */
static const char *
extension(const char *name)
{
	enum { EXTENSION_MAX = 16 };
	const char *dot = strrchr(name, '.');

	if (dot == NULL || dot == name)
		return NULL;
	size_t len = strlen(dot + 1);
	if (len == 0 || len > EXTENSION_MAX || strpbrk(dot + 1, "/\\ \t?&=") != NULL)
		return NULL;
	return dot + 1;
}

/* RFC 3986 section 3, as far as ECS splits it. */
static void
put_url(struct json *j, const char *url)
{
	if (url == NULL || url[0] == '\0')
		return;
	json_object(j, "url");
	json_string(j, "original", url);
	const char *scheme_end = strstr(url, "://");
	if (scheme_end != NULL && scheme_end < url + strcspn(url, "/?#")) {
		json_string(j, "full", url);
		put_url_parts(j, scheme_end + strlen("://"));
	} else if (url[0] == '/') {
		json_bytes(j, "path", url, strcspn(url, "?#"));
	}
	json_object_end(j);
}

/* The domain, without user and port, and the path. */
static void
put_url_parts(struct json *j, const char *authority)
{
	const char *path = authority + strcspn(authority, "/?#");
	const char *host = authority;

	for (const char *at = authority; at < path; at++)
		if (*at == '@')
			host = at + 1;
	size_t len = (size_t)(path - host);
	const char *bracket = host[0] == '[' ? memchr(host, ']', len) : NULL;
	const char *colon = bracket == NULL ? memchr(host, ':', len) : NULL;
	if (bracket != NULL) {
		host++;
		len = (size_t)(bracket - host);
	} else if (colon != NULL) {
		len = (size_t)(colon - host);
	}
	if (len > 0)
		json_bytes(j, "domain", host, len);
	size_t path_len = strcspn(path, "?#");
	if (path_len > 0)
		json_bytes(j, "path", path, path_len);
}

void
event_waybill_transfer(struct json *j, const struct transfer_record *r)
{
	static const char *const states[] = {
		[TRANSFER_OPEN] = "open", [TRANSFER_COMPLETE] = "complete",
		[TRANSFER_TRUNCATED] = "truncated", [TRANSFER_ABORTED] = "aborted",
	};

	json_object(j, "transfer");
	event_string(j, "id", r->id);
	json_plain(j, "direction", r->sender == SIDE_SOURCE ? "upload" : "download");
	json_plain(j, "sender", event_side(r->sender));
	json_plain(j, "state", states[r->state]);
	json_plain(j, "basis", r->basis == TRANSFER_READ ? "read" : "inferred");
	event_string(j, "method", r->method);
	json_u64(j, "offset", r->offset);
	json_u64(j, "seen_bytes", r->seen);
	json_u64(j, "missing_bytes", r->missing);
	if (r->copied > 0)
		json_u64(j, "copied_bytes", r->copied);
	event_string(j, "hash_covers", r->hash_covers);
	if (r->has_partial_sha256)
		json_hex(j, "partial_sha256", r->partial_sha256, sizeof r->partial_sha256);
	event_string(j, "content_encoding", r->content_encoding);
	event_string(j, "still_encoded", r->still_encoded);
	if (r->has_sent_sha256)
		json_hex(j, "sent_sha256", r->sent_sha256, sizeof r->sent_sha256);
	if (r->mime != NULL)
		event_string(j, "declared_mime", r->declared_mime);
	event_string(j, "kind", r->kind);
	if (r->listing)
		json_bool(j, "listing", true);
	if (r->form)
		json_bool(j, "form", true);
	if (r->reasons[0] != NULL) {
		json_array(j, "reasons");
		for (size_t i = 0; i < sizeof r->reasons / sizeof r->reasons[0] && r->reasons[i] != NULL; i++)
			json_string(j, NULL, r->reasons[i]);
		json_array_end(j);
	}
	if (r->data != NULL)
		put_data(j, r->data);
	json_object_end(j);
	event_waybill_text(j, "name", &r->name);
	event_waybill_text(j, "path", &r->path);
}

/* The connection that the bytes took, where it is not the session's own. */
static void
put_data(struct json *j, const struct flow_record *data)
{
	json_object(j, "data");
	event_string(j, "id", data->id);
	event_string(j, "community_id", data->community_id);
	event_endpoint(j, "source", &data->side[SIDE_SOURCE], NULL, 0);
	event_endpoint(j, "destination", &data->side[SIDE_DESTINATION], NULL, 0);
	json_object_end(j);
}
