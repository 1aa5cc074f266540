#include "config.h"

#include "remarks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "base/clock.h"
#include "condition.h"
#include "log.h"

void
remarks_add(struct remarks *n, const char *sentence)
{
	char *copy = n->count < REMARKS_MAX ? strdup(sentence) : NULL;
	if (copy != NULL)
		n->sentence[n->count++] = copy;
}

void
remarks_clear(struct remarks *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->sentence[i]);
	n->count = 0;
}

void
remarks_databases(struct remarks *n, const struct attribution *a)
{
	const struct attribution_database *databases;
	size_t count = attribution_databases(a, &databases);
	if (count == 0)
		remarks_add(n, "no country or network database: places are known from the sanctions lists alone");
	for (size_t i = 0; i < count; i++) {
		char sentence[REMARK_MAX], built[CLOCK_TEXT_MAX];
		clock_format(databases[i].built, built);
		snprintf(sentence, sizeof sentence, "database %s, built %.10s", databases[i].type, built);
		remarks_add(n, sentence);
	}
}

void
remarks_output(struct remarks *n, const struct output *o)
{
	char sentence[REMARK_MAX];
	struct output_condition condition;
	output_condition(o, &condition);
	if (condition_sentence(&condition, sentence, sizeof sentence))
		remarks_add(n, sentence);
}

void
remarks_coverage(struct remarks *n, const struct coverage *c, const struct coverage_counter *counters, size_t count)
{
	char sentence[REMARK_MAX];
	if (account_copies(c, sentence, sizeof sentence))
		remarks_add(n, sentence);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(counters[i].name, "flow_shed_listed") != 0 || counters[i].count == 0)
			continue;
		snprintf(sentence, sizeof sentence, "limits.memory is too small: %" PRIu64 " flows with a listed end were ended early, "
		        "and told; if they went on, as new ones", counters[i].count);
		log_warn("sensor", "%s", sentence);
		remarks_add(n, sentence);
	}
}
