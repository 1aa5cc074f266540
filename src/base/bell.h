/*
 * One thread waits for what any of several others has for it. Nobody takes a lock, nor is woken, but where it waits.
 */
#ifndef WAYBILL_BASE_BELL_H
#define WAYBILL_BASE_BELL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bell {
	pthread_mutex_t mutex;
	pthread_cond_t rung;
	atomic_bool awaited;
};

void bell_init(struct bell *b);
void bell_clear(struct bell *b); /* no thread uses it any more */

/* Any thread: after what it rings for can be seen by is_ready. */
void bell_ring(struct bell *b);

/* Waits until is_ready says so, for wait ns at most. False: it does not. is_ready must be cheap, and read atomics only. */
bool bell_wait(struct bell *b, int64_t wait, bool (*is_ready)(const void *ctx), const void *ctx);

#endif
