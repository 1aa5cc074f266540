#include "config.h"

#include "proto/handoff.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/feed.h"

enum { HANDOFF_NAME_MAX = 1024, HANDOFF_USER_MAX = 128, TARGET_MAX = 1 + 255 };

static const int64_t lifetime = 300 * CLOCK_SECOND;

enum greeting { /* SOCKS 5, RFC 1928: what is still to come of each end */
	GREETING_METHODS,
	GREETING_REQUEST,
	GREETING_OVER,
};

struct handoff {
	unsigned refs;
	struct handoff_offer offer; /* name and user: own copies */
	uint8_t name[HANDOFF_NAME_MAX], user[HANDOFF_USER_MAX];
	uint64_t offset, moved;
	/* the connection */
	struct session *data;
	struct transfer *transfer;
	bool begun, over, has_sender;
	enum side sender;
	struct feed feed[2];
	enum greeting greeting[2];
	/* SOCKS 5: at a proxy both ends ask for the same (XEP-0065 section 6.3); the one that comes second has a peer. */
	struct addr to;
	uint16_t port;
	uint8_t target[TARGET_MAX];
	size_t target_len;
	struct handoff *peer;
};

static void on_open(void *owner, struct session *data);
static void on_data(void *owner, struct session *data, enum side from, const uint8_t *bytes, size_t len);
static void on_gap(void *owner, struct session *data, enum side from, uint64_t len);
static void on_end(void *owner, struct session *data, enum side from, bool reset);
static void on_release(void *owner);
static size_t greeting_step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static bool take_target(struct handoff *h, const uint8_t *bytes, size_t len);
static void expect_peer(struct handoff *h);
static bool begin(struct handoff *h, enum side from);
static void end(struct handoff *h, enum transfer_state state);

static const struct carrier_ops ops = {
        .open = on_open,
        .data = on_data,
        .gap = on_gap,
        .end = on_end,
        .release = on_release,
};

struct handoff *
handoff_create(const struct handoff_offer *offer)
{
	struct handoff *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->refs = 1;
	h->offer = *offer;
	h->offer.name_len = offer->name_len < sizeof h->name ? offer->name_len : sizeof h->name;
	h->offer.user_len = offer->user_len < sizeof h->user ? offer->user_len : sizeof h->user;
	if (h->offer.name_len > 0)
		memcpy(h->name, offer->name, h->offer.name_len);
	if (h->offer.user_len > 0)
		memcpy(h->user, offer->user, h->offer.user_len);
	for (size_t side = 0; side < 2 && !offer->socks; side++)
		h->greeting[side] = GREETING_OVER;
	return h;
}

void
handoff_unref(struct handoff *h)
{
	if (h == NULL || --h->refs > 0)
		return;
	feed_clear(&h->feed[SIDE_SOURCE]);
	feed_clear(&h->feed[SIDE_DESTINATION]);
	handoff_unref(h->peer);
	free(h);
}

void
handoff_expect(struct handoff *h, struct session *control, const struct addr *to, uint16_t port)
{
	if (h == NULL || port == 0)
		return;
	h->refs++;
	h->to = *to;
	h->port = port;
	/* At a limit it is released there, and the connection goes unrecognised. */
	(void)session_expect(control, &(struct expectation){.to = *to, .any_from = true, .to_port = port, .transport = IPPROTO_TCP, .lifetime = lifetime},
	        &ops, h);
}

void
handoff_offset(struct handoff *h, uint64_t offset)
{
	if (h != NULL && !h->begun)
		h->offset = offset;
}

static void
on_open(void *owner, struct session *data)
{
	struct handoff *h = owner;

	session_protocol(data, h->peer != NULL ? "socks" : h->offer.protocol, "expected"); /* socks: so far */
	if (h->data != NULL || h->begun) /* it came already, another way */
		return;
	h->data = data;
	if (h->offer.socks && h->peer == NULL)
		expect_peer(h);
	if (h->offer.user_len > 0)
		session_account(data, h->user, h->offer.user_len);
}

static void
on_data(void *owner, struct session *data, enum side from, const uint8_t *bytes, size_t len)
{
	struct handoff *h = owner;
	size_t unused = 0;

	if (h->data != data || h->over)
		return;
	if (h->greeting[from] != GREETING_OVER) {
		enum feed_result result = feed_bytes(&h->feed[from], greeting_step, h, from, bytes, len, &unused);
		if (result == FEED_LOST)
			h->over = true;
		if (result != FEED_STOP)
			return;
		bytes += len - unused;
		len = unused;
	}
	if (len == 0 || !begin(h, from))
		return;
	h->moved += len;
	transfer_append(h->transfer, bytes, len);
	if (h->offer.size_known && h->offset + h->moved >= h->offer.size)
		end(h, TRANSFER_COMPLETE);
}

static void
on_gap(void *owner, struct session *data, enum side from, uint64_t len)
{
	struct handoff *h = owner;

	if (h->data != data || h->over || h->greeting[from] != GREETING_OVER || !begin(h, from))
		return;
	h->moved += len;
	transfer_skip(h->transfer, len);
}

/* Without a size the end of the connection is the end of the file. */
static void
on_end(void *owner, struct session *data, enum side from, bool reset)
{
	struct handoff *h = owner;

	if (h->data != data || h->over)
		return;
	if (reset)
		end(h, TRANSFER_ABORTED);
	else if (h->begun && from == h->sender)
		end(h, h->offer.size_known ? TRANSFER_TRUNCATED : TRANSFER_COMPLETE);
	else if (h->begun)
		end(h, TRANSFER_ABORTED); /* the receiver leaves first */
}

static void
on_release(void *owner)
{
	struct handoff *h = owner;
	if (h->data != NULL)
		end(h, TRANSFER_TRUNCATED);
	h->data = NULL;
	handoff_unref(h);
}

static size_t
greeting_step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct handoff *h = ctx;
	size_t n = 2;

	if (h->greeting[from] == GREETING_OVER)
		return STEP_STOP;
	if (bytes[0] != 5)
		return STEP_LOST;
	if (h->greeting[from] == GREETING_METHODS) {
		if (len >= 2 && from == SIDE_SOURCE)
			n += bytes[1];
	} else {
		static const size_t sizes[] = {[1] = 4, [4] = 16};
		if (len < 5)
			return STEP_MORE;
		if (bytes[3] != 1 && bytes[3] != 3 && bytes[3] != 4)
			return STEP_LOST;
		n = 6 + (bytes[3] == 3 ? 1u + bytes[4] : sizes[bytes[3]]);
	}
	if (len < n)
		return STEP_MORE;
	if (h->greeting[from] == GREETING_REQUEST && from == SIDE_SOURCE && !take_target(h, bytes + 3, n - 3 - 2))
		return STEP_LOST;
	h->greeting[from]++;
	return n;
}

/* What is asked for, with its type; false: it is not what the other end asked for, but somebody else's. */
static bool
take_target(struct handoff *h, const uint8_t *bytes, size_t len)
{
	if (len <= TARGET_MAX)
		memcpy(h->target, bytes, h->target_len = len);
	if (h->peer == NULL)
		return true;
	if (h->target_len == 0 || h->target_len != h->peer->target_len || memcmp(h->target, h->peer->target, len) != 0)
		return false;
	session_protocol(h->data, h->offer.protocol, "expected");
	return true;
}

/* The proxy's other customer may pass by here too. Who that is is not known. */
static void
expect_peer(struct handoff *h)
{
	struct handoff_offer offer = h->offer;
	offer.name = h->name;
	offer.user_len = 0;
	struct handoff *other = handoff_create(&offer);
	if (other == NULL)
		return;
	h->refs++;
	other->peer = h;
	handoff_expect(other, h->data, &h->to, h->port);
	handoff_unref(other);
}

/* Is from the sender? */
static bool
begin(struct handoff *h, enum side from)
{
	if (h->begun)
		return from == h->sender;
	h->begun = true;
	h->sender = from;
	h->transfer = transfer_begin(h->data, &(struct transfer_start){.sender = from,
	                                              .method = h->offer.method,
	                                              .path = h->offer.name_len > 0 ? h->name : NULL,
	                                              .path_len = h->offer.name_len,
	                                              .size_known = h->offer.size_known,
	                                              .size = h->offer.size,
	                                              .offset = h->offset});
	return true;
}

static void
end(struct handoff *h, enum transfer_state state)
{
	transfer_end(h->transfer, state);
	h->transfer = NULL;
	h->over = true;
}
