/*
 * Transfers of sessions that can't be read, told from how many bytes went which
 * way: at most one each way.
 */
#ifndef WAYBILL_TRANSFER_INFER_H
#define WAYBILL_TRANSFER_INFER_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer/transfer.h"

enum { INFER_WHY_MAX = 160 };

struct inference {
	uint64_t volume[2];            /* payload sent by each side */
	struct transfer *transfer[2];  /* what each side sends, once told */
	const char *method;            /* see struct session_guess; static */
	uint64_t least[2];
	char why[INFER_WHY_MAX];       /* empty: nothing */
};

/* How much each side has sent, which counts once the session is known to be unreadable. */
void infer_volume(struct session *s, const uint64_t volume[2]);
/* What the session seems to be for. */
void infer_guess(struct session *s, const struct session_guess *guess);
/* Begins a transfer for each side whose volume says so. */
void infer_look(struct session *s);
/* The flow ended: ends them with their totals. */
void infer_close(struct session *s, bool reset);

#endif
