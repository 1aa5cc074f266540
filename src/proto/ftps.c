#include "config.h"

#include "proto/ftps.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "transfer/transfer.h"

enum {
	PORT_IMPLICIT = 990,
	PORT_DATA = 20,           /* from which servers connect in active mode */
	PORT_IMPLICIT_DATA = 989,
	PORT_PASSIVE_MIN = 1024,
	PORT_WEB = 8443,
	SESSION_ID_MAX = 32,
	WORD_NAME_MAX = 128,       /* of a host or an account; longer ones are not kept */
};

/* How long after its last sign a control connection counts as there. */
static const int64_t lifetime = 3600 * CLOCK_SECOND;

static const char key[] = "ftps:control";

/* What a control connection leaves. */
struct word {
	int64_t time;                /* its last sign */
	struct addr server;
	uint8_t session_id[SESSION_ID_MAX]; /* of its TLS session, which the data connections resume */
	uint8_t session_id_len;
	char host[WORD_NAME_MAX];     /* that the client asked for; empty: none */
	char user[WORD_NAME_MAX];     /* told before TLS began; empty: behind it, as RFC 4217 would have it */
};

static const char *control_by(const struct session *s, const struct session_ends *ends, enum side client);
static bool is_data_port(const struct session_ends *ends, enum side client);
static bool may_be_data(const struct word *w, const struct session_ends *ends, enum side client, const struct facts *f);
static void copy_name(char out[WORD_NAME_MAX], const char *name);

void
ftps_server_hello(struct session *s, enum side client, const struct tls_hello *h)
{
	const struct session_ends ends = session_ends(s);
	const char *by = control_by(s, &ends, client);
	const struct facts *f;
	struct word w;

	if (by == NULL)
		return;
	session_detail(s, "ftps.control", by, strlen(by));
	memset(&w, 0, sizeof w);
	w.time = session_now(s);
	w.server = ends.addr[side_other(client)];
	if (h->session_id.left > 0 && h->session_id.left <= SESSION_ID_MAX) {
		w.session_id_len = (uint8_t)h->session_id.left;
		memcpy(w.session_id, h->session_id.next, h->session_id.left);
	}
	f = session_facts(s);
	copy_name(w.host, f->tls.server_name);
	copy_name(w.user, f->user.utf8);
	/* Out of memory, its data connections are TLS and no more. */
	(void)session_note(s, NOTE_PAIR, key, sizeof key, &w, sizeof w);
}

void
ftps_client_hello(struct session *s, enum side client, const struct tls_hello *h)
{
	const struct session_ends ends = session_ends(s);
	struct word w;
	size_t len;

	if (!is_data_port(&ends, client) || session_protocol_name(s) == NULL ||
	        strcmp(session_protocol_name(s), "tls") != 0)
		return;
	const void *noted = session_noted(s, NOTE_PAIR, key, sizeof key, &len);
	if (noted == NULL || len != sizeof w)
		return;
	memcpy(&w, noted, sizeof w);
	if (session_now(s) - w.time > lifetime || !may_be_data(&w, &ends, client, session_facts(s)))
		return;
	const bool same = w.session_id_len > 0 && h->session_id.left == w.session_id_len &&
	                  memcmp(h->session_id.next, w.session_id, w.session_id_len) == 0;
	session_detail(s, "ftps.data", same ? "by its TLS session" : "by its hosts", same ? 18 : 12);
	session_inferred_as(s, &(struct session_guess){.method = "FTPS data",
	        .why = same ? "it goes on with the TLS session of a control connection"
	                    : "it is TLS between the hosts of a control connection"});
	session_account(s, w.user, strlen(w.user));
	w.time = session_now(s);
	(void)session_note(s, NOTE_PAIR, key, sizeof key, &w, sizeof w);
}

/* How it is known that this is a control connection; NULL: it is none. */
static const char *
control_by(const struct session *s, const struct session_ends *ends, enum side client)
{
	const char *protocol = session_protocol_name(s);

	if (protocol == NULL)
		return NULL;
	if (strcmp(protocol, "ftp") == 0)
		return "explicit";
	/* Nothing but the port tells it from any other TLS. */
	if (strcmp(protocol, "tls") == 0 && ends->port[side_other(client)] == PORT_IMPLICIT)
		return "implicit, by its port";
	return NULL;
}

/* The client of the control connection is that of TLS too, whoever opens the data connection (RFC 4217 section 7). */
static bool
is_data_port(const struct session_ends *ends, enum side client)
{
	const uint16_t own = ends->port[SIDE_SOURCE], to = ends->port[SIDE_DESTINATION];

	if (client == SIDE_DESTINATION)
		return own == PORT_DATA || own == PORT_IMPLICIT_DATA || own >= PORT_PASSIVE_MIN;
	return to >= PORT_PASSIVE_MIN && to != PORT_WEB;
}

/* To the same server, not under another name, and not for another protocol. */
static bool
may_be_data(const struct word *w, const struct session_ends *ends, enum side client, const struct facts *f)
{
	const char *host = f->tls.server_name, *alpn = f->tls.alpn;

	if (!addr_equal(&w->server, &ends->addr[side_other(client)]))
		return false;
	if (host != NULL && strcmp(host, w->host) != 0)
		return false;
	return alpn == NULL || strcmp(alpn, "ftp") == 0 || strcmp(alpn, "ftp-data") == 0;
}

static void
copy_name(char out[WORD_NAME_MAX], const char *name)
{
	if (name != NULL && strlen(name) < WORD_NAME_MAX)
		(void)snprintf(out, WORD_NAME_MAX, "%s", name);
}
