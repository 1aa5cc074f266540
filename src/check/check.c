#include "config.h"

#include "check/check.h"

#include <string.h>

#include "base/clock.h"
#include "check/findings.h"
#include "check/interfaces.h"
#include "check/machine.h"
#include "lanes.h"
#include "loop.h"

enum { DATABASE_OLD = 90 /* days, as when they are loaded */ };

static void check_databases(struct findings *f, struct attribution *a, const struct attribution_conf *conf);
static void check_lists(struct findings *f, struct attribution *a, const struct attribution_conf *conf);
static void check_rules(struct findings *f, const struct policy_conf *conf);
static void check_metrics(struct findings *f, const struct web_conf *conf);
static void check_webhooks(struct findings *f, const struct output_conf *conf);
static void check_output(void *ctx, const char *what, enum output_finding finding, const char *sentence);

int
check_run(const struct options *options, const struct conf *conf, struct attribution *attribution, FILE *out)
{
	struct findings f = {.out = out, .json = options->json};
	if (options->conf != NULL)
		findings_say(&f, FINDING_OK, "configuration", NULL, "%s: no error", options->conf);
	else
		findings_say(&f, FINDING_OK, "configuration", NULL, "none: every key has its default");
	interfaces_check(&f, options, conf);
	check_databases(&f, attribution, &conf->attribution);
	check_lists(&f, attribution, &conf->attribution);
	check_rules(&f, &conf->policy);
	output_describe(&conf->output, check_output, &f);
	if (options->online)
		check_webhooks(&f, &conf->output);
	check_metrics(&f, &conf->web);
	machine_check(&f, conf, options->argument_count, lanes_wanted(options, conf));
	findings_end(&f);
	return f.problems > 0 ? 1 : 0;
}

/* One that the configuration names and that is not among the loaded was refused: loading has said why. */
static void
check_databases(struct findings *f, struct attribution *a, const struct attribution_conf *conf)
{
	const struct attribution_database *d;
	const size_t count = attribution_databases(a, &d);
	if (count == 0)
		findings_say(f, FINDING_WARNING, "database", NULL,
		        "none: countries and network owners stay unknown, listed networks do not");
	for (size_t i = 0; i < count; i++) {
		char built[CLOCK_TEXT_MAX];
		const long long days = (clock_now() - d[i].built) / CLOCK_SECOND / 86400;
		clock_format(d[i].built, built);
		findings_say(f, days > DATABASE_OLD ? FINDING_WARNING : FINDING_OK, "database", NULL,
		        "%s: %s, built %.10s (%lld days ago), tells%s%s%s, SHA-256 %.16s", d[i].path, d[i].type, built, days,
		        d[i].country ? " country" : "", d[i].country && d[i].asn ? " and" : "",
		        d[i].asn ? " network owner" : "", d[i].digest != NULL ? d[i].digest : "unknown");
	}
	for (size_t k = 0; k < conf->database_count; k++) {
		size_t i = 0;
		while (i < count && strcmp(d[i].path, conf->databases[k]) != 0)
			i++;
		if (i == count)
			findings_say(f, FINDING_PROBLEM, "database", NULL, "%s: can't be used", conf->databases[k]);
	}
}

static void
check_lists(struct findings *f, struct attribution *a, const struct attribution_conf *conf)
{
	const struct attribution_list *l;
	const size_t count = attribution_lists(a, &l);
	for (size_t i = 0; i < count; i++)
		findings_say(f, FINDING_OK, "list", NULL, "%s: %zu rows, SHA-256 %.16s, %s", l[i].name, l[i].rows,
		        l[i].digest != NULL ? l[i].digest : "unknown", l[i].path != NULL ? l[i].path : "built in");
	for (size_t k = 0; k < conf->list_count; k++) {
		size_t i = 0;
		while (i < count && (l[i].path == NULL || strcmp(l[i].path, conf->lists[k].path) != 0))
			i++;
		if (i == count)
			findings_say(f, FINDING_PROBLEM, "list", NULL, "%s: can't be used", conf->lists[k].path);
	}
	const struct attribution_list services = attribution_services(a);
	findings_say(f, FINDING_OK, "services", NULL, "%s: %zu rows, SHA-256 %.16s, %s", services.name, services.rows,
	        services.digest, services.path != NULL ? services.path : "built in");
}

static void
check_rules(struct findings *f, const struct policy_conf *conf)
{
	char size[FINDINGS_SIZE_MAX];
	findings_say(f, conf->sanctioned_transfer ? FINDING_OK : FINDING_WARNING, "rules", NULL,
	        "sanctioned-transfer %s, sanctioned-contact %s, bulk-outbound %s%s", conf->sanctioned_transfer ? "on" : "OFF",
	        conf->sanctioned_contact ? "on" : "OFF", conf->bulk_outbound ? "from " : "off",
	        conf->bulk_outbound ? findings_size((double)conf->bulk_bytes, size) : "");
}

static void
check_metrics(struct findings *f, const struct web_conf *conf)
{
	char addr[ADDR_TEXT_MAX];
	if (conf->path != NULL)
		findings_say(f, FINDING_OK, "metrics", NULL, "/metrics and /healthz at the socket %s", conf->path);
	else if (conf->port == 0)
		findings_say(f, FINDING_OK, "metrics", NULL, "nobody may ask: metrics.listen names no address");
	else
		findings_say(f, FINDING_OK, "metrics", NULL, addr_is_v4(&conf->addr) ? "http://%s:%u/metrics and /healthz" :
		        "http://[%s]:%u/metrics and /healthz", addr_format(&conf->addr, addr), conf->port);
}

static void
check_webhooks(struct findings *f, const struct output_conf *conf)
{
	struct loop *loop = loop_create();
	if (loop == NULL || output_probe(conf, loop, check_output, f) < 0)
		findings_say(f, FINDING_PROBLEM, "online", NULL, "out of memory");
	loop_destroy(loop);
}

static void
check_output(void *ctx, const char *what, enum output_finding finding, const char *sentence)
{
	findings_say(ctx,
	        finding == OUTPUT_BROKEN  ? FINDING_PROBLEM
	        : finding == OUTPUT_AMISS ? FINDING_WARNING
	                                  : FINDING_OK,
	        what, NULL, "%s", sentence);
}
