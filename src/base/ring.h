/*
 * A bounded row of slots between two threads: one fills them in order, the other one takes them in order. The
 * slots themselves are the owner's, an array of as many as the ring has places. Nobody takes a lock, nor is woken,
 * but where one of them waits.
 */
#ifndef WAYBILL_BASE_RING_H
#define WAYBILL_BASE_RING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	size_t slots;
	_Atomic uint64_t filled, emptied; /* so far; each thread counts one of them up */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	atomic_bool filler_waits, taker_waits, stopped;
};

void ring_init(struct ring *r, size_t slots);
void ring_clear(struct ring *r); /* no thread uses it any more */

/* The filler: the slot to fill, once there is room; false: the ring was stopped. */
bool ring_claim(struct ring *r, size_t *slot);
void ring_publish(struct ring *r); /* it is filled */

/* The taker: the oldest filled slot; false: none came within wait ns. It stays the taker's until released. */
bool ring_take(struct ring *r, size_t *slot, int64_t wait);
void ring_release(struct ring *r);

/* Whoever waits to fill gives up. Any thread. */
void ring_stop(struct ring *r);

#endif
