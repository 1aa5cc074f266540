#include "config.h"

#include "base/ring.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

static void wake(struct ring *r);

void
ring_init(struct ring *r, size_t slots)
{
	pthread_condattr_t attributes;
	*r = (struct ring){.slots = slots};
	pthread_mutex_init(&r->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void
ring_clear(struct ring *r)
{
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->mutex);
}

/* Where the ring is full the filler sleeps until half of it is empty: one waking for many slots. */
bool
ring_claim(struct ring *r, size_t *slot)
{
	if (r->filled - r->emptied >= r->slots) {
		pthread_mutex_lock(&r->mutex);
		r->filler_waits = true;
		while (r->filled - r->emptied > r->slots / 2 && !r->stopped)
			pthread_cond_wait(&r->changed, &r->mutex);
		r->filler_waits = false;
		pthread_mutex_unlock(&r->mutex);
	}
	*slot = r->filled % r->slots;
	return !r->stopped;
}

void
ring_publish(struct ring *r)
{
	r->filled++;
	if (r->taker_waits)
		wake(r);
}

bool
ring_take(struct ring *r, size_t *slot, int64_t wait)
{
	*slot = r->emptied % r->slots;
	if (r->filled != r->emptied)
		return true;
	const int64_t until = clock_monotonic() + wait;
	const struct timespec at = {.tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND};
	int late = 0;
	pthread_mutex_lock(&r->mutex);
	r->taker_waits = true;
	while (r->filled == r->emptied && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&r->changed, &r->mutex, &at);
	r->taker_waits = false;
	pthread_mutex_unlock(&r->mutex);
	return r->filled != r->emptied;
}

void
ring_release(struct ring *r)
{
	r->emptied++;
	if (r->filler_waits && r->filled - r->emptied <= r->slots / 2)
		wake(r);
}

void
ring_stop(struct ring *r)
{
	r->stopped = true;
	wake(r);
}

/* The mutex is taken so that the flag, set under it, cannot be set after we looked and before the other sleeps. */
static void
wake(struct ring *r)
{
	pthread_mutex_lock(&r->mutex);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->mutex);
}
