#include "config.h"

#include "sensor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "base/clock.h"
#include "confine.h"
#include "lanes.h"
#include "log.h"
#include "notify.h"
#include "output/output.h"
#include "progress.h"
#include "reload.h"
#include "remarks.h"
#include "stats.h"
#include "tell.h"
#include "vitals.h"

static const int64_t status_every = 10 * CLOCK_SECOND;
static const int64_t silence = 5 * CLOCK_SECOND; /* of those who follow packets: they tell of themselves more often */

enum { BATCHES_PER_TURN = 32, SENTENCE_MAX = 1024 };

struct sensor {
	const struct options *options;
	const struct conf *conf;
	struct attribution *attribution; /* the reload's, where there is one */
	struct loop *loop;
	struct output *output;
	struct lanes *lanes;
	struct tell *tell;
	struct progress *progress;
	struct reload *reload;       /* interfaces only, as the next three */
	struct notify *notify;       /* NULL: no service manager listens */
	struct vitals *vitals;       /* NULL: no machine may ask */
	struct loop_watch *hangup, *user, *second;
	int64_t started;             /* wall clock */
	int64_t last_turn;           /* monotonic, as the next two: when each of those who follow packets was heard of, */
	int64_t alive, status;       /* when the manager was told so, and told how things are */
	int64_t stats_due;           /* monotonic */
	struct capture_progress seen; /* as of the last turn, as the next */
	struct pipeline_counts counts;
	struct loop_watch *job, *interrupt, *terminate, *delivery;
	int64_t delivery_until;
	struct loop_watch *periods;  /* interfaces: the timer for records of coverage */
	struct account account;
	int64_t period, period_begin; /* its number; when it began, wall clock */
	bool period_due;
	bool interrupted;            /* what was not yet followed is dropped */
	bool finishing;              /* interfaces: what they have by now is followed */
	struct remarks remarks;
};

static int open_stages(struct sensor *r);
static int open_daemon(struct sensor *r);
static int open_vitals(struct sensor *r, char *error, size_t size);
static int start(struct sensor *r);
static void close_stages(struct sensor *r);
static bool on_turn(void *ctx);
static void on_signal(void *ctx, int signal);
static void on_delivery(void *ctx);
static void on_hangup(void *ctx, int signal);
static void on_user(void *ctx, int signal);
static void on_second(void *ctx);
static void on_reload_begins(void *ctx);
static void on_reload_offers(void *ctx, struct attribution *a);
static void on_reload_ends(void *ctx, const struct reload_record *record);
static void tell_stats(struct sensor *r, bool asked);
static void tell_stats_by_clock(struct sensor *r, int64_t now);
static void on_weakness(void *ctx, const char *sentence);
static void tell_problem(struct sensor *r, const char *sentence);
static void end_of_input(struct sensor *r, const struct capture_progress *at);
static void tell_period(struct sensor *r, const struct capture_progress *at, const struct relay_counts *counts);
static void on_period(void *ctx);
static int exit_status(const struct sensor *r, bool delivered);

int
sensor_run(const struct options *options, const struct conf *conf, struct attribution *attribution, struct loop *loop)
{
	struct sensor r = {.options = options, .conf = conf, .attribution = attribution, .loop = loop};
	char error[SENTENCE_MAX];
	r.started = clock_now();
	int status = open_stages(&r);
	if (status == 0 && loop_run(loop) < 0) {
		log_error("sensor", "the event loop failed");
		status = 1;
	}
	if (status == 0) {
		bool delivered = output_finish(r.output, error, sizeof error) == 0;
		if (!delivered)
			log_error("output", "%s", error);
		status = exit_status(&r, delivered);
	}
	close_stages(&r);
	return status;
}

/* 0, or an exit status; a message has been printed. */
static int
open_stages(struct sensor *r)
{
	const struct options *o = r->options;
	enum live_refusal refusal = LIVE_REFUSED;
	char error[SENTENCE_MAX];

	r->output = output_open(&r->conf->output, r->loop, error, sizeof error);
	if (r->output == NULL) {
		log_error("output", "%s", error);
		return 1;
	}
	r->lanes = lanes_open(o, r->conf, &refusal, error, sizeof error);
	if (r->lanes == NULL) {
		log_error("capture", "%s", error);
		return refusal == LIVE_NOT_YET ? 1 : 2; /* a service manager tries again after 1 */
	}
	r->tell = tell_create(&r->conf->policy, r->attribution, r->output);
	if (r->tell == NULL || lanes_prepare(r->lanes, r->attribution, output_wants_flows(r->output), &tell_news, r->tell) < 0) {
		log_error("sensor", "out of memory");
		return 1;
	}
	if (o->command == COMMAND_WATCH && open_vitals(r, error, sizeof error) < 0) {
		log_error("web", "%s", error);
		return 1;
	}
	r->job = loop_job(r->loop, on_turn, r);
	r->interrupt = loop_signal(r->loop, SIGINT, on_signal, r);
	r->terminate = loop_signal(r->loop, SIGTERM, on_signal, r);
	r->delivery = loop_timer(r->loop, on_delivery, r);
	if (r->job == NULL || r->interrupt == NULL || r->terminate == NULL || r->delivery == NULL ||
	        (o->command == COMMAND_WATCH && open_daemon(r) < 0)) {
		log_error("sensor", "out of memory");
		return 1;
	}
	return start(r);
}

static int
open_vitals(struct sensor *r, char *error, size_t size)
{
	const struct vitals_source from = {.options = r->options, .conf = r->conf, .loop = r->loop, .output = r->output,
	        .tell = r->tell, .lanes = r->lanes, .started = r->started};
	return vitals_open(&from, &r->vitals, error, size);
}

/* What a sensor has that stays. */
static int
open_daemon(struct sensor *r)
{
	static const struct reload_ops ops = {on_reload_begins, on_reload_offers, on_reload_ends};
	r->notify = notify_open();
	r->reload = reload_create(r->options, r->conf, r->attribution, r->tell, r->loop, &ops, r);
	r->hangup = loop_signal(r->loop, SIGHUP, on_hangup, r);
	r->user = loop_signal(r->loop, SIGUSR1, on_user, r);
	r->second = loop_timer(r->loop, on_second, r);
	if (r->reload == NULL || r->hangup == NULL || r->user == NULL || r->second == NULL)
		return -1;
	if (!reload_watch(r->reload))
		on_weakness(r, "not every list, database or configuration is watched for changes: after one, send SIGHUP");
	return 0;
}

/* Everything is open: what only that needed is given up, and bytes from the wire come in. */
static int
start(struct sensor *r)
{
	const struct options *o = r->options;
	char error[SENTENCE_MAX];
	if (confine(o, r->conf, on_weakness, r, error, sizeof error) < 0) {
		log_error("sensor", "%s", error);
		return 1;
	}
	if (lanes_start(r->lanes) < 0) {
		log_error("sensor", "out of memory");
		return 1;
	}
	if (o->command == COMMAND_WATCH) {
		r->periods = loop_timer(r->loop, on_period, r);
		r->period_begin = clock_now();
		r->period = r->conf->coverage_every > 0 ? r->period_begin / r->conf->coverage_every : 0;
		if (r->periods != NULL)
			loop_timer_set(r->periods, CLOCK_SECOND);
	}
	if (r->second != NULL)
		on_second(r);
	notify_ready(r->notify);
	if (!o->quiet && o->command == COMMAND_REPLAY)
		r->progress = progress_open(stderr);
	return 0;
}

static void
close_stages(struct sensor *r)
{
	loop_watch_destroy(r->job);
	loop_watch_destroy(r->interrupt);
	loop_watch_destroy(r->terminate);
	loop_watch_destroy(r->delivery);
	loop_watch_destroy(r->hangup);
	loop_watch_destroy(r->user);
	loop_watch_destroy(r->second);
	vitals_close(r->vitals);
	notify_close(r->notify);
	if (r->reload != NULL)
		reload_stop(r->reload);
	loop_watch_destroy(r->periods);
	progress_close(r->progress);
	lanes_close(r->lanes);
	if (r->reload != NULL)
		reload_destroy(r->reload);
	else
		attribution_destroy(r->attribution);
	tell_destroy(r->tell);
	output_close(r->output);
	remarks_clear(&r->remarks);
}

/* A budget of batches, so that signals, deliveries and the progress bar keep their turn. */
static bool
on_turn(void *ctx)
{
	struct sensor *r = ctx;
	struct relay_turn turn = {.last = false};
	if (r->interrupted)
		lanes_wind_up(r->lanes);
	for (int i = 0; i < BATCHES_PER_TURN; i++) {
		if (!lanes_turn(r->lanes, &turn))
			return true;
		for (size_t k = 0; k < turn.problem_count; k++)
			tell_problem(r, turn.problems[k]);
		if (turn.lost > 0)
			tell_problem(r, "records were lost: out of memory");
		r->last_turn = turn.heard;
		r->seen = turn.progress;
		r->counts = turn.counts;
		vitals_turn(r->vitals, &turn);
		if (turn.coverage != NULL && r->period_due) {
			r->period_due = false;
			tell_period(r, &turn.progress, turn.coverage);
		} else if (turn.coverage != NULL) {
			account_see(&r->account, &turn.coverage->coverage);
		}
		if (turn.last) {
			end_of_input(r, &turn.progress);
			return false;
		}
	}
	if (r->progress != NULL)
		progress_show(r->progress, &turn.progress);
	return true;
}

static void
end_of_input(struct sensor *r, const struct capture_progress *at)
{
	progress_close(r->progress);
	r->progress = NULL;
	if (r->interrupted)
		remarks_add(&r->remarks, "it was interrupted: what came after was not read");
	tell_flush(r->tell);
	tell_period(r, at, NULL);
	r->delivery_until = clock_monotonic() + r->conf->delivery_wait;
	on_delivery(r);
}

/* The coverage since the last record of it. counts: as they came with a turn; NULL: at the end, of the stages. */
static void
tell_period(struct sensor *r, const struct capture_progress *at, const struct relay_counts *counts)
{
	struct coverage coverage;
	struct coverage_counter counters[ACCOUNT_COUNTERS] = {
	        {"filtered", "frames that the filter turned away", at->filtered},
	        {"capture_ring", "frames lost because the capture's ring was full", at->dropped_ring},
	        {"capture_interface", "frames lost by an interface or its driver", at->dropped_interface}};
	size_t count = 3;
	if (counts != NULL) {
		coverage = counts->coverage;
		memcpy(counters + count, counts->counters, counts->count * sizeof *counters);
		count += counts->count;
	} else {
		count += lanes_coverage(r->lanes, &coverage, counters + count, ACCOUNT_COUNTERS - count);
	}
	coverage.dropped += at->dropped_ring + at->dropped_interface;
	count = tell_coverage(r->tell, &coverage, counters, count, ACCOUNT_COUNTERS);
	account_take(&r->account, &coverage, counters, count);
	if (r->options->command == COMMAND_WATCH && coverage.start == 0) { /* no packet: by the wall clock */
		coverage.start = r->period_begin;
		coverage.end = clock_now();
	}
	r->period_begin = clock_now();
	r->attribution = tell_attribution(r->tell);
	remarks_databases(&r->remarks, r->attribution);
	remarks_output(&r->remarks, r->output);
	remarks_coverage(&r->remarks, &coverage, counters, count);
	coverage.unread = counters;
	coverage.unread_count = count;
	coverage.notes = (const char *const *)r->remarks.sentence;
	coverage.note_count = r->remarks.count;
	output_coverage(r->output, &coverage);
	remarks_clear(&r->remarks);
}

/* Each second, of interfaces: is a record due? By the wall clock, counted from 1970: a day's ends at midnight UTC. */
static void
on_period(void *ctx)
{
	struct sensor *r = ctx;
	const int64_t every = r->conf->coverage_every, number = every > 0 ? clock_now() / every : 0;
	if (number != r->period && !r->finishing) {
		r->period_due = true;
		lanes_ask(r->lanes);
	}
	r->period = number;
	loop_timer_set(r->periods, CLOCK_SECOND);
}

/* Waits for the webhooks, but not longer than the configuration allows. */
static void
on_delivery(void *ctx)
{
	struct sensor *r = ctx;
	if (output_pending(r->output) == 0 || r->interrupted || clock_monotonic() >= r->delivery_until)
		loop_stop(r->loop);
	else
		loop_timer_set(r->delivery, 20 * CLOCK_MILLISECOND);
}

static void
on_signal(void *ctx, int signal)
{
	struct sensor *r = ctx;
	(void)signal;
	if (r->options->command == COMMAND_WATCH && !r->finishing) {
		r->finishing = true;
		notify_stopping(r->notify);
		lanes_finish(r->lanes);
	} else {
		r->interrupted = true;
	}
}

/* logrotate(8) and its like have moved the files, or somebody has changed what is to be read again. */
static void
on_hangup(void *ctx, int signal)
{
	struct sensor *r = ctx;
	(void)signal;
	output_reopen(r->output);
	if (!r->finishing)
		reload_now(r->reload);
}

static void
on_user(void *ctx, int signal)
{
	(void)signal;
	tell_stats(ctx, true);
}

/* asked: by a person, rather than by the clock. */
static void
tell_stats(struct sensor *r, bool asked)
{
	struct stats_record stats;
	stats_take(&(struct stats_source){.progress = &r->seen, .counts = &r->counts, .tell = r->tell, .output = r->output,
	        .started = r->started}, &stats);
	stats.asked = asked;
	output_stats(r->output, &stats);
}

/* Where the kinds of events name them. */
static void
tell_stats_by_clock(struct sensor *r, int64_t now)
{
	const int64_t every = r->conf->stats_every;
	if (every == 0 || !(r->conf->output.events & EVENT_STATS) || r->finishing || now < r->stats_due)
		return;
	if (r->stats_due != 0) /* not at once: nothing was seen yet */
		tell_stats(r, false);
	r->stats_due = (r->stats_due != 0 && now - r->stats_due < every ? r->stats_due : now) + every;
}

/*
 * Housekeeping. The service manager hears of a sensor that is alive as long as those who follow packets are: a main thread
 * alone would tell it of itself.
 */
static void
on_second(void *ctx)
{
	struct sensor *r = ctx;
	const int64_t now = clock_monotonic();
	const int64_t interval = notify_interval(r->notify);
	char sentence[SENTENCE_MAX];
	if (lanes_agree(r->lanes))
		reload_sweep(r->reload);
	vitals_second(r->vitals);
	tell_stats_by_clock(r, now);
	if (interval > 0 && now - r->last_turn < silence && now - r->alive >= interval - CLOCK_SECOND) {
		notify_alive(r->notify);
		r->alive = now;
	}
	if (r->notify != NULL && !r->finishing && now - r->status >= status_every) {
		uint64_t transfers, alerts;
		tell_counts(r->tell, &transfers, &alerts);
		snprintf(sentence, sizeof sentence, "%" PRIu64 " packets, %" PRIu64 " lost, %" PRIu64 " files, %" PRIu64 " alerts",
		        r->seen.frames, r->seen.dropped_ring + r->seen.dropped_interface, transfers, alerts);
		notify_status(r->notify, sentence);
		r->status = now;
	}
	loop_timer_set(r->second, interval > 0 && interval < CLOCK_SECOND ? interval : CLOCK_SECOND);
}

static void
on_reload_begins(void *ctx)
{
	struct sensor *r = ctx;
	notify_reloading(r->notify);
}

static void
on_reload_offers(void *ctx, struct attribution *a)
{
	struct sensor *r = ctx;
	lanes_attribution(r->lanes, a);
}

static void
on_reload_ends(void *ctx, const struct reload_record *record)
{
	struct sensor *r = ctx;
	char sentence[SENTENCE_MAX];
	for (size_t i = 0; i < record->reason_count; i++) {
		snprintf(sentence, sizeof sentence, "a reload was refused, what was in use stays: %s", record->reasons[i]);
		log_warn("reload", "%s", sentence);
		remarks_add(&r->remarks, sentence);
	}
	for (size_t i = 0; i < record->restart_count; i++)
		log_warn("reload", "%s: changed in the configuration; it takes a restart", record->restart[i]);
	for (size_t i = 0; i < record->change_count && record->taken; i++)
		log_info("reload", "%s %s: %s", record->changes[i].kind, record->changes[i].name,
		        record->changes[i].digest != NULL ? "read again" : "not used any more");
	output_reload(r->output, record);
	vitals_reloaded(r->vitals, record);
	notify_ready(r->notify);
}

/* What protects waybill is weaker than it should be: on a span port that belongs to the record. */
static void
on_weakness(void *ctx, const char *sentence)
{
	struct sensor *r = ctx;
	if (r->options->command == COMMAND_WATCH) {
		log_warn("privileges", "%s", sentence);
		remarks_add(&r->remarks, sentence);
	} else {
		log_info("privileges", "%s", sentence);
	}
}

static void
tell_problem(struct sensor *r, const char *sentence)
{
	if (r->progress != NULL)
		progress_clear(r->progress);
	log_warn("capture", "%s", sentence);
	output_problem(r->output, sentence);
	remarks_add(&r->remarks, sentence);
}

static int
exit_status(const struct sensor *r, bool delivered)
{
	enum severity worst;
	bool any = tell_worst(r->tell, &worst);
	if (r->interrupted || !delivered)
		return 1;
	if (r->options->fails_on_alert && any && worst >= r->options->fail_severity)
		return 4;
	return lanes_incomplete(r->lanes) ? 3 : 0;
}
