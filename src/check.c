#include "config.h"

#include "check.h"

#include "base/clock.h"

static void check_databases(struct attribution *a, FILE *out);
static void check_lists(struct attribution *a, FILE *out);
static void check_rules(const struct policy_conf *conf, FILE *out);

int
check_run(const struct options *options, const struct conf *conf, struct attribution *attribution, FILE *out)
{
	if (options->conf != NULL)
		fprintf(out, "configuration  %s: no error\n", options->conf);
	else
		fprintf(out, "configuration  none: every key has its default\n");
	check_databases(attribution, out);
	check_lists(attribution, out);
	check_rules(&conf->policy, out);
	return output_describe(&conf->output, out) < 0 ? 2 : 0;
}

static void
check_databases(struct attribution *a, FILE *out)
{
	const struct attribution_database *d;
	size_t count = attribution_databases(a, &d);
	if (count == 0)
		fprintf(out, "database       none: countries and network owners stay unknown, listed networks do not\n");
	for (size_t i = 0; i < count; i++) {
		char built[CLOCK_TEXT_MAX];
		clock_format(d[i].built, built);
		fprintf(out, "database       %s\n               %s, built %.10s (%lld days ago), tells%s%s%s\n", d[i].path,
		        d[i].type, built, (long long)((clock_now() - d[i].built) / CLOCK_SECOND / 86400),
		        d[i].country ? " country" : "", d[i].country && d[i].asn ? " and" : "",
		        d[i].asn ? " network owner" : "");
	}
}

static void
check_lists(struct attribution *a, FILE *out)
{
	const struct attribution_list *l;
	size_t count = attribution_lists(a, &l);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "list           %s: %zu rows, SHA-256 %.16s, %s\n", l[i].name, l[i].rows,
		        l[i].digest != NULL ? l[i].digest : "unknown", l[i].path != NULL ? l[i].path : "built in");
	const struct attribution_list services = attribution_services(a);
	fprintf(out, "services       %s: %zu rows, SHA-256 %.16s, %s\n", services.name, services.rows, services.digest,
	        services.path != NULL ? services.path : "built in");
}

static void
check_rules(const struct policy_conf *conf, FILE *out)
{
	fprintf(out, "rules          sanctioned-transfer %s, sanctioned-contact %s, ",
	        conf->sanctioned_transfer ? "on" : "OFF", conf->sanctioned_contact ? "on" : "OFF");
	if (conf->bulk_outbound)
		fprintf(out, "bulk-outbound from %.0f MB\n", (double)conf->bulk_bytes / 1e6);
	else
		fprintf(out, "bulk-outbound off\n");
}
