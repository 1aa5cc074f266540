#include "config.h"

#include "transfer/infer.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/session.h"
#include "transfer/tracker.h"

/*
 * A side that sends less than one part in so many of what it receives moves
 * acknowledgements, window updates and requests, however large their sum.
 */
enum { OVERHEAD_PARTS = 64 };

static bool side_moves_a_file(const struct session *s, enum side side);
static void side_begin(struct session *s, enum side side);
static size_t side_explain(struct session *s, enum side side);
static void side_grow(struct session *s, enum side side);
static void side_end(struct session *s, enum side side, const struct flow_record *flow, bool reset);
static bool orderly(const struct flow_record *flow);

void
infer_volume(struct session *s, const uint64_t volume[2])
{
	const uint64_t least = s->tracker->limits.infer_bytes;
	if (s->inference == NULL && (volume[SIDE_SOURCE] >= least || volume[SIDE_DESTINATION] >= least))
		s->inference = calloc(1, sizeof *s->inference);
	if (s->inference == NULL)
		return;
	memcpy(s->inference->volume, volume, sizeof s->inference->volume);
	infer_look(s);
}

void
infer_guess(struct session *s, const struct session_guess *guess)
{
	if (s->inference == NULL && (s->inference = calloc(1, sizeof *s->inference)) == NULL)
		return;
	struct inference *i = s->inference;
	i->method = guess->method;
	memcpy(i->least, guess->least, sizeof i->least);
	(void)snprintf(i->why, sizeof i->why, "%s", guess->why != NULL ? guess->why : "");
}

void
infer_look(struct session *s)
{
	if (s->unread == NULL || s->inference == NULL)
		return;
	for (enum side side = SIDE_SOURCE; side <= SIDE_DESTINATION; side++) {
		if (s->inference->transfer[side] != NULL)
			side_grow(s, side);
		else if (side_moves_a_file(s, side))
			side_begin(s, side);
	}
}

void
infer_close(struct session *s, bool reset)
{
	struct flow_record flow;
	struct facts facts;
	if (s->inference == NULL ||
	        (s->inference->transfer[SIDE_SOURCE] == NULL && s->inference->transfer[SIDE_DESTINATION] == NULL))
		return;
	session_describe(s, &flow, &facts);
	for (enum side side = SIDE_SOURCE; side <= SIDE_DESTINATION; side++)
		if (s->inference->transfer[side] != NULL)
			side_end(s, side, &flow, reset);
}

static bool
side_moves_a_file(const struct session *s, enum side side)
{
	uint64_t sent = s->inference->volume[side];
	uint64_t received = s->inference->volume[side_other(side)];
	return sent >= s->tracker->limits.infer_bytes && sent >= s->inference->least[side] &&
	       sent >= received / OVERHEAD_PARTS;
}

static void
side_begin(struct session *s, enum side side)
{
	struct transfer *t = transfer_begin(s, &(struct transfer_start){.sender = side});
	if (t == NULL)
		return;
	s->inference->transfer[side] = t;
	struct transfer_record *r = &t->waybill->record;
	r->basis = TRANSFER_INFERRED;
	(void)side_explain(s, side);
	r->size = r->seen = s->inference->volume[side];
	waybill_begin(t->waybill);
}

/* How it is told, by the guess as it is now; the number of reasons. */
static size_t
side_explain(struct session *s, enum side side)
{
	const struct inference *i = s->inference;
	struct waybill *w = i->transfer[side]->waybill;
	size_t n = 0;

	w->record.method = i->method != NULL ? i->method : "volume";
	w->record.reasons[n++] = s->unread;
	if (i->why[0] != '\0' && (w->record.reasons[n] == NULL || strcmp(w->record.reasons[n], i->why) != 0))
		w->record.reasons[n] = arena_printf(&w->arena, "%s", i->why);
	return i->why[0] != '\0' ? n + 1 : n;
}

static void
side_grow(struct session *s, enum side side)
{
	struct waybill *w = s->inference->transfer[side]->waybill;
	if (s->inference->volume[side] < 2 * w->record.size)
		return;
	w->record.size = w->record.seen = s->inference->volume[side];
	(void)side_explain(s, side);
	waybill_grow(w);
}

static void
side_end(struct session *s, enum side side, const struct flow_record *flow, bool reset)
{
	struct transfer *t = s->inference->transfer[side];
	struct waybill *w = t->waybill;
	struct transfer_record *r = &w->record;
	const uint64_t *volume = s->inference->volume;

	const size_t reasons = side_explain(s, side);
	s->inference->transfer[side] = NULL;
	r->size = r->seen = volume[side];
	r->missing = flow->side[side].missing;
	r->reasons[reasons] = arena_printf(&w->arena, "%" PRIu64 " bytes this way against %" PRIu64
	                                   " the other", volume[side], volume[side_other(side)]);
	if (reset)
		transfer_end(t, TRANSFER_ABORTED);
	else
		transfer_end(t, orderly(flow) && r->missing == 0 ? TRANSFER_COMPLETE : TRANSFER_TRUNCATED);
}

/* Was all of the flow seen? UDP has no other end than silence. */
static bool
orderly(const struct flow_record *flow)
{
	if (flow->midstream)
		return false;
	return flow->end_reason == FLOW_END_FIN ||
	       (flow->transport != IPPROTO_TCP && flow->end_reason == FLOW_END_TIMEOUT);
}
