/* Where alerts would go and what is on its way, for waybill check. */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "output/output.h"
#include "output/spool.h"

enum { SENTENCE_MAX = 1024 };

struct tally {
	output_say_fn *say;
	void *ctx;
	size_t waiting, dead;
};

static void describe_target(const struct webhook_target *w, struct tally *t);
static void count_letter(void *ctx, const struct spool_letter *l);
static void say(const struct tally *t, const char *what, enum output_finding finding, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

void
output_describe(const struct output_conf *conf, output_say_fn *fn, void *ctx)
{
	struct tally t = {.say = fn, .ctx = ctx};
	char error[512];
	if (conf->webhook_count == 0) {
		say(&t, "webhook", OUTPUT_FACT, "none: alerts go to the events or the summary only");
		return;
	}
	for (size_t i = 0; i < conf->webhook_count; i++)
		describe_target(&conf->webhooks[i], &t);
	if (spool_list(conf->spool_path, count_letter, &t, error, sizeof error) < 0)
		say(&t, "spool", OUTPUT_BROKEN, "%s: %s", conf->spool_path, error);
	else
		say(&t, "spool", OUTPUT_FACT, "%s: %zu waiting, %zu dead", conf->spool_path, t.waiting, t.dead);
}

/* The path and the user part of a URL often hold a token: scheme and host are enough to recognise it. */
static void
describe_target(const struct webhook_target *w, struct tally *t)
{
	const char *host = strstr(w->url, "://");
	host = host != NULL ? host + 3 : w->url;
	int scheme = (int)(host - w->url);
	size_t len = strcspn(host, "/?#");
	for (const char *at; (at = memchr(host, '@', len)) != NULL; host = at + 1)
		len -= (size_t)(at + 1 - host);
	say(t, "webhook", w->secret != NULL ? OUTPUT_FACT : OUTPUT_AMISS, "%s: %.*s%.*s, %s, from severity %s", w->name,
	        scheme, w->url, (int)len, host, w->secret != NULL ? "signed" : "NOT signed", severity_name(w->minimum));
}

static void
count_letter(void *ctx, const struct spool_letter *l)
{
	struct tally *t = ctx;
	if (l->died == 0) {
		t->waiting++;
		return;
	}
	char died[CLOCK_TEXT_MAX];
	t->dead++;
	clock_format(l->died, died);
	say(t, "dead letter", OUTPUT_AMISS, "%s for %s, given up %.19sZ after %u attempts: %s", l->id, l->target, died,
	        l->attempts, l->error != NULL ? l->error : "");
}

static void
say(const struct tally *t, const char *what, enum output_finding finding, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	t->say(t->ctx, what, finding, sentence);
}
