/* Whole conversations as rows of steps, given to a protocol however they are cut, and what is said of them. */
#ifndef WAYBILL_TESTS_SCRIPT_H
#define WAYBILL_TESTS_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/proto.h"
#include "recorder.h"

enum { STEPS_MAX = 16 };

enum kind {
	END, /* of the script */
	CLIENT,
	SERVER,
	CLIENT_GAP,
	SERVER_GAP,
	CLIENT_FIN,
	SERVER_FIN,
	RESET,
};

struct step {
	enum kind kind;
	const char *bytes;
	size_t len;
};

#define C(text) {CLIENT, text, sizeof text - 1}
#define S(text) {SERVER, text, sizeof text - 1}
struct script {
	const char *name;
	struct step steps[STEPS_MAX];
	const char *expect;
};

/* Gives bytes in pieces of at most cut bytes first and step bytes after that, each in its own heap block. */
static inline enum verdict
feed(const struct proto *proto, void *state, enum side from, const char *bytes, size_t len, size_t first, size_t step)
{
	enum verdict v = VERDICT_MORE;
	size_t n = first < len ? first : len;
	while (len > 0 && v == VERDICT_MORE) {
		uint8_t *exact = malloc(n);
		memcpy(exact, bytes, n);
		v = proto->data(state, from, exact, n);
		free(exact);
		bytes += n;
		len -= n;
		n = step < len ? step : len;
	}
	return v;
}

static inline void
play(const struct proto *proto, const struct script *script, size_t first, size_t step)
{
	struct session *s = recorder_open();
	void *state = proto->open(s);
	enum verdict v = VERDICT_MORE;
	bool reset = false;

	for (const struct step *at = script->steps; at->kind != END && v == VERDICT_MORE; at++) {
		switch (at->kind) {
		case CLIENT:
		case SERVER:
			v = feed(proto, state, at->kind == CLIENT ? SIDE_SOURCE : SIDE_DESTINATION, at->bytes, at->len, first, step);
			break;
		case CLIENT_GAP:
		case SERVER_GAP:
			v = proto->gap(state, at->kind == CLIENT_GAP ? SIDE_SOURCE : SIDE_DESTINATION, at->len);
			break;
		case CLIENT_FIN:
		case SERVER_FIN:
			proto->end(state, at->kind == CLIENT_FIN ? SIDE_SOURCE : SIDE_DESTINATION);
			break;
		case RESET:
			reset = true;
			break;
		case END:
			break;
		}
	}
	proto->close(state, reset);
	if (strcmp(recorder_text(s), script->expect) != 0)
		fail_msg("%s (pieces of %zu, then %zu):\n%s--- instead of\n%s", script->name, first, step,
		        recorder_text(s), script->expect);
	assert_int_equal(recorder_open_transfers(s), 0);
	recorder_close(s);
}

/* Each of the scripts with its bytes cut in two at any place, and byte by byte. */
static inline void
play_cut_anywhere(const struct proto *proto, const struct script *scripts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t longest = 0;
		for (const struct step *at = scripts[i].steps; at->kind != END; at++)
			longest = at->bytes != NULL && at->len > longest ? at->len : longest;
		play(proto, &scripts[i], 1, 1);
		for (size_t cut = 1; cut < longest; cut++)
			play(proto, &scripts[i], cut, SIZE_MAX);
	}
}

/* Any prefix of any conversation ends with all transfers ended. */
static inline void
play_cut_off(const struct proto *proto, const struct script *scripts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (const struct step *last = scripts[i].steps; last->kind != END; last++) {
			for (size_t len = 0; last->bytes != NULL && len < last->len; len++) {
				struct session *s = recorder_open();
				void *state = proto->open(s);
				enum verdict v = VERDICT_MORE;
				for (const struct step *at = scripts[i].steps; at <= last && v == VERDICT_MORE; at++)
					if (at->kind == CLIENT || at->kind == SERVER)
						v = feed(proto, state, at->kind == CLIENT ? SIDE_SOURCE : SIDE_DESTINATION, at->bytes,
						        at == last ? len : at->len, SIZE_MAX, SIZE_MAX);
				proto->close(state, len % 2 != 0);
				assert_int_equal(recorder_open_transfers(s), 0);
				recorder_close(s);
			}
		}
	}
}

#endif
