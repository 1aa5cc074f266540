/*
 * A stage for protocols: flows with conversations over the real transfer stage, and a log of the
 * transfers that were told: "+name;" began, "=path method user sender state size seen+missing;" ended.
 */
#ifndef TESTS_UNIT_PROTO_STAGE_H
#define TESTS_UNIT_PROTO_STAGE_H

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "proto/proto.h"
#include "transfer/transfer.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

enum { STAGE_FLOWS = 4 };

struct stage_flow {
	struct session_ends ends;
	bool midstream;
	struct session *session; /* from the first bytes on, as in the pipeline */
	struct conversation *conversation;
	enum verdict verdict; /* the last one */
};

struct stage {
	struct transfer_tracker *tracker;
	struct conversations *conversations;
	struct stage_flow flow[STAGE_FLOWS];
	int64_t now;
	char log[8192];
};

static inline void stage_say(struct stage *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void
stage_say(struct stage *s, const char *format, ...)
{
	va_list args;
	size_t len = strlen(s->log);
	va_start(args, format);
	(void)vsnprintf(s->log + len, sizeof s->log - len, format, args);
	va_end(args);
}

static inline const char *
stage_text(const char *text)
{
	return text != NULL ? text : "-";
}

static inline void
stage_began(void *ctx, const struct transfer_record *r)
{
	stage_say(ctx, "+%s;", stage_text(r->name.utf8));
}

static inline void
stage_ended(void *ctx, const struct transfer_record *r)
{
	static const char *const states[] = {"open", "complete", "truncated", "aborted"};
	struct stage *s = ctx;
	if (r->basis == TRANSFER_INFERRED)
		stage_say(s, "=inferred %s", stage_text(r->method));
	else
		stage_say(s, "=%s %s %s", stage_text(r->path.utf8), stage_text(r->method),
		        stage_text(r->user.utf8));
	stage_say(s, " %s %s %llu %llu+%llu", r->sender == SIDE_SOURCE ? "source" : "destination",
	        states[r->state], (unsigned long long)r->size, (unsigned long long)r->seen,
	        (unsigned long long)r->missing);
	if (r->offset != 0)
		stage_say(s, " @%llu", (unsigned long long)r->offset);
	if (r->has_sha256)
		stage_say(s, " h%02x%02x", r->sha256[0], r->sha256[1]);
	if (r->data != NULL)
		stage_say(s, " over %s", r->data->id);
	stage_say(s, ";");
}

static inline void
stage_describe(void *ctx, void *flow, struct flow_record *out)
{
	struct stage *s = ctx;
	const struct stage_flow *f = flow;
	(void)snprintf(out->id, sizeof out->id, "%d", (int)(f - s->flow));
	for (size_t i = 0; i < 2; i++) {
		out->side[i].addr = f->ends.addr[i];
		out->side[i].port = f->ends.port[i];
	}
	out->transport = f->ends.transport;
}

static inline void
stage_ends(void *ctx, void *flow, struct session_ends *out)
{
	(void)ctx;
	*out = ((struct stage_flow *)flow)->ends;
}

static inline void
stage_init(struct stage *s)
{
	static const struct transfer_limits limits = {.memory = 1 << 20};
	static const struct transfer_ops ops = {.began = stage_began,
	        .grew = stage_began,
	        .ended = stage_ended,
	        .flow = stage_describe,
	        .ends = stage_ends};
	*s = (struct stage){.now = 1000 * CLOCK_SECOND};
	s->tracker = transfer_tracker_create(&limits, &ops, s);
	assert_non_null(s->tracker);
	s->conversations = conversations_create();
	assert_non_null(s->conversations);
}

/* A flow from one address and port to another; its session begins with its first bytes. */
static inline void
stage_flow(struct stage *s, size_t n, const char *from, uint16_t from_port, const char *to, uint16_t to_port)
{
	struct stage_flow *f = &s->flow[n];
	assert_null(f->session);
	*f = (struct stage_flow){.ends = {.port = {from_port, to_port}, .transport = IPPROTO_TCP}};
	assert_int_equal(addr_parse(from, &f->ends.addr[SIDE_SOURCE]), 0);
	assert_int_equal(addr_parse(to, &f->ends.addr[SIDE_DESTINATION]), 0);
}

/* The same for datagrams: each stage_data is one. */
static inline void
stage_datagrams(struct stage *s, size_t n, const char *from, uint16_t from_port, const char *to, uint16_t to_port)
{
	stage_flow(s, n, from, from_port, to, to_port);
	s->flow[n].ends.transport = IPPROTO_UDP;
	s->flow[n].midstream = true;
}

/* The first value that the flow's open session told under key: borrowed; NULL: none, or a number. */
static inline const char *
stage_detail(struct stage *s, size_t n, const char *key)
{
	struct detail d[DETAIL_MAX];
	size_t count = details_list(session_facts(s->flow[n].session)->details, d);
	for (size_t i = 0; i < count; i++)
		if (strcmp(d[i].key, key) == 0)
			return d[i].text;
	return NULL;
}

static inline struct conversation *
stage_conversation(struct stage *s, size_t n)
{
	struct stage_flow *f = &s->flow[n];
	s->now += CLOCK_MILLISECOND;
	if (f->session == NULL) {
		f->session = session_open(s->tracker, f, f->midstream, s->now);
		assert_non_null(f->session);
		f->conversation = conversation_open(s->conversations, f->session, f->midstream);
		assert_non_null(f->conversation);
	}
	session_time(f->session, s->now);
	return f->conversation;
}

/* The bytes are given in an exact-size copy, so that a read beyond them is found. */
static inline enum verdict
stage_data(struct stage *s, size_t n, enum side from, const void *bytes, size_t len)
{
	struct conversation *c = stage_conversation(s, n);
	uint8_t *copy = malloc(len > 0 ? len : 1);
	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	if (s->flow[n].verdict != VERDICT_DONE)
		s->flow[n].verdict = conversation_data(c, from, copy, len);
	free(copy);
	return s->flow[n].verdict;
}

static inline void
stage_close(struct stage *s, size_t n, bool reset)
{
	struct stage_flow *f = &s->flow[n];
	if (f->session == NULL)
		return;
	s->now += CLOCK_MILLISECOND;
	session_time(f->session, s->now);
	conversation_close(f->conversation, reset);
	session_close(f->session, reset, s->now);
	f->session = NULL;
	f->conversation = NULL;
}

/* Ends all flows as the end of a capture does, oldest first. */
static inline void
stage_clear(struct stage *s)
{
	for (size_t n = 0; n < STAGE_FLOWS; n++)
		stage_close(s, n, false);
	transfer_tracker_flush(s->tracker, s->now);
	transfer_tracker_destroy(s->tracker);
	conversations_destroy(s->conversations);
}

#endif
