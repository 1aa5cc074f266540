#include "config.h"

#include "proto/tls_turns.h"

#include "transfer/transfer.h"

enum {
	OVERHEAD = 17, /* a tag of 16 bytes and, in TLS 1.3, the type (RFC 8446 section 5.2); other ciphers have some more */
	SMALL = 28,    /* two WINDOW_UPDATEs of HTTP/2: acknowledgements and the like end nobody's turn */
};

void
tls_turns_record(struct tls_turns *t, enum side from, enum side client, size_t len)
{
	if (len < OVERHEAD + SMALL)
		return;
	if (!t->begun || t->last != from) {
		t->begun = true;
		t->last = from;
		t->turn[from] = 0;
		t->requests += from == client;
	}
	t->turn[from] += len - OVERHEAD;
	if (t->turn[from] > t->largest[from])
		t->largest[from] = t->turn[from];
}

void
tls_turns_tell(const struct tls_turns *t, struct session *s, enum side client)
{
	const uint64_t asked = t->largest[client], answered = t->largest[side_other(client)];
	if (t->requests == 0)
		return;
	session_detail_number(s, "encrypted.requests_estimate", t->requests);
	session_detail_number(s, "encrypted.largest_request_estimate", asked);
	if (answered > 0)
		session_detail_number(s, "encrypted.largest_answer_estimate", answered);
}
