#include "config.h"

#include "base/bell.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

void
bell_init(struct bell *b)
{
	pthread_condattr_t attributes;
	*b = (struct bell){.awaited = false};
	pthread_mutex_init(&b->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&b->rung, &attributes);
	pthread_condattr_destroy(&attributes);
}

void
bell_clear(struct bell *b)
{
	pthread_cond_destroy(&b->rung);
	pthread_mutex_destroy(&b->mutex);
}

/* The mutex is taken so that the flag, set under it, cannot be set after we looked and before the other sleeps. */
void
bell_ring(struct bell *b)
{
	if (!b->awaited)
		return;
	pthread_mutex_lock(&b->mutex);
	pthread_cond_broadcast(&b->rung);
	pthread_mutex_unlock(&b->mutex);
}

bool
bell_wait(struct bell *b, int64_t wait, bool (*is_ready)(const void *ctx), const void *ctx)
{
	if (is_ready(ctx))
		return true;
	const int64_t until = clock_monotonic() + wait;
	const struct timespec at = {.tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND};
	int late = 0;
	pthread_mutex_lock(&b->mutex);
	b->awaited = true;
	while (!is_ready(ctx) && late != ETIMEDOUT)
		late = pthread_cond_timedwait(&b->rung, &b->mutex, &at);
	b->awaited = false;
	pthread_mutex_unlock(&b->mutex);
	return is_ready(ctx);
}
