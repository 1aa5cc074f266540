/*
 * The webhook sink alone, for tests/live/webhook: alerts FIRST to LAST (numbers) are told as fast as they
 * are stored, and the loop runs until all was delivered or CONF's delivery_wait is over. PROGRESS holds
 * the number of the last alert that was stored, so that a run that was killed can be gone on with.
 *
 *	webhook-driver CONF FIRST LAST PROGRESS
 *	webhook-driver --list SPOOL
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf.h"
#include "log.h"
#include "loop.h"
#include "output/spool.h"

struct driver {
	struct loop *loop;
	struct loop_watch *job, *poll, *deadline;
	struct conf conf;
	void *sink;
	long next, last;
	int progress;
};

static int drive(struct driver *d);
static bool tell_one(void *ctx);
static void look(void *ctx);
static void give_up_waiting(void *ctx);
static void show(void *ctx, const struct spool_letter *l);

int
main(int argc, char **argv)
{
	char error[512] = "";
	struct driver d = {0};

	log_open(LOG_DEBUG);
	if (argc == 3 && strcmp(argv[1], "--list") == 0) {
		if (spool_list(argv[2], show, NULL, error, sizeof error) == 0)
			return 0;
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	if (argc != 5) {
		fprintf(stderr, "usage: webhook-driver CONF FIRST LAST PROGRESS | --list SPOOL\n");
		return 2;
	}
	d.next = strtol(argv[2], NULL, 10);
	d.last = strtol(argv[3], NULL, 10);
	d.progress = open(argv[4], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	d.loop = loop_create();
	if (d.progress < 0 || d.loop == NULL) {
		fprintf(stderr, "%s: %s\n", argv[4], strerror(errno));
		return 2;
	}
	int status = 2;
	if (conf_load(argv[1], &d.conf, error, sizeof error) == 0 &&
	    sink_webhook.open(&d.conf.output, d.loop, &d.sink, error, sizeof error) == 0) {
		status = drive(&d);
		if (sink_webhook.finish(d.sink, error, sizeof error) != 0)
			status = 1;
		sink_webhook.close(d.sink);
	}
	if (error[0] != '\0')
		fprintf(stderr, "%s\n", error);
	conf_free(&d.conf);
	loop_destroy(d.loop);
	close(d.progress);
	return status;
}

static int
drive(struct driver *d)
{
	d->poll = loop_timer(d->loop, look, d);
	d->deadline = loop_timer(d->loop, give_up_waiting, d);
	d->job = loop_job(d->loop, tell_one, d);
	loop_timer_set(d->poll, CLOCK_MILLISECOND);
	int result = loop_run(d->loop);
	loop_watch_destroy(d->job);
	loop_watch_destroy(d->deadline);
	loop_watch_destroy(d->poll);
	return result == 0 ? 0 : 1;
}

/* One alert that a flow to a listed network might raise, told apart by its number. */
static bool
tell_one(void *ctx)
{
	static const struct facts facts;
	struct driver *d = ctx;
	char number[32];

	if (d->next > d->last) {
		loop_timer_set(d->deadline, d->conf.delivery_wait);
		return false;
	}
	struct flow_record flow = {.id = "flow", .ip_version = 4, .transport = 6, .facts = &facts};
	struct alert a = {
		.rule = "sanctioned-contact",
		.summary = "A test exchange with a listed network",
		.severity = SEVERITY_HIGH,
		.confidence = CONFIDENCE_CONFIRMED,
		.action = ALERT_OPEN,
		.packet_time = d->next * CLOCK_SECOND,
		.flow = &flow,
		.count = 1,
	};
	flow.side[SIDE_SOURCE].addr = addr_from_v4((const uint8_t[]){192, 0, 2, 1});
	flow.side[SIDE_DESTINATION].addr = addr_from_v4((const uint8_t[]){198, 51, 100, 1});
	snprintf(a.id, sizeof a.id, "alert-%06ld", d->next);
	sink_webhook.alert(d->sink, &a);
	int len = snprintf(number, sizeof number, "%ld\n", d->next);
	if (pwrite(d->progress, number, (size_t)len, 0) != len)
		fprintf(stderr, "progress: %s\n", strerror(errno));
	d->next++;
	return true;
}

static void
look(void *ctx)
{
	struct driver *d = ctx;

	if (d->next > d->last && sink_webhook.pending(d->sink) == 0)
		loop_stop(d->loop);
	else
		loop_timer_set(d->poll, CLOCK_MILLISECOND);
}

static void
give_up_waiting(void *ctx)
{
	struct driver *d = ctx;
	loop_stop(d->loop);
}

static void
show(void *ctx, const struct spool_letter *l)
{
	(void)ctx;
	printf("%" PRId64 " %s %s %s attempts=%u %s\n", l->number, l->target, l->id, l->died != 0 ? "dead" : "waits",
	    l->attempts, l->error != NULL ? l->error : "-");
}
