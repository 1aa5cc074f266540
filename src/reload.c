#include "config.h"

#include "reload.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf_compare.h"
#include "log.h"
#include "watch.h"

enum { SNAPSHOTS_MAX = 8, REASONS_MAX = 8, CHANGES_MAX = 128, SENTENCE_MAX = 1024 };
/* Programs that update lists write several files: one reload is for all of them. */
static const int64_t settle = 300 * CLOCK_MILLISECOND;

enum reload_state {
	RELOAD_IDLE,
	RELOAD_LOADING, /* the thread has job */
	RELOAD_OFFERED, /* job->attribution is on its way */
};

/* What the loading thread makes. */
struct reload_job {
	const struct options *options;
	int done;                    /* eventfd */
	struct conf conf;
	struct attribution *attribution; /* NULL: error */
	char error[SENTENCE_MAX];
	char database[PATH_MAX];
};

struct reload {
	const struct options *options;
	const struct conf *start;        /* in use where it takes a restart to change */
	struct conf file;                /* what the file said at the start, without the command line; or empty */
	struct conf rules;               /* whose rules are in use, if any reload was taken */
	struct attribution *current;
	struct attribution *old[SNAPSHOTS_MAX]; /* that alerts may still refer to */
	size_t old_count;
	struct tell *tell;
	struct loop *loop;
	struct reload_ops ops;
	void *ctx;

	enum reload_state state;
	struct reload_job *job;
	pthread_t thread;
	struct loop_watch *loaded, *settled;
	int done;
	bool again;                      /* asked for meanwhile */
	struct watch *watch;

	/* The record that is told at the end. */
	struct reload_change changes[CHANGES_MAX];
	size_t change_count;
	char reasons[REASONS_MAX][SENTENCE_MAX];
	size_t reason_count;
};

static void on_changed(void *ctx);
static void on_settled(void *ctx);
static void begin(struct reload *r);
static void *load(void *arg);
static void on_loaded(void *ctx, int fd, int events);
static void judge(struct reload *r);
static void on_taken(void *ctx);
static void find_troubles(struct reload *r);
static bool was_told(const struct attribution *a, const char *trouble);
static void find_gone(struct reload *r);
static void find_changes(struct reload *r);
static void compare_lists(struct reload *r, const char *kind, const struct attribution_list *old, size_t old_count,
        const struct attribution_list *new, size_t new_count);
static bool same(const char *a, const char *b);
static void compare_databases(struct reload *r);
static void add_change(struct reload *r, const struct reload_change *c);
static void add_reason(struct reload *r, const char *sentence);
static void finish(struct reload *r, bool taken);
static void job_free(struct reload_job *j);
static bool watch_files(struct reload *r, const struct conf *conf);

struct reload *
reload_create(const struct options *options, const struct conf *conf, struct attribution *attribution, struct tell *tell,
        struct loop *loop, const struct reload_ops *ops, void *ctx)
{
	char error[SENTENCE_MAX];
	struct reload *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	*r = (struct reload){.options = options, .start = conf, .current = attribution, .tell = tell, .loop = loop, .ops = *ops,
	        .ctx = ctx, .done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	(void)conf_load(options->conf, &r->file, error, sizeof error); /* it was sound a moment ago */
	r->settled = loop_timer(loop, on_settled, r);
	if (r->done >= 0)
		r->loaded = loop_fd(loop, r->done, LOOP_READ, on_loaded, r);
	if (r->settled == NULL || r->loaded == NULL) {
		r->current = NULL; /* the caller's, still */
		reload_destroy(r);
		return NULL;
	}
	tell_on_attribution(tell, on_taken, r);
	return r;
}

void
reload_destroy(struct reload *r)
{
	if (r == NULL)
		return;
	reload_stop(r);
	attribution_destroy(r->current);
	for (size_t i = 0; i < r->old_count; i++)
		attribution_destroy(r->old[i]);
	conf_free(&r->file);
	conf_free(&r->rules);
	free(r);
}

void
reload_stop(struct reload *r)
{
	if (r->state == RELOAD_LOADING)
		pthread_join(r->thread, NULL);
	/* An offered one may be in use already, without the news of it. */
	if (r->state == RELOAD_OFFERED && r->old_count < SNAPSHOTS_MAX) {
		r->old[r->old_count++] = r->job->attribution;
		r->job->attribution = NULL;
	}
	r->state = RELOAD_IDLE;
	tell_on_attribution(r->tell, NULL, NULL);
	job_free(r->job);
	r->job = NULL;
	watch_destroy(r->watch);
	loop_watch_destroy(r->settled);
	loop_watch_destroy(r->loaded);
	if (r->done >= 0)
		close(r->done);
	r->watch = NULL;
	r->settled = r->loaded = NULL;
	r->done = -1;
}

bool
reload_watch(struct reload *r)
{
	r->watch = watch_create(r->loop, on_changed, r);
	return r->watch != NULL && watch_files(r, r->start);
}

/* Everything that a reload reads. */
static bool
watch_files(struct reload *r, const struct conf *conf)
{
	const struct attribution_conf *a = &conf->attribution;
	const char *const single[] = {r->options->conf, a->sanctioned, a->services, a->embedded_database};
	bool all = true;
	watch_clear(r->watch);
	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
		if (single[i] != NULL)
			all &= watch_file(r->watch, single[i]) == 0;
	for (size_t i = 0; i < a->list_count; i++)
		all &= watch_file(r->watch, a->lists[i].path) == 0;
	for (size_t i = 0; i < a->database_count; i++)
		all &= watch_file(r->watch, a->databases[i]) == 0;
	/* Most of these do not exist. */
	for (size_t i = 0; !a->no_auto_detect && attribution_usual_place(i) != NULL; i++)
		(void)watch_folder(r->watch, attribution_usual_place(i), ".mmdb");
	return all;
}

static void
on_changed(void *ctx)
{
	struct reload *r = ctx;
	loop_timer_set(r->settled, settle);
}

static void
on_settled(void *ctx)
{
	reload_now(ctx);
}

void
reload_now(struct reload *r)
{
	if (r->state != RELOAD_IDLE)
		r->again = true;
	else
		begin(r);
}

static void
begin(struct reload *r)
{
	sigset_t all, before;
	r->again = false;
	r->change_count = r->reason_count = 0;
	r->job = calloc(1, sizeof *r->job);
	if (r->job == NULL) {
		add_reason(r, "out of memory");
		finish(r, false);
		return;
	}
	r->job->options = r->options;
	r->job->done = r->done;
	r->ops.begins(r->ctx);
	/* Signals are the caller's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int why = pthread_create(&r->thread, NULL, load, r->job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (why == 0) {
		r->state = RELOAD_LOADING;
		return;
	}
	add_reason(r, "no thread can be had");
	finish(r, false);
}

/* The loading thread, which gives way to those that follow packets. It tells nobody: what it met is in the attribution. */
static void *
load(void *arg)
{
	struct reload_job *j = arg;
	const uint64_t one = 1;
	(void)setpriority(PRIO_PROCESS, 0, 10);
	if (conf_load(j->options->conf, &j->conf, j->error, sizeof j->error) == 0) {
		struct attribution_conf *a = &j->conf.attribution;
		if (!a->no_embedded)
			a->embedded_database = attribution_default_database(j->database, sizeof j->database);
		a->now = clock_now();
		j->attribution = attribution_load(a, NULL, NULL);
		if (j->attribution == NULL)
			snprintf(j->error, sizeof j->error, "out of memory");
	}
	(void)!write(j->done, &one, sizeof one);
	return NULL;
}

static void
on_loaded(void *ctx, int fd, int events)
{
	struct reload *r = ctx;
	uint64_t count;
	(void)events;
	(void)!read(fd, &count, sizeof count);
	if (r->state != RELOAD_LOADING)
		return;
	pthread_join(r->thread, NULL);
	r->state = RELOAD_IDLE;
	judge(r);
}

/* Sound is what brings no trouble that was not there before. */
static void
judge(struct reload *r)
{
	if (r->job->attribution == NULL) {
		add_reason(r, r->job->error);
	} else {
		find_troubles(r);
		find_gone(r);
		find_changes(r);
	}
	/* What alerts refer to is kept; with so many alerts that stay open for so many reloads, it must wait. */
	reload_sweep(r);
	if (r->old_count == SNAPSHOTS_MAX)
		add_reason(r, "too many earlier lists are still referred to by alerts that are open");
	if (r->reason_count > 0) {
		finish(r, false);
		return;
	}
	r->state = RELOAD_OFFERED;
	r->ops.offers(r->ctx, r->job->attribution);
}

static void
find_troubles(struct reload *r)
{
	const char *const *trouble;
	const size_t count = attribution_troubles(r->job->attribution, &trouble);
	for (size_t i = 0; i < count; i++)
		if (!was_told(r->current, trouble[i]))
			add_reason(r, trouble[i]);
}

static bool
was_told(const struct attribution *a, const char *trouble)
{
	const char *const *told;
	const size_t count = attribution_troubles(a, &told);
	for (size_t i = 0; i < count; i++)
		if (strcmp(told[i], trouble) == 0)
			return true;
	return false;
}

/* A database that was found by itself, and is not found any more, takes no answers away: what it said stays in use. */
static void
find_gone(struct reload *r)
{
	const struct attribution_database *old, *new;
	const size_t old_count = attribution_databases(r->current, &old);
	const size_t new_count = attribution_databases(r->job->attribution, &new);
	char sentence[SENTENCE_MAX];
	for (size_t i = 0; i < old_count; i++) {
		bool found = access(old[i].path, F_OK) == 0; /* refused, or not wanted any more, then */
		for (size_t k = 0; k < new_count && !found; k++)
			found = strcmp(old[i].path, new[k].path) == 0 || strcmp(old[i].type, new[k].type) == 0;
		for (size_t k = 0; k < r->start->attribution.database_count && !found; k++)
			found = strcmp(old[i].path, r->start->attribution.databases[k]) == 0;
		if (found)
			continue;
		snprintf(sentence, sizeof sentence, "database %s: it is gone", old[i].path);
		add_reason(r, sentence);
	}
}

static void
find_changes(struct reload *r)
{
	const struct attribution_list *old, *new;
	const size_t old_count = attribution_lists(r->current, &old);
	const size_t new_count = attribution_lists(r->job->attribution, &new);
	compare_lists(r, "list", old, old_count, new, new_count);
	const struct attribution_list before = attribution_services(r->current);
	const struct attribution_list now = attribution_services(r->job->attribution);
	compare_lists(r, "services", &before, 1, &now, 1);
	compare_databases(r);
}

static void
compare_lists(struct reload *r, const char *kind, const struct attribution_list *old, size_t old_count,
        const struct attribution_list *new, size_t new_count)
{
	for (size_t i = 0; i < new_count; i++) {
		const struct attribution_list *was = NULL;
		for (size_t k = 0; k < old_count && was == NULL; k++)
			if (same(old[k].path, new[i].path))
				was = &old[k];
		if (was != NULL && same(was->digest, new[i].digest))
			continue;
		add_change(r, &(struct reload_change){.kind = kind, .name = new[i].name, .path = new[i].path,
		        .digest = new[i].digest, .rows = new[i].rows, .before = was != NULL ? was->digest : NULL,
		        .rows_before = was != NULL ? was->rows : 0});
	}
	for (size_t i = 0; i < old_count; i++) {
		bool found = false;
		for (size_t k = 0; k < new_count && !found; k++)
			found = same(old[i].path, new[k].path);
		if (!found)
			add_change(r, &(struct reload_change){.kind = kind, .name = old[i].name, .path = old[i].path,
			        .before = old[i].digest, .rows_before = old[i].rows});
	}
}

/* NULL is the copy in the program. */
static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
compare_databases(struct reload *r)
{
	const struct attribution_database *old, *new;
	const size_t old_count = attribution_databases(r->current, &old);
	const size_t new_count = attribution_databases(r->job->attribution, &new);
	for (size_t i = 0; i < new_count; i++) {
		const struct attribution_database *was = NULL;
		for (size_t k = 0; k < old_count && was == NULL; k++)
			if (strcmp(old[k].path, new[i].path) == 0)
				was = &old[k];
		if (was != NULL && strcmp(was->digest, new[i].digest) == 0)
			continue;
		add_change(r, &(struct reload_change){.kind = "database", .name = new[i].type, .path = new[i].path,
		        .digest = new[i].digest, .rows = new[i].networks, .built = new[i].built,
		        .before = was != NULL ? was->digest : NULL, .rows_before = was != NULL ? was->networks : 0,
		        .built_before = was != NULL ? was->built : 0});
	}
	for (size_t i = 0; i < old_count; i++) {
		bool found = false;
		for (size_t k = 0; k < new_count && !found; k++)
			found = strcmp(old[i].path, new[k].path) == 0;
		if (!found)
			add_change(r, &(struct reload_change){.kind = "database", .name = old[i].type, .path = old[i].path,
			        .before = old[i].digest, .rows_before = old[i].networks, .built_before = old[i].built});
	}
}

static void
add_change(struct reload *r, const struct reload_change *c)
{
	if (r->change_count < CHANGES_MAX)
		r->changes[r->change_count++] = *c;
}

static void
add_reason(struct reload *r, const char *sentence)
{
	if (r->reason_count < REASONS_MAX)
		snprintf(r->reasons[r->reason_count++], SENTENCE_MAX, "%s", sentence);
}

/* News told that it is in use. */
static void
on_taken(void *ctx)
{
	struct reload *r = ctx;
	if (r->state != RELOAD_OFFERED || tell_attribution(r->tell) != r->job->attribution)
		return;
	r->state = RELOAD_IDLE;
	r->old[r->old_count++] = r->current;
	r->current = r->job->attribution;
	r->job->attribution = NULL;
	finish(r, true);
}

/* Tells what came of it; the changes refer to both attributions, which are still there. */
static void
finish(struct reload *r, bool taken)
{
	const char *restart[CONF_PARTS], *reasons[REASONS_MAX];
	for (size_t i = 0; i < r->reason_count; i++)
		reasons[i] = r->reasons[i];
	struct reload_record record = {.time = clock_now(), .taken = taken, .changes = r->changes,
	        .change_count = r->change_count, .reasons = reasons, .reason_count = r->reason_count, .restart = restart};
	if (taken) {
		record.restart_count = conf_restart(&r->file, &r->job->conf, restart);
		tell_rules(r->tell, &r->job->conf.policy);
		if (r->watch != NULL)
			(void)watch_files(r, &r->job->conf);
		conf_free(&r->rules);
		r->rules = r->job->conf;
		r->job->conf = (struct conf){0};
	}
	r->ops.ends(r->ctx, &record);
	job_free(r->job);
	r->job = NULL;
	if (r->again)
		begin(r);
}

void
reload_sweep(struct reload *r)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->old_count; i++) {
		if (tell_needs(r->tell, r->old[i]))
			r->old[kept++] = r->old[i];
		else
			attribution_destroy(r->old[i]);
	}
	r->old_count = kept;
}

static void
job_free(struct reload_job *j)
{
	if (j == NULL)
		return;
	attribution_destroy(j->attribution);
	conf_free(&j->conf);
	free(j);
}
