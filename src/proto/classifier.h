/*
 * Whose is it? Asks the protocols about the first bytes each way. Those whose port it is are asked first, since
 * one of them that says yes is believed whatever others say; the port alone decides nothing.
 */
#ifndef WAYBILL_PROTO_CLASSIFIER_H
#define WAYBILL_PROTO_CLASSIFIER_H

#include <stdint.h>

#include "proto/proto.h"

/* Protocols by their number in protos[], from 1 on. */
struct proto_set {
	uint64_t bits[(PROTO_NUMBER_MAX + 1) / 64];
};

/* What protos[] say of themselves, by transport and port. Never changes. */
struct classifier;

struct classifier *classifier_create(void); /* NULL: out of memory */
void classifier_destroy(struct classifier *c); /* takes NULL */

/*
 * VERDICT_DONE: *number is the one that knows the conversation as its own. MORE: some can't tell yet; NOT_MINE:
 * it is nobody's; *number is 0. refused: those that are not asked.
 */
enum verdict classifier_choose(const struct classifier *c, uint8_t transport, const struct proto_set *refused,
        const struct probe *p, unsigned *number);

/* The one whose port it is, among those that would still like to see more; 0: none, or nothing but zeros was said. */
unsigned classifier_likely(const struct classifier *c, uint8_t transport, const struct proto_set *refused,
        const struct probe *p);

static inline void
proto_set_add(struct proto_set *s, unsigned number)
{
	s->bits[number / 64] |= UINT64_C(1) << number % 64;
}

#endif
