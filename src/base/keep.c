#include "config.h"

#include "base/keep.h"

#include <string.h>

static const char *keep_string(struct arena *a, const char *s);
static void keep_text(struct arena *a, struct text *t);

const struct flow_record *
keep_flow(struct arena *a, const struct flow_record *r)
{
	struct flow_record *copy = arena_copy(a, r, sizeof *r);
	struct facts *facts = arena_copy(a, r->facts, sizeof *r->facts);
	if (copy == NULL || facts == NULL)
		return NULL;
	keep_text(a, &facts->user);
	keep_text(a, &facts->service);
	keep_text(a, &facts->client);
	keep_text(a, &facts->server);
	facts->resolved = keep_string(a, facts->resolved);
	facts->client_language = keep_string(a, facts->client_language);
	facts->tls.server_name = keep_string(a, facts->tls.server_name);
	facts->tls.ja3 = keep_string(a, facts->tls.ja3);
	facts->tls.ja4 = keep_string(a, facts->tls.ja4);
	facts->tls.ja3s = keep_string(a, facts->tls.ja3s);
	facts->tls.cipher = keep_string(a, facts->tls.cipher);
	facts->tls.alpn = keep_string(a, facts->tls.alpn);
	facts->tls.version = keep_string(a, facts->tls.version);
	facts->ssh.hassh = keep_string(a, facts->ssh.hassh);
	facts->ssh.hassh_server = keep_string(a, facts->ssh.hassh_server);
	facts->details = details_keep(a, facts->details);
	copy->facts = facts;
	if (copy->name.text != NULL) /* borrowed of the facts that were */
		copy->name.text = arena_copy(a, r->name.text, r->name.len);
	if (copy->name.text == NULL)
		copy->name.len = 0;
	return copy;
}

const struct transfer_record *
keep_transfer(struct arena *a, const struct transfer_record *r)
{
	struct transfer_record *copy = arena_copy(a, r, sizeof *r);
	if (copy == NULL)
		return NULL;
	copy->flow = keep_flow(a, r->flow);
	copy->data = r->data != NULL ? keep_flow(a, r->data) : NULL;
	copy->method = keep_string(a, r->method);
	keep_text(a, &copy->name);
	keep_text(a, &copy->path);
	keep_text(a, &copy->user);
	copy->declared_mime = keep_string(a, r->declared_mime);
	copy->mime = keep_string(a, r->mime);
	copy->kind = keep_string(a, r->kind);
	copy->hash_covers = keep_string(a, r->hash_covers);
	copy->content_encoding = keep_string(a, r->content_encoding);
	copy->still_encoded = keep_string(a, r->still_encoded);
	for (size_t i = 0; i < sizeof copy->reasons / sizeof copy->reasons[0]; i++)
		copy->reasons[i] = keep_string(a, r->reasons[i]);
	copy->http.url = keep_string(a, r->http.url);
	copy->http.method = keep_string(a, r->http.method);
	copy->http.referrer = keep_string(a, r->http.referrer);
	copy->details = details_keep(a, r->details);
	return copy->flow != NULL ? copy : NULL;
}

static const char *
keep_string(struct arena *a, const char *s)
{
	return s != NULL ? arena_string(a, s, strlen(s)) : NULL;
}

static void
keep_text(struct arena *a, struct text *t)
{
	t->utf8 = keep_string(a, t->utf8);
	t->encoding = keep_string(a, t->encoding);
	if (t->raw != NULL) {
		t->raw = arena_copy(a, t->raw, t->raw_len);
		t->raw_len = t->raw != NULL ? t->raw_len : 0;
	}
}
