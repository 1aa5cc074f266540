/* The table of sinks, and the records that go to each of them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "output/output.h"

static const struct sink *const sinks[] = {
	&sink_summary,
	&sink_events,
	&sink_webhook,
};

enum { SINKS = sizeof sinks / sizeof sinks[0] };

struct output {
	void *state[SINKS]; /* NULL: not wanted */
	bool wants_flows;
};

/* Calls member of every open sink that has it. */
#define EACH(o, member, ...)                                          \
	for (size_t i = 0; i < SINKS; i++)                            \
		if ((o)->state[i] != NULL && sinks[i]->member != NULL) \
	sinks[i]->member((o)->state[i], __VA_ARGS__)

static bool sink_wants_flows(const struct sink *s, const void *state);

struct output *
output_open(const struct output_conf *conf, struct loop *loop, char *error, size_t error_size)
{
	struct output *o = calloc(1, sizeof *o);
	if (o == NULL) {
		snprintf(error, error_size, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < SINKS; i++) {
		if (sinks[i]->open(conf, loop, &o->state[i], error, error_size) != 0) {
			o->state[i] = NULL;
			output_close(o);
			return NULL;
		}
		if (o->state[i] != NULL)
			o->wants_flows |= sink_wants_flows(sinks[i], o->state[i]);
	}
	return o;
}

static bool
sink_wants_flows(const struct sink *s, const void *state)
{
	return s->flow != NULL && (s->wants_flows == NULL || s->wants_flows(state));
}

bool
output_wants_flows(const struct output *o)
{
	return o->wants_flows;
}

void
output_flow(struct output *o, const struct flow_record *r)
{
	EACH(o, flow, r);
}

void
output_transfer(struct output *o, const struct transfer_record *r)
{
	EACH(o, transfer, r);
}

void
output_alert(struct output *o, const struct alert *a)
{
	EACH(o, alert, a);
}

void
output_coverage(struct output *o, const struct coverage *c)
{
	EACH(o, coverage, c);
}

void
output_reload(struct output *o, const struct reload_record *r)
{
	EACH(o, reload, r);
}

void
output_stats(struct output *o, const struct stats_record *s)
{
	EACH(o, stats, s);
}

void
output_problem(struct output *o, const char *sentence)
{
	EACH(o, problem, sentence);
}

size_t
output_pending(const struct output *o)
{
	size_t pending = 0;

	for (size_t i = 0; i < SINKS; i++)
		if (o->state[i] != NULL && sinks[i]->pending != NULL)
			pending += sinks[i]->pending(o->state[i]);
	return pending;
}

void
output_reopen(struct output *o)
{
	for (size_t i = 0; i < SINKS; i++)
		if (o->state[i] != NULL && sinks[i]->reopen != NULL)
			sinks[i]->reopen(o->state[i]);
}

void
output_condition(const struct output *o, struct output_condition *out)
{
	*out = (struct output_condition){0};
	EACH(o, condition, out);
}

/* Every sink finishes, whatever befell the others; the first error is told. */
int
output_finish(struct output *o, char *error, size_t error_size)
{
	char later[256];
	int result = 0;

	for (size_t i = 0; i < SINKS; i++) {
		if (o->state[i] == NULL || sinks[i]->finish == NULL)
			continue;
		bool first = result == 0;
		if (sinks[i]->finish(o->state[i], first ? error : later, first ? error_size : sizeof later) != 0)
			result = -1;
	}
	return result;
}

void
output_close(struct output *o)
{
	if (o == NULL)
		return;
	for (size_t i = SINKS; i-- > 0;)
		if (o->state[i] != NULL)
			sinks[i]->close(o->state[i]);
	free(o);
}

static const char *const severity_names[] = {
	[SEVERITY_INFO] = "info", [SEVERITY_LOW] = "low", [SEVERITY_MEDIUM] = "medium",
	[SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical",
};

const char *
severity_name(enum severity s)
{
	return severity_names[s];
}

int
severity_parse(const char *name, enum severity *out)
{
	for (size_t i = 0; i < sizeof severity_names / sizeof severity_names[0]; i++) {
		if (strcmp(severity_names[i], name) == 0) {
			*out = (enum severity)i;
			return 0;
		}
	}
	return -1;
}
