/* Where alerts would go and what is on its way, for waybill check. */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "output/output.h"
#include "output/spool.h"

struct tally {
	FILE *out;
	size_t waiting, dead;
};

static void describe_target(const struct webhook_target *w, FILE *out);
static void count_letter(void *ctx, const struct spool_letter *l);

int
output_describe(const struct output_conf *conf, FILE *out)
{
	char error[512];
	if (conf->webhook_count == 0) {
		fprintf(out, "webhook        none: alerts go to the events or the summary only\n");
		return 0;
	}
	for (size_t i = 0; i < conf->webhook_count; i++)
		describe_target(&conf->webhooks[i], out);
	struct tally tally = {.out = out};
	if (spool_list(conf->spool_path, count_letter, &tally, error, sizeof error) < 0) {
		fprintf(out, "spool          %s: %s\n", conf->spool_path, error);
		return -1;
	}
	fprintf(out, "spool          %s: %zu waiting, %zu dead\n", conf->spool_path, tally.waiting, tally.dead);
	return 0;
}

/* The path and the user part of a URL often hold a token: scheme and host are enough to recognise it. */
static void
describe_target(const struct webhook_target *w, FILE *out)
{
	const char *host = strstr(w->url, "://");
	host = host != NULL ? host + 3 : w->url;
	int scheme = (int)(host - w->url);
	size_t len = strcspn(host, "/?#");
	for (const char *at; (at = memchr(host, '@', len)) != NULL; host = at + 1)
		len -= (size_t)(at + 1 - host);
	fprintf(out, "webhook        %s: %.*s%.*s, %s, from severity %s\n", w->name, scheme, w->url, (int)len, host,
	        w->secret != NULL ? "signed" : "NOT signed", severity_name(w->minimum));
}

static void
count_letter(void *ctx, const struct spool_letter *l)
{
	struct tally *t = ctx;
	if (l->died == 0) {
		t->waiting++;
		return;
	}
	char died[CLOCK_TEXT_MAX], error[256];
	t->dead++;
	clock_format(l->died, died);
	text_escape(error, sizeof error, l->error != NULL ? l->error : "", l->error != NULL ? strlen(l->error) : 0);
	fprintf(t->out, "dead letter    %s for %s, given up %.19sZ after %u attempts: %s\n", l->id, l->target, died,
	        l->attempts, error);
}
