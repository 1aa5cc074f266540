/* Is it well? What a person would have to look after, a line each: of now, where coverage tells of the time since the last record. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "web/web.h"

enum { FAILURES_MANY = 3, LINE_MAX_TEXT = 512 };
static const int64_t unheard_long = 30 * CLOCK_SECOND;

struct reasons {
	FILE *out;
	unsigned count;
};

static void capture_reasons(struct reasons *r, const struct web_state *s, const struct web_conf *conf);
static void output_reasons(struct reasons *r, const struct output_condition *c);
static void list_reasons(struct reasons *r, const struct web_state *s, const struct web_conf *conf);
static void say(struct reasons *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool
web_write_health(FILE *out, const struct web_state *s, const struct web_conf *conf)
{
	struct reasons r = {.out = out};
	capture_reasons(&r, s, conf);
	output_reasons(&r, &s->output);
	list_reasons(&r, s, conf);
	return r.count == 0;
}

static void
capture_reasons(struct reasons *r, const struct web_state *s, const struct web_conf *conf)
{
	size_t amiss = 0;
	if (s->unheard >= unheard_long)
		say(r, "packets have not been followed for %" PRId64 " s", s->unheard / CLOCK_SECOND);
	for (size_t i = 0; i < s->interface_count; i++) {
		const struct web_interface *f = &s->interfaces[i];
		if (!f->known || f->up)
			continue;
		amiss++;
		say(r, f->exists ? "interface %s is down, or has no link" : "interface %s does not exist any more", f->name);
	}
	if (amiss == 0 && conf->silence > 0 && s->quiet >= conf->silence)
		say(r, "no packet came for %" PRId64 " s although the link is up", s->quiet / CLOCK_SECOND);
}

static void
output_reasons(struct reasons *r, const struct output_condition *c)
{
	if (c->events_failure != 0)
		say(r, "events can't be written to %s: %s", c->events_path, strerror(c->events_failure));
	if (c->spool_failing)
		say(r, "the webhooks' spool %s takes no alerts: %zu wait in memory", c->spool_path, c->spool_held);
	if (c->webhook_failures >= FAILURES_MANY && c->webhook_waiting > 0)
		say(r, "webhooks: %zu alerts wait, the last %u attempts of one failed", c->webhook_waiting, c->webhook_failures);
	if (c->webhook_refused > 0)
		say(r, "webhooks: %zu alerts wait for one that is disabled", c->webhook_refused);
}

static void
list_reasons(struct reasons *r, const struct web_state *s, const struct web_conf *conf)
{
	for (size_t i = 0; i < s->refused_count; i++)
		say(r, "the last reload was refused: %s", s->refused[i]);
	for (size_t i = 0; i < s->database_count && conf->database_age > 0; i++) {
		const struct web_database *d = &s->databases[i];
		if (d->built > 0 && s->stats.time - d->built > conf->database_age)
			say(r, "database %s is %" PRId64 " days old", d->type, (s->stats.time - d->built) / (86400 * CLOCK_SECOND));
	}
}

/* One line, whatever is in it. */
static void
say(struct reasons *r, const char *format, ...)
{
	char line[LINE_MAX_TEXT], shown[2 * LINE_MAX_TEXT];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	fprintf(r->out, "%s\n", text_escape(shown, sizeof shown, line, strlen(line)));
	r->count++;
}
