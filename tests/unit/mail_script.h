/*
 * Sessions of mail protocols as scripts, a step a line, over the real transfer stage:
 *   "c TEXT", "s TEXT"   a line of the client or server, CR LF added
 *   "C TEXT", "S TEXT"   the same without CR LF
 *   "gap c N", "gap s N" N bytes that were not seen
 *   "fin c", "fin s"     this side sends nothing more; "mid": seen from the middle; "reset": it ends so
 * What is wanted: the log of proto_stage.h, without what began, then what the session said of itself: "user=bob",
 * "email.subject=x".
 */
#ifndef TESTS_UNIT_MAIL_SCRIPT_H
#define TESTS_UNIT_MAIL_SCRIPT_H

#include "proto_stage.h"

struct mail_session {
	const char *name, *script, *want;
};

/* With "c " or "s " before each line of what is sent by one side. */
static inline void
mail_step(struct stage *s, const char *step, size_t len, size_t piece, size_t *limit)
{
	char bytes[4096];
	const enum side from = (step[0] | 0x20) == 's' ? SIDE_DESTINATION : SIDE_SOURCE;
	size_t n = len - 2;
	assert_true(n + 2 < sizeof bytes);
	memcpy(bytes, step + 2, n);
	if (step[0] >= 'a') {
		memcpy(bytes + n, "\r\n", 2);
		n += 2;
	}
	n = n < *limit ? n : *limit;
	*limit -= n;
	for (size_t at = 0; at < n; at += piece)
		(void)stage_data(s, 0, from, bytes + at, n - at < piece ? n - at : piece);
}

static inline void
mail_command(struct stage *s, const char *step, bool *reset)
{
	const enum side from = strstr(step, " s") == step + 3 ? SIDE_DESTINATION : SIDE_SOURCE;
	if (strncmp(step, "mid", 3) == 0)
		s->flow[0].midstream = true;
	else if (strncmp(step, "reset", 5) == 0)
		*reset = true;
	else if (strncmp(step, "gap ", 4) == 0)
		(void)conversation_gap(stage_conversation(s, 0), from, strtoul(step + 6, NULL, 10));
	else if (strncmp(step, "fin ", 4) == 0)
		(void)conversation_end(stage_conversation(s, 0), from, false);
	else
		fail_msg("no step: %s", step);
}

/* limit: so many bytes at most. Returns whether the session ends with a reset. */
static inline bool
mail_play(struct stage *s, const char *script, uint16_t port, size_t piece, size_t limit)
{
	bool reset = false;
	stage_init(s);
	stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", port);
	while (*script != '\0') {
		const char *end = strchr(script, '\n');
		const size_t len = end != NULL ? (size_t)(end - script) : strlen(script);
		const bool bytes = len >= 2 && script[1] == ' ' && strchr("cCsS", script[0]) != NULL;
		if (bytes && limit > 0)
			mail_step(s, script, len, piece, &limit);
		else if (!bytes && limit > 0)
			mail_command(s, script, &reset);
		script += end != NULL ? len + 1 : len;
	}
	return reset;
}

/* Ends the conversation, and adds to the log what the session said. */
static inline void
mail_finish(struct stage *s, bool reset)
{
	struct detail detail[DETAIL_MAX];
	struct stage_flow *f = &s->flow[0];
	(void)stage_conversation(s, 0);
	conversation_close(f->conversation, reset);
	f->conversation = NULL;
	const struct facts *facts = session_facts(f->session);
	const size_t count = details_list(facts->details, detail);
	if (facts->protocol == NULL || strcmp(facts->protocol, "unknown") == 0)
		stage_say(s, "unknown ");
	else
		stage_say(s, "%s ", facts->protocol);
	if (facts->user.utf8 != NULL)
		stage_say(s, "user=%s ", facts->user.utf8);
	for (size_t i = 0; i < count; i++) {
		if (detail[i].text != NULL)
			stage_say(s, "%s=%s ", detail[i].key, detail[i].text);
		else
			stage_say(s, "%s=%llu ", detail[i].key, (unsigned long long)detail[i].number);
	}
}

/* The log without what began. */
static inline void
mail_ended(const struct stage *s, char *out, size_t size)
{
	size_t n = 0;
	for (const char *at = s->log; *at != '\0' && n + 1 < size; at++) {
		const char *end = *at == '+' ? strchr(at, ';') : NULL;
		if (end != NULL && (at == s->log || at[-1] == ';'))
			at = end;
		else
			out[n++] = *at;
	}
	out[n] = '\0';
}

/* Each session in pieces of several sizes, and each prefix of it, which must do no harm. */
static inline void
mail_run(const struct mail_session *sessions, size_t count, uint16_t port)
{
	static const size_t pieces[] = {4096, 1, 7};
	struct stage s;
	for (size_t i = 0; i < count; i++) {
		for (size_t p = 0; p < COUNT(pieces); p++) {
			char log[sizeof s.log];
			bool reset = mail_play(&s, sessions[i].script, port, pieces[p], SIZE_MAX);
			mail_finish(&s, reset);
			transfer_tracker_flush(s.tracker, s.now); /* what waits for its other parts */
			mail_ended(&s, log, sizeof log);
			if (strncmp(log, sessions[i].want, strlen(sessions[i].want)) != 0)
				fail_msg("%s, in pieces of %zu:\n got %s\nwant %s", sessions[i].name, pieces[p], log, sessions[i].want);
			stage_clear(&s);
		}
		for (size_t limit = 1; limit < strlen(sessions[i].script); limit++) {
			bool reset = mail_play(&s, sessions[i].script, port, 4096, limit);
			mail_finish(&s, reset);
			stage_close(&s, 0, reset);
			stage_clear(&s);
		}
	}
}

#endif
