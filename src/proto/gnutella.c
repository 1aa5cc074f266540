/*
 * Gnutella's handshake (0.4 and 0.6): who connects with which program. What follows are searches; the files themselves
 * move by HTTP over other connections, and are told there.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/feed.h"

enum { LINES_MAX = 64 };

struct gnutella {
	struct session *session;
	struct feed feed[2];
	unsigned lines[2]; /* LINES_MAX: the handshake is over */
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);

static enum verdict
gnutella_probe(const struct probe *p)
{
	static const char *const words[] = {"GNUTELLA CONNECT/", "GNUTELLA/0."};
	for (size_t side = 0; side < 2; side++)
		for (size_t i = 0; i < 2; i++) {
			size_t word = strlen(words[i]), n = p->len[side] < word ? p->len[side] : word;
			if (n > 0 && memcmp(p->bytes[side], words[i], n) == 0)
				return n == word ? VERDICT_DONE : VERDICT_MORE;
		}
	return VERDICT_NOT_MINE;
}

static void *
gnutella_open(struct session *s)
{
	struct gnutella *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
gnutella_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct gnutella *h = state;
	if (h->lines[from] < LINES_MAX && feed_bytes(&h->feed[from], step, h, from, bytes, len, NULL) != FEED_MORE)
		h->lines[from] = LINES_MAX;
	return VERDICT_MORE;
}

static enum verdict
gnutella_gap(void *state, enum side from, uint64_t len)
{
	struct gnutella *h = state;
	(void)len;
	feed_gap(&h->feed[from]);
	return VERDICT_MORE;
}

static void
gnutella_close(void *state, bool reset)
{
	struct gnutella *h = state;
	(void)reset;
	feed_clear(&h->feed[0]);
	feed_clear(&h->feed[1]);
	free(h);
}

static bool
gnutella_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_gnutella = {
        .name = "gnutella",
        .transport = IPPROTO_TCP,
        .ports = {6346, 6347},
        .reads = "the handshake, with the programs of both ends",
        .infers = "",
        .misses = "searches; files move by HTTP over other connections and are told there",
        .probe = gnutella_probe,
        .open = gnutella_open,
        .data = gnutella_data,
        .gap = gnutella_gap,
        .end = NULL,
        .close = gnutella_close,
        .finished = gnutella_finished,
};

/* Headers up to an empty line. */
static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct gnutella *h = ctx;
	size_t text, n = feed_line(bytes, len, &text);

	if (n == 0)
		return STEP_MORE;
	if (text == 0 || ++h->lines[from] >= LINES_MAX)
		return STEP_LOST;
	if (text_prefix_nocase(bytes, text, "User-Agent:")) {
		const uint8_t *value = bytes + 11;
		size_t value_len = text - 11;
		text_trim(&value, &value_len);
		(from == SIDE_SOURCE ? session_client : session_server)(h->session, value, value_len);
	}
	return n;
}
