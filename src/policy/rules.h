/* The rules: what a flow or a transfer means. Pure; folding and telling are policy.c's. */
#ifndef WAYBILL_POLICY_RULES_H
#define WAYBILL_POLICY_RULES_H

#include "base/record.h"
#include "policy/policy.h"

enum { RULE_KEY_MAX = 192, RULE_SUMMARY_MAX = 512 };

/* A rule matched. Borrows the record it was made from. */
struct finding {
	const char *rule;
	const char *subject;                    /* id of the flow or transfer */
	const struct flow_record *flow;         /* the one with the listed end */
	const struct transfer_record *transfer; /* or NULL */
	const struct listing *listing;          /* or NULL */
	enum side remote;                       /* the end of flow that is listed, or away from home */
	enum confidence confidence;
	enum severity severity;
	int64_t time;
	uint64_t bytes;                         /* payload so far, both ways, or of the file */
};

enum rule_answer {
	RULE_NO,      /* nothing to tell so far */
	RULE_SO_FAR,  /* a finding, which the next packets may still change */
	RULE_SETTLED, /* a finding, and the next packets change nothing */
	RULE_NEVER,   /* nothing to tell, and never will be */
};

/* sanctioned-contact: an exchange with a listed network. */
enum rule_answer rules_flow(const struct policy_conf *conf, const struct flow_record *r, struct finding *out);

/* sanctioned-transfer: a file to or from one. A form is none: its files are told by themselves. */
bool rules_transfer(const struct policy_conf *conf, const struct transfer_record *r, struct finding *out);

/* bulk-outbound: an inferred upload above the configured size to a place that is not on the allow list. */
bool rules_bulk(const struct policy_conf *conf, const struct transfer_record *r, struct finding *out);

/* What folds into one alert: rule, home host, remote network. Returns its length. */
size_t rules_key(const struct finding *f, char key[RULE_KEY_MAX]);

/* The finding as one sentence for a person; returns text. count: how many flows or transfers it stands for. */
const char *rules_summary(const struct finding *f, uint64_t count, char text[RULE_SUMMARY_MAX]);

#endif
