/* The summary sink: gathers what goes by, and prints one page for a person at the end. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "output/output.h"
#include "output/summary.h"

static int summary_open(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size);
static void summary_flow(void *state, const struct flow_record *r);
static void summary_transfer(void *state, const struct transfer_record *r);
static void summary_alert(void *state, const struct alert *a);
static void summary_coverage(void *state, const struct coverage *c);
static void summary_problem(void *state, const char *sentence);
static int summary_finish(void *state, char *error, size_t error_size);
static void summary_close(void *state);
static int name_inputs(struct summary *s, const struct output_conf *conf);
static void forget_coverage(struct summary *s);

const struct sink sink_summary = {
	.name = "summary",
	.open = summary_open,
	.flow = summary_flow,
	.transfer = summary_transfer,
	.alert = summary_alert,
	.coverage = summary_coverage,
	.problem = summary_problem,
	.finish = summary_finish,
	.close = summary_close,
};

static int
summary_open(const struct output_conf *conf, struct loop *loop, void **state, char *error, size_t error_size)
{
	(void)loop;
	if (!conf->summary)
		return 0;
	struct summary *s = calloc(1, sizeof *s);
	if (s == NULL || summary_tally_init(s) != 0 || name_inputs(s, conf) != 0) {
		snprintf(error, error_size, "out of memory");
		if (s != NULL)
			summary_close(s);
		return -1;
	}
	page_init(&s->page, conf->summary_stream, conf->colour);
	*state = s;
	return 0;
}

static int
name_inputs(struct summary *s, const struct output_conf *conf)
{
	enum { NAMED = 4, NAME_MAX_SHOWN = 200 };
	char *text = NULL;
	size_t size;

	if (conf->inputs == NULL || conf->input_count == 0)
		return 0;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return -1;
	for (size_t i = 0; i < conf->input_count && i < NAMED; i++) {
		char name[NAME_MAX_SHOWN];
		const char *path = strcmp(conf->inputs[i], "-") == 0 ? "standard input" : conf->inputs[i];
		fprintf(out, "%s%s", i > 0 ? ", " : "", text_escape(name, sizeof name, path, strlen(path)));
	}
	if (conf->input_count > NAMED)
		fprintf(out, " and %zu more", conf->input_count - NAMED);
	if (fclose(out) != 0) {
		free(text);
		return -1;
	}
	s->inputs = text;
	s->input_count = conf->input_count;
	return 0;
}

static void
summary_flow(void *state, const struct flow_record *r)
{
	summary_tally_flow(state, r);
}

static void
summary_transfer(void *state, const struct transfer_record *r)
{
	summary_tally_transfer(state, r);
}

static void
summary_alert(void *state, const struct alert *a)
{
	summary_tally_alert(state, a);
}

/* Keeps a copy: names and helps of counters are static, notes are not. */
static void
summary_coverage(void *state, const struct coverage *c)
{
	struct summary *s = state;

	forget_coverage(s);
	s->coverage = *c;
	s->coverage.unread_count = s->coverage.note_count = 0;
	s->unread = calloc(c->unread_count + 1, sizeof s->unread[0]);
	s->notes = calloc(c->note_count + 1, sizeof s->notes[0]);
	for (size_t i = 0; s->unread != NULL && i < c->unread_count; i++)
		s->unread[s->coverage.unread_count++] = c->unread[i];
	for (size_t i = 0; s->notes != NULL && i < c->note_count; i++)
		if ((s->notes[s->coverage.note_count] = strdup(c->notes[i])) != NULL)
			s->coverage.note_count++;
	s->covered = true;
}

static void
forget_coverage(struct summary *s)
{
	for (size_t i = 0; i < s->coverage.note_count; i++)
		free(s->notes[i]);
	free(s->notes);
	free(s->unread);
	s->notes = NULL;
	s->unread = NULL;
	s->coverage = (struct coverage){0};
}

static void
summary_problem(void *state, const char *sentence)
{
	struct summary *s = state;
	char text[SUMMARY_SENTENCE_MAX];
	char *copy = NULL;

	if (s->problem_count < SUMMARY_PROBLEMS_KEPT)
		copy = strdup(text_escape(text, sizeof text, sentence, strlen(sentence)));
	if (copy != NULL)
		s->problems[s->problem_count++] = copy;
	else
		s->problems_not_kept++;
}

static int
summary_finish(void *state, char *error, size_t error_size)
{
	struct summary *s = state;

	summary_tally_sort(s);
	errno = 0;
	summary_print(s);
	if (fflush(s->page.out) == 0 && !ferror(s->page.out))
		return 0;
	snprintf(error, error_size, "cannot write the summary: %s", strerror(errno != 0 ? errno : EIO));
	return -1;
}

static void
summary_close(void *state)
{
	struct summary *s = state;

	forget_coverage(s);
	for (size_t i = 0; i < s->problem_count; i++)
		free(s->problems[i]);
	summary_tally_clear(s);
	free(s->inputs);
	free(s);
}
