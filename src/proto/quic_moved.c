#include "config.h"

#include "proto/quic_moved.h"

#include <stdio.h>
#include <string.h>

#include "proto/quic_packet.h"
#include "transfer/transfer.h"

enum {
	KEPT = 4,    /* connections of two hosts; the oldest goes first */
	CID_MIN = 4, /* bytes */
};

static const char key[] = "quic:cid";

struct connection {
	uint8_t len; /* 0: none */
	uint8_t cid[QUIC_CID_MAX];
	char name[QUIC_MOVED_NAME_MAX];
};

static bool kept(struct session *s, struct connection out[KEPT]);

void
quic_moved_note(struct session *s, struct reader cid)
{
	struct connection c[KEPT];
	const char *name = session_facts(s)->tls.server_name;

	if (cid.left < CID_MIN || cid.left > QUIC_CID_MAX)
		return;
	if (!kept(s, c))
		memset(c, 0, sizeof c);
	if (c[0].len == cid.left && memcmp(c[0].cid, cid.next, cid.left) == 0)
		return;
	memmove(c + 1, c, (KEPT - 1) * sizeof c[0]);
	memset(&c[0], 0, sizeof c[0]);
	c[0].len = (uint8_t)cid.left;
	memcpy(c[0].cid, cid.next, cid.left);
	if (name != NULL && strlen(name) < QUIC_MOVED_NAME_MAX)
		(void)snprintf(c[0].name, sizeof c[0].name, "%s", name);
	/* Out of memory, a connection that moves is not known again. */
	(void)session_note(s, NOTE_PAIR, key, sizeof key, c, sizeof c);
}

bool
quic_moved_find(struct session *s, struct reader packet, char name[QUIC_MOVED_NAME_MAX])
{
	struct connection c[KEPT];

	reader_skip(&packet, 1); /* flags */
	if (!reader_ok(&packet) || !kept(s, c))
		return false;
	for (size_t i = 0; i < KEPT && c[i].len > 0; i++) {
		if (packet.left < c[i].len || memcmp(packet.next, c[i].cid, c[i].len) != 0)
			continue;
		memcpy(name, c[i].name, sizeof c[i].name);
		return true;
	}
	return false;
}

static bool
kept(struct session *s, struct connection out[KEPT])
{
	size_t len;
	const void *noted = session_noted(s, NOTE_PAIR, key, sizeof key, &len);
	if (noted == NULL || len != KEPT * sizeof *out)
		return false;
	memcpy(out, noted, len);
	return true;
}
