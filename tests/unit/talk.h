/*
 * Conversations as tables: who says what, and what is told of it in the end, as proto_stage.h writes it. Each is
 * played as it stands, byte by byte, and cut off at every byte: then whatever began must have ended.
 */
#ifndef TESTS_UNIT_TALK_H
#define TESTS_UNIT_TALK_H

#include "proto_stage.h"

enum { TALK_SAID_MAX = 48 };

struct said {
	char kind;  /* c, s: the initiator's and the responder's words; g: bytes of the responder not seen, G: of the initiator; e, E: FIN */
	uint8_t flow; /* other than 0: see talk.from */
	const char *bytes;
	size_t len;
};

#define C(text) {'c', 0, text, sizeof(text) - 1}
#define S(text) {'s', 0, text, sizeof(text) - 1}
#define GAP(n) {'g', 0, NULL, n}
#define GAP_C(n) {'G', 0, NULL, n}
#define C1(text) {'c', 1, text, sizeof(text) - 1}
#define S1(text) {'s', 1, text, sizeof(text) - 1}
#define C2(text) {'c', 2, text, sizeof(text) - 1}
#define S2(text) {'s', 2, text, sizeof(text) - 1}
#define END1 {'e', 1, NULL, 0}

struct talk {
	const char *name;
	uint16_t port;        /* the responder's */
	bool midstream, udp;
	const char *want;     /* the log, or NULL where only the protocol counts */
	const char *protocol; /* NULL: the table's; "-": none */
	const char *details[4]; /* "key=value", of flow 0 */
	const char *user, *service;
	struct {
		const char *from, *to;
		uint16_t from_port, to_port;
	} other;              /* flow 1; flow 2 comes from the next port */
	struct said said[TALK_SAID_MAX];
};

static inline void
talk_begin(struct stage *s, const struct talk *t)
{
	stage_init(s);
	if (t->udp)
		stage_datagrams(s, 0, "192.0.2.10", 40000, "198.51.100.20", t->port);
	else
		stage_flow(s, 0, "192.0.2.10", 40000, "198.51.100.20", t->port);
	s->flow[0].midstream |= t->midstream;
	if (t->other.from != NULL)
		for (uint16_t n = 1; n <= 2; n++)
			stage_flow(s, n, t->other.from, (uint16_t)(t->other.from_port + n - 1), t->other.to, t->other.to_port);
}

static inline void
talk_say(struct stage *s, const struct said *said, size_t len, size_t piece)
{
	enum side from = said->kind == 'c' || said->kind == 'G' || said->kind == 'E' ? SIDE_SOURCE : SIDE_DESTINATION;
	if (said->kind == 'e' || said->kind == 'E') {
		(void)conversation_end(stage_conversation(s, said->flow), from, false);
		return;
	}
	if (said->bytes == NULL) {
		if (s->flow[said->flow].verdict != VERDICT_DONE)
			s->flow[said->flow].verdict = conversation_gap(stage_conversation(s, said->flow), from, said->len);
		return;
	}
	for (size_t at = 0; at < len; at += piece)
		(void)stage_data(s, said->flow, from, said->bytes + at, len - at < piece ? len - at : piece);
}

/* The first limit bytes of it, in pieces; SIZE_MAX: all. */
static inline void
talk_play(struct stage *s, const struct talk *t, size_t limit, size_t piece)
{
	talk_begin(s, t);
	for (size_t i = 0; i < TALK_SAID_MAX && t->said[i].kind != 0 && limit > 0; i++) {
		size_t len = t->said[i].bytes == NULL ? 0 : t->said[i].len < limit ? t->said[i].len : limit;
		talk_say(s, &t->said[i], len, piece);
		limit -= len;
	}
}

static inline size_t
talk_bytes(const struct talk *t)
{
	size_t all = 0;
	for (size_t i = 0; i < TALK_SAID_MAX && t->said[i].kind != 0; i++)
		all += t->said[i].bytes != NULL ? t->said[i].len : 0;
	return all;
}

static inline void
talk_expect_detail(struct stage *s, const struct talk *t, const char *detail)
{
	const char *equals = strchr(detail, '=');
	char key[64];
	struct detail d[DETAIL_MAX];
	size_t count = details_list(session_facts(s->flow[0].session)->details, d);
	(void)snprintf(key, sizeof key, "%.*s", (int)(equals - detail), detail);
	for (size_t i = 0; i < count; i++) {
		char number[24];
		(void)snprintf(number, sizeof number, "%llu", (unsigned long long)d[i].number);
		if (strcmp(d[i].key, key) == 0 && strcmp(d[i].text != NULL ? d[i].text : number, equals + 1) == 0)
			return;
	}
	fail_msg("%s: no %s", t->name, detail);
}

static inline void
talk_facts(struct stage *s, const struct talk *t, const char *protocol)
{
	const struct facts *f = session_facts(s->flow[0].session);
	const char *want = t->protocol != NULL ? t->protocol : protocol;
	if (strcmp(stage_text(f->protocol), want) != 0)
		fail_msg("%s: is %s, not %s", t->name, stage_text(f->protocol), want);
	if (t->user != NULL)
		assert_string_equal(stage_text(f->user.utf8), t->user);
	if (t->service != NULL)
		assert_string_equal(stage_text(f->service.utf8), t->service);
}

static inline void
talk_whole(const struct talk *t, const char *protocol, size_t piece)
{
	struct stage s;
	talk_play(&s, t, SIZE_MAX, piece);
	talk_facts(&s, t, protocol);
	/* Some is told when the flow ends. */
	conversation_close(s.flow[0].conversation, false);
	s.flow[0].conversation = NULL;
	for (size_t i = 0; i < COUNT(t->details) && t->details[i] != NULL; i++)
		talk_expect_detail(&s, t, t->details[i]);
	stage_clear(&s);
	if (t->want != NULL && strcmp(s.log, t->want) != 0)
		fail_msg("%s, %zu at a time:\n  %s\ninstead of\n  %s", t->name, piece, s.log, t->want);
}

static inline void
talk_cut(const struct talk *t, size_t limit)
{
	struct stage s;
	size_t began = 0, ended = 0;
	talk_play(&s, t, limit, SIZE_MAX / 2);
	stage_clear(&s);
	for (const char *p = s.log; *p != '\0'; p++) {
		began += *p == '+' && (p == s.log || p[-1] == ';');
		ended += *p == '=' && (p == s.log || p[-1] == ';');
	}
	if (began > ended)
		fail_msg("%s, cut at %zu: %s", t->name, limit, s.log);
}

/* With TALK_SEEDS set to a folder: the rows as input for fuzz_proto, see tests/fuzz/proto_fuzz.h. */
static inline void
talk_seed(const struct talk *t, size_t number)
{
	char name[256];
	const char *folder = getenv("TALK_SEEDS");
	if (folder == NULL)
		return;
	(void)snprintf(name, sizeof name, "%s/%zu%s", folder, number, t->udp ? "u" : "");
	FILE *out = fopen(name, "wb");
	assert_non_null(out);
	for (size_t i = 0; i < TALK_SAID_MAX && t->said[i].kind != 0; i++) {
		const struct said *w = &t->said[i];
		bool source = w->kind == 'c' || w->kind == 'G' || w->kind == 'E';
		int what = w->flow | (source ? 0 : 4) | (w->kind == 'e' || w->kind == 'E' ? 6 << 3 : w->bytes == NULL ? 5 << 3 : 0);
		if (w->bytes == NULL)
			(void)fprintf(out, w->len > 0 ? "%c%c" : "%c", what, (int)(w->len & 255));
		for (size_t at = 0; w->bytes != NULL && at < w->len; at += 255) {
			size_t n = w->len - at < 255 ? w->len - at : 255;
			(void)fprintf(out, "%c%c", what, (int)n);
			(void)fwrite(w->bytes + at, 1, n, out);
		}
	}
	(void)fclose(out);
}

static inline void
talk_check(const struct talk *talks, size_t count, const char *protocol)
{
	for (size_t i = 0; i < count; i++) {
		talk_seed(&talks[i], i);
		talk_whole(&talks[i], protocol, SIZE_MAX / 2);
		if (!talks[i].udp) {
			talk_whole(&talks[i], protocol, 1);
			talk_whole(&talks[i], protocol, 7);
		}
		for (size_t n = 0; n <= talk_bytes(&talks[i]); n++)
			talk_cut(&talks[i], n);
	}
}

#endif
