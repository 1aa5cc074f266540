/*
 * For protocols of which little more than the name is told, and all those that keep nothing but their session: the
 * functions of struct proto that they share.
 */
#ifndef WAYBILL_PROTO_PLAIN_H
#define WAYBILL_PROTO_PLAIN_H

#include "proto/proto.h"

/* The session is the state. */
void *plain_open(struct session *s);
/* Its bytes are all encrypted: their volume is what can be told. */
void *plain_open_encrypted(struct session *s);
enum verdict plain_done(void *state, enum side from, const uint8_t *bytes, size_t len);
/* A datagram's name is all. */
enum verdict plain_glance(struct glance *g);
/* For flows of many datagrams: the question what they are is not asked with each of them. */
enum verdict plain_more(void *state, enum side from, const uint8_t *bytes, size_t len);
enum verdict plain_gap(void *state, enum side from, uint64_t len);
void plain_close(void *state, bool reset);

/* The side whose bytes a probe of datagrams is about. */
static inline enum side
plain_side(const struct probe *p)
{
	return p->len[SIDE_SOURCE] > 0 ? SIDE_SOURCE : SIDE_DESTINATION;
}

static inline bool
plain_port(const struct probe *p, uint16_t port)
{
	return p->port[SIDE_SOURCE] == port || p->port[SIDE_DESTINATION] == port;
}

static inline enum verdict
plain_verdict(bool fits)
{
	return fits ? VERDICT_DONE : VERDICT_NOT_MINE;
}

#endif
