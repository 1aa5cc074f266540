/*
 * FileCatalyst has no public specification, and this reads none of it. What its maker tells is how it is used
 * (support.filecatalyst.com, "Why are multiple data ports needed?"): a control connection to port 21, or over TLS to 990, and for each transfer
 * a flow of UDP to a port between 8000 and 8999. So a flow there is told as FileCatalyst, with low confidence, where
 * all of that holds: an FTP control connection, or TLS to 990, between the same two hosts before (notes of ours), and nearly all bytes
 * go one way, in large datagrams. Otherwise it stays what it was, an unknown one. Servers on other ports are missed.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>

enum {
	PORT_FIRST = 8000,
	PORT_LAST = 8999,
	LARGE_MIN = 512,
	LARGE_SURE = 64,  /* large datagrams from one side */
	LOOK_MAX = 256,   /* datagrams after which it is none */
	BACK_PARTS = 16,  /* the other side sends less than one part in so many */
};

struct filecatalyst {
	struct session *session;
	uint64_t bytes[2];
	uint16_t large[2], looked;
};

static bool in_range(uint16_t port);
static bool has_control(struct session *s);

static enum verdict
filecatalyst_probe(const struct probe *p)
{
	/* Where to look at all; what was seen before decides. */
	if (!in_range(p->port[SIDE_SOURCE]) && !in_range(p->port[SIDE_DESTINATION]))
		return VERDICT_NOT_MINE;
	if (p->session == NULL)
		return VERDICT_MORE;
	return has_control(p->session) ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static void *
filecatalyst_open(struct session *s)
{
	struct filecatalyst *f = calloc(1, sizeof *f);
	if (f == NULL)
		return NULL;
	session_protocol_none(s);
	f->session = s;
	return f;
}

static enum verdict
filecatalyst_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	static const char confidence[] = "low", method[] = "shape";
	struct filecatalyst *f = state;
	(void)bytes;
	f->bytes[from] += len;
	if (len >= LARGE_MIN)
		f->large[from]++;
	if (++f->looked > LOOK_MAX)
		return VERDICT_NOT_MINE;
	if (f->large[from] < LARGE_SURE)
		return VERDICT_MORE;
	if (f->bytes[side_other(from)] > f->bytes[from] / BACK_PARTS)
		return VERDICT_NOT_MINE;
	session_protocol(f->session, "filecatalyst", method);
	session_detail(f->session, "filecatalyst.confidence", confidence, sizeof confidence - 1);
	session_unreadable(f->session, "no public specification");
	session_inferred_as(f->session, &(struct session_guess){.method = "FileCatalyst",
	                    .why = "an FTP control connection between these hosts before, then large datagrams one way, on a port of FileCatalyst's; low confidence"});
	return VERDICT_DONE;
}

static enum verdict
filecatalyst_gap(void *state, enum side from, uint64_t len)
{
	struct filecatalyst *f = state;
	f->bytes[from] += len;
	return VERDICT_MORE;
}

static void
filecatalyst_close(void *state, bool reset)
{
	(void)reset;
	free(state);
}

const struct proto proto_filecatalyst = {
        .name = "filecatalyst",
        .transport = IPPROTO_UDP,
        .ports = {PORT_FIRST},
        .reads = "nothing: FileCatalyst has no public specification",
        .infers = "that a flow is one, with low confidence: an FTP control connection (or TLS to port 990) between the same hosts "
                  "before, large datagrams one way, its usual ports; transfers, from volume",
        .misses = "files, names; servers on other ports; flows whose control connection was not seen or is not like FTP",
        .probe = filecatalyst_probe,
        .open = filecatalyst_open,
        .data = filecatalyst_data,
        .gap = filecatalyst_gap,
        .end = NULL,
        .close = filecatalyst_close,
};

static bool
in_range(uint16_t port)
{
	return port >= PORT_FIRST && port <= PORT_LAST;
}

static bool
has_control(struct session *s)
{
	static const char ftp[] = "ftp:session", ftps[] = "ftps:control";
	size_t len;
	return session_noted(s, NOTE_PAIR, ftp, sizeof ftp, &len) != NULL || session_noted(s, NOTE_PAIR, ftps, sizeof ftps, &len) != NULL;
}
