/*
 * SMB conversations out of small scripts. A step is "[FLOW:]C<id> VERB ARGS" for a request and "[FLOW:]S<id> VERB ARGS" for
 * an answer; "+" before it puts it into the message of the step before (a compound, related to it).
 * "logon N" and "tree N" choose the numbers that the following messages carry; "gap FLOW SIDE N", "close FLOW", "reset
 * FLOW" and "wait SECONDS" are what they say. A file's number is FID; * is that of the compound.
 *
 * Requests: negotiate, auth USER, bind, connect PATH, create NAME [write] [doomed] [directory] [again=FID], read FID
 * OFFSET LEN, write FID OFFSET TEXT, close FID, size FID N, rename FID NAME, delete FID, key FID, copy FID OFFSET FROM,
 * query FID. Answers: negotiate DIALECT [channels], more, ok, fail STATUS, tree N KIND, create FID EOF ACTION [directory]
 * [durable] [timeless], data TEXT, closed [EOF], key FID, copied N, info N.
 */
#ifndef TESTS_UNIT_SMB_SCRIPT_H
#define TESTS_UNIT_SMB_SCRIPT_H

#include "proto_stage.h"

enum { SCRIPT_ROOM = 65536, SCRIPT_STEPS = 128 };

struct smb_out {
	uint8_t bytes[2048];
	size_t len;
};

enum script_kind { SCRIPT_BYTES, SCRIPT_GAP, SCRIPT_CLOSE, SCRIPT_RESET, SCRIPT_WAIT };

struct script_step {
	enum script_kind kind;
	size_t flow, at, len;
	enum side side;
};

struct script {
	uint8_t bytes[SCRIPT_ROOM];
	size_t len, count;
	struct script_step step[SCRIPT_STEPS];
	uint64_t logon;
	uint32_t tree;
	size_t unit; /* where the last unit begins */
};

static inline void
out_le(struct smb_out *o, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		o->bytes[o->len++] = (uint8_t)(value >> 8 * i);
}

static inline void
out_zero(struct smb_out *o, size_t n)
{
	memset(o->bytes + o->len, 0, n);
	o->len += n;
}

static inline void
out_bytes(struct smb_out *o, const char *text)
{
	memcpy(o->bytes + o->len, text, strlen(text));
	o->len += strlen(text);
}

static inline void
out_wide(struct smb_out *o, const char *text)
{
	for (; *text != '\0'; text++)
		out_le(o, (uint8_t)*text, 2);
}

static inline void
out_fid(struct smb_out *o, const char *fid)
{
	uint64_t n = strtoull(fid, NULL, 10);
	out_le(o, *fid == '*' ? UINT64_MAX : n, 8);
	out_le(o, *fid == '*' ? UINT64_MAX : n << 8, 8);
}

/* NTLMSSP AUTHENTICATE with a user of domain STUDIO at WS. */
static inline void
out_token(struct smb_out *o, const char *user)
{
	size_t n = 2 * strlen(user), at = 64;
	out_bytes(o, "NTLMSSP");
	out_le(o, 0, 1);
	out_le(o, 3, 4);
	const struct {
		size_t len, at;
	} field[6] = {{0, 64}, {0, 64}, {12, at + n}, {n, at}, {4, at + n + 12}, {0, 64}};
	for (size_t i = 0; i < 6; i++) {
		out_le(o, field[i].len, 2);
		out_le(o, field[i].len, 2);
		out_le(o, field[i].at, 4);
	}
	out_le(o, 1, 4); /* UTF-16 */
	out_wide(o, user);
	out_wide(o, "STUDIO");
	out_wide(o, "WS");
}

static inline bool
script_has(char *const *arg, const char *word)
{
	for (; *arg != NULL; arg++)
		if (strncmp(*arg, word, strlen(word)) == 0)
			return true;
	return false;
}

static inline uint16_t
script_create(struct smb_out *o, char **arg)
{
	size_t name = 2 * strlen(arg[0]);
	size_t context = script_has(arg, "again=") ? 120 + (name + 7) / 8 * 8 : 0;
	out_le(o, 57, 2);
	out_zero(o, 1 + 1 + 4 + 8 + 8);
	out_le(o, script_has(arg, "write") ? 0x12019f : 0x120089, 4);
	out_zero(o, 4 + 4 + 4);
	out_le(o, (script_has(arg, "doomed") ? 0x1000u : 0) | (script_has(arg, "directory") ? 1u : 0), 4);
	out_le(o, 120, 2);
	out_le(o, name, 2);
	out_le(o, context, 4);
	out_le(o, context > 0 ? 24 + 16 : 0, 4);
	out_wide(o, arg[0]);
	if (context == 0)
		return 5;
	out_zero(o, context - 64 - o->len);
	out_le(o, 0, 4);
	out_le(o, 16, 2);
	out_le(o, 4, 2);
	out_zero(o, 2);
	out_le(o, 24, 2);
	out_le(o, 16, 4);
	out_bytes(o, "DHnC");
	out_zero(o, 4);
	for (; strncmp(arg[0], "again=", 6) != 0; arg++)
		;
	out_fid(o, arg[0] + 6);
	return 5;
}

static inline uint16_t
script_set(struct smb_out *o, const char *fid, uint8_t class, const struct smb_out *info)
{
	out_le(o, 33, 2);
	out_le(o, 1, 1);
	out_le(o, class, 1);
	out_le(o, info->len, 4);
	out_le(o, 96, 2);
	out_zero(o, 2 + 4);
	out_fid(o, fid);
	memcpy(o->bytes + o->len, info->bytes, info->len);
	o->len += info->len;
	return 17;
}

static inline uint16_t
script_ioctl(struct smb_out *o, const char *fid, uint32_t code, const struct smb_out *input)
{
	out_le(o, 57, 2);
	out_zero(o, 2);
	out_le(o, code, 4);
	out_fid(o, fid);
	out_le(o, 120, 4);
	out_le(o, input->len, 4);
	out_zero(o, 4 + 4 + 4 + 4 + 4 + 4);
	memcpy(o->bytes + o->len, input->bytes, input->len);
	o->len += input->len;
	return 11;
}

/* The body of a request; its command. */
static inline uint16_t
script_request(struct smb_out *o, const char *verb, char **arg)
{
	struct smb_out info = {.len = 0};
	if (strcmp(verb, "negotiate") == 0) {
		out_le(o, 36, 2);
		out_zero(o, 2 + 2 + 2 + 4);
		out_bytes(o, "client-guid-0123");
		return 0;
	}
	if (strcmp(verb, "auth") == 0 || strcmp(verb, "bind") == 0) {
		out_token(&info, arg[0]);
		out_le(o, 25, 2);
		out_le(o, *verb == 'b', 1);
		out_zero(o, 1 + 4 + 4);
		out_le(o, 88, 2);
		out_le(o, info.len, 2);
		out_zero(o, 8);
		memcpy(o->bytes + o->len, info.bytes, info.len);
		o->len += info.len;
		return 1;
	}
	if (strcmp(verb, "connect") == 0) {
		out_le(o, 9, 2);
		out_zero(o, 2);
		out_le(o, 72, 2);
		out_le(o, 2 * strlen(arg[0]), 2);
		out_wide(o, arg[0]);
		return 3;
	}
	if (strcmp(verb, "create") == 0)
		return script_create(o, arg);
	if (strcmp(verb, "close") == 0) {
		out_le(o, 24, 2);
		out_zero(o, 2 + 4);
		out_fid(o, arg[0]);
		return 6;
	}
	if (strcmp(verb, "read") == 0 || strcmp(verb, "write") == 0) {
		bool write = *verb == 'w';
		out_le(o, 49, 2);
		out_le(o, write ? 112 : 0x50, 2);
		out_le(o, write ? strlen(arg[2]) : strtoull(arg[2], NULL, 10), 4);
		out_le(o, strtoull(arg[1], NULL, 10), 8);
		out_fid(o, arg[0]);
		out_zero(o, 4 + 4 + 2 + 2 + 4);
		if (write)
			out_bytes(o, arg[2]);
		return write ? 9 : 8;
	}
	if (strcmp(verb, "size") == 0) {
		out_le(&info, strtoull(arg[1], NULL, 10), 8);
		return script_set(o, arg[0], 20, &info);
	}
	if (strcmp(verb, "rename") == 0) {
		out_zero(&info, 8 + 8);
		out_le(&info, 2 * strlen(arg[1]), 4);
		out_wide(&info, arg[1]);
		return script_set(o, arg[0], 10, &info);
	}
	if (strcmp(verb, "delete") == 0) {
		out_le(&info, 1, 1);
		return script_set(o, arg[0], 13, &info);
	}
	if (strcmp(verb, "key") == 0)
		return script_ioctl(o, arg[0], 0x00140078, &info);
	if (strcmp(verb, "copy") == 0) {
		out_fid(&info, arg[2]); /* see the answer to key */
		out_zero(&info, 8);
		out_le(&info, 1, 4);
		out_zero(&info, 4 + 8);
		out_le(&info, strtoull(arg[1], NULL, 10), 8);
		return script_ioctl(o, arg[0], 0x001440f2, &info);
	}
	if (strcmp(verb, "query") == 0) {
		out_le(o, 41, 2);
		out_le(o, 1, 1);
		out_le(o, 5, 1);
		out_zero(o, 4 + 2 + 2 + 4 + 4 + 4);
		out_fid(o, arg[0]);
		return 16;
	}
	fail_msg("no such request: %s", verb);
	return 0;
}

/* The body of an answer; its command, where the verb tells it, else UINT16_MAX. */
static inline uint16_t
script_answer(struct script *s, struct smb_out *o, const char *verb, char **arg, uint32_t *status)
{
	struct smb_out info = {.len = 0};
	if (strcmp(verb, "negotiate") == 0) {
		out_le(o, 65, 2);
		out_zero(o, 2);
		out_le(o, strtoull(arg[0], NULL, 16), 2);
		out_zero(o, 2);
		out_bytes(o, "server-guid-4567");
		out_le(o, script_has(arg, "channels") ? 8 : 0, 4);
		out_zero(o, 12 + 16 + 2 + 2 + 4);
		return 0;
	}
	if (strcmp(verb, "more") == 0 || strcmp(verb, "ok") == 0) {
		*status = *verb == 'm' ? 0xc0000016 : 0;
		out_le(o, 9, 2);
		out_zero(o, 2 + 2 + 2);
		return strcmp(verb, "more") == 0 ? 1 : UINT16_MAX;
	}
	if (strcmp(verb, "fail") == 0) {
		*status = (uint32_t)strtoul(arg[0], NULL, 16);
		out_le(o, 9, 2);
		out_zero(o, 7);
		return UINT16_MAX;
	}
	if (strcmp(verb, "tree") == 0) {
		s->tree = (uint32_t)strtoul(arg[0], NULL, 10);
		out_le(o, 16, 2);
		out_le(o, strtoull(arg[1], NULL, 10), 1);
		out_zero(o, 13);
		return 3;
	}
	if (strcmp(verb, "create") == 0) {
		out_le(o, 89, 2);
		out_zero(o, 2);
		out_le(o, strtoull(arg[2], NULL, 10), 4);
		for (size_t i = 0; i < 4; i++) /* times */
			out_le(o, script_has(arg, "timeless") ? 0 : 133000000, 8);
		out_zero(o, 8);
		out_le(o, strtoull(arg[1], NULL, 10), 8);
		out_le(o, script_has(arg, "directory") ? 0x10 : 0x20, 4);
		out_zero(o, 4);
		out_fid(o, arg[0]);
		out_le(o, script_has(arg, "durable") ? 152 : 0, 4);
		out_le(o, script_has(arg, "durable") ? 32 : 0, 4);
		if (script_has(arg, "durable")) {
			out_le(o, 0, 4);
			out_le(o, 16, 2);
			out_le(o, 4, 2);
			out_zero(o, 2);
			out_le(o, 24, 2);
			out_le(o, 8, 4);
			out_bytes(o, "DHnQ");
			out_zero(o, 4 + 8);
		}
		return 5;
	}
	if (strcmp(verb, "data") == 0) {
		out_le(o, 17, 2);
		out_le(o, 80, 2);
		out_le(o, strlen(arg[0]), 4);
		out_zero(o, 8);
		out_bytes(o, arg[0]);
		return 8;
	}
	if (strcmp(verb, "closed") == 0) {
		out_le(o, 60, 2);
		out_le(o, arg[0] != NULL, 2);
		out_zero(o, 4 + 32 + 8);
		out_le(o, arg[0] != NULL ? strtoull(arg[0], NULL, 10) : 0, 8);
		out_zero(o, 4);
		return 6;
	}
	if (strcmp(verb, "key") == 0) {
		out_fid(&info, arg[0]);
		out_zero(&info, 8);
	} else if (strcmp(verb, "copied") == 0) {
		out_le(&info, 1, 4);
		out_le(&info, 0, 4);
		out_le(&info, strtoull(arg[0], NULL, 10), 4);
	} else if (strcmp(verb, "info") == 0) {
		out_le(o, 9, 2);
		out_le(o, 72, 2);
		out_le(o, 24, 4);
		out_zero(o, 8);
		out_le(o, strtoull(arg[0], NULL, 10), 8);
		out_zero(o, 8);
		return 16;
	} else {
		fail_msg("no such answer: %s", verb);
	}
	out_le(o, 49, 2);
	out_zero(o, 2 + 4 + 16 + 4 + 4);
	out_le(o, 112, 4);
	out_le(o, info.len, 4);
	out_zero(o, 8);
	memcpy(o->bytes + o->len, info.bytes, info.len);
	o->len += info.len;
	return 11;
}

/* Appends header and body; a unit of the message before it, or a message of its own. */
static inline void
script_unit(struct script *s, bool joined, bool is_answer, uint64_t id, uint16_t command, uint32_t status,
        const struct smb_out *body)
{
	struct smb_out head = {.len = 0};
	if (joined) { /* the unit before is padded, and tells where this one begins */
		while ((s->len - s->unit) % 8 != 0)
			s->bytes[s->len++] = 0;
		s->bytes[s->unit + 20] = (uint8_t)(s->len - s->unit);
		s->bytes[s->unit + 21] = (uint8_t)((s->len - s->unit) >> 8);
	} else {
		s->step[s->count].at = s->len;
		s->len += 4;
	}
	s->unit = s->len;
	out_bytes(&head, "\xfeSMB");
	out_le(&head, 64, 2);
	out_le(&head, 1, 2);
	out_le(&head, status, 4);
	out_le(&head, command, 2);
	out_le(&head, 1, 2);
	out_le(&head, (is_answer ? 1u : 0) | (joined ? 4u : 0), 4);
	out_le(&head, 0, 4);
	out_le(&head, id, 8);
	out_le(&head, 0, 4);
	out_le(&head, joined && !is_answer ? UINT32_MAX : s->tree, 4);
	out_le(&head, joined && !is_answer ? UINT64_MAX : s->logon, 8);
	out_zero(&head, 16);
	memcpy(s->bytes + s->len, head.bytes, head.len);
	memcpy(s->bytes + s->len + head.len, body->bytes, body->len);
	s->len += head.len + body->len;

	struct script_step *step = &s->step[joined ? s->count - 1 : s->count];
	step->len = s->len - step->at;
	size_t frame = step->len - 4;
	s->bytes[step->at] = 0;
	s->bytes[step->at + 1] = (uint8_t)(frame >> 16);
	s->bytes[step->at + 2] = (uint8_t)(frame >> 8);
	s->bytes[step->at + 3] = (uint8_t)frame;
}

static inline void
script_line(struct script *s, char *line)
{
	char *arg[8] = {0}, *word;
	size_t n = 0, flow = 0;
	static uint16_t asked[1024]; /* command by number, for answers that don't tell it */
	while ((word = strsep(&line, " ")) != NULL && n < 7)
		if (*word != '\0')
			arg[n++] = word;
	if (n == 0)
		return;
	char *verb = arg[0];
	if (strcmp(verb, "logon") == 0 || strcmp(verb, "tree") == 0) {
		uint64_t number = strtoull(arg[1], NULL, 10);
		if (*verb == 'l')
			s->logon = number;
		else
			s->tree = (uint32_t)number;
		return;
	}
	assert_true(s->count < SCRIPT_STEPS && s->len < SCRIPT_ROOM - 4096);
	struct script_step *step = &s->step[s->count];
	if (strcmp(verb, "gap") == 0) {
		*step = (struct script_step){.kind = SCRIPT_GAP, .flow = strtoul(arg[1], NULL, 10),
		        .side = *arg[2] == 'C' ? SIDE_SOURCE : SIDE_DESTINATION, .len = strtoul(arg[3], NULL, 10)};
		s->count++;
		return;
	}
	if (strcmp(verb, "close") == 0 || strcmp(verb, "reset") == 0 || strcmp(verb, "wait") == 0) {
		*step = (struct script_step){.kind = *verb == 'c' ? SCRIPT_CLOSE : *verb == 'r' ? SCRIPT_RESET : SCRIPT_WAIT,
		        .flow = strtoul(arg[1], NULL, 10), .len = strtoul(arg[1], NULL, 10)};
		s->count++;
		return;
	}
	bool joined = *verb == '+';
	verb += joined;
	if (verb[1] == ':') {
		flow = (size_t)(verb[0] - '0');
		verb += 2;
	}
	bool is_answer = *verb == 'S';
	uint64_t id = strtoull(verb + 1, NULL, 10);
	struct smb_out body = {.len = 0};
	uint32_t status = 0;
	uint16_t command = is_answer ? script_answer(s, &body, arg[1], arg + 2, &status)
	                             : script_request(&body, arg[1], arg + 2);
	assert_true(id < 1024);
	if (!is_answer)
		asked[id] = command;
	if (command == UINT16_MAX)
		command = asked[id];
	if (!joined)
		*step = (struct script_step){.kind = SCRIPT_BYTES, .flow = flow,
		        .side = is_answer ? SIDE_DESTINATION : SIDE_SOURCE};
	script_unit(s, joined, is_answer, id, command, status, &body);
	s->count += !joined;
}

static inline void
script_make(struct script *s, const char *text)
{
	*s = (struct script){.logon = 256};
	char *copy = strdup(text), *rest = copy, *line;
	while ((line = strsep(&rest, ";")) != NULL)
		script_line(s, line);
	free(copy);
}

/* The first limit bytes in pieces of cut bytes at most. Gaps, ends and waits count as none. */
static inline void
script_play(struct stage *t, const struct script *s, size_t cut, size_t limit, uint16_t port)
{
	stage_init(t);
	for (size_t flow = 0; flow < STAGE_FLOWS; flow++)
		stage_flow(t, flow, "192.0.2.10", (uint16_t)(40000 + flow), "198.51.100.20", port);
	for (size_t i = 0; i < s->count && limit > 0; i++) {
		const struct script_step *step = &s->step[i];
		switch (step->kind) {
		case SCRIPT_BYTES:
			for (size_t at = 0; at < step->len && limit > 0;) {
				size_t n = step->len - at < cut ? step->len - at : cut;
				n = n < limit ? n : limit;
				(void)stage_data(t, step->flow, step->side, s->bytes + step->at + at, n);
				at += n;
				limit -= n;
			}
			break;
		case SCRIPT_GAP:
			if (t->flow[step->flow].session != NULL)
				(void)conversation_gap(t->flow[step->flow].conversation, step->side, step->len);
			break;
		case SCRIPT_CLOSE:
		case SCRIPT_RESET:
			stage_close(t, step->flow, step->kind == SCRIPT_RESET);
			break;
		case SCRIPT_WAIT:
			t->now += (int64_t)step->len * CLOCK_SECOND;
			transfer_tracker_time(t->tracker, t->now);
			break;
		}
	}
}

#endif
