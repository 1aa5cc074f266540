/*
 * SOCKS 4, 4a (the "SOCKS" protocol of NEC), 5 (RFC 1928, RFC 1929): whom it is for, and who asks. What comes
 * behind is told as if it were alone.
 *
 * A greeting of SOCKS 5 is three bytes and could be anything: it counts once the server has answered as it must.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/addr.h"

enum {
	REQUEST_MAX = 600, /* the longest of all messages, RFC 1929's, has 513 bytes */
	USER_MAX = 255,
};

enum step { /* what the next message is */
	STEP_GREETING,    /* SOCKS 5, the client's */
	STEP_METHOD,      /* the server's choice */
	STEP_PASSWORD,    /* the client's */
	STEP_STATUS,      /* whether that is right */
	STEP_REQUEST,     /* the client's */
	STEP_REQUEST4,    /* SOCKS 4 */
	STEP_REPLY,       /* the server's */
	STEP_REPLY4,
};

struct socks {
	struct session *session;
	enum step step;
	enum side client;
	size_t len;
	uint8_t bytes[REQUEST_MAX]; /* of the message at hand */
};

static enum side client_of(const struct probe *p);
static enum verdict probe_5(struct reader client, struct reader server);
static enum verdict probe_4(struct reader client, struct reader server);
static bool is_address(struct reader *r, char *text, size_t size);
static bool from_client(enum step step);
static size_t message_length(const struct socks *k);
static enum verdict take(struct socks *k);
static enum verdict take_request(struct socks *k, struct reader r);
static enum verdict take_request_4(struct socks *k, struct reader r);
static void tell_target(struct socks *k, const char *host, unsigned port, unsigned command);

static enum verdict
socks_probe(const struct probe *p)
{
	const enum side side = client_of(p);
	struct reader client = reader_init(p->bytes[side], p->len[side]);
	struct reader server = reader_init(p->bytes[side_other(side)], p->len[side_other(side)]);
	if (client.left == 0)
		return server.left == 0 || server.next[0] == 5 || server.next[0] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	if (client.next[0] == 5)
		return probe_5(client, server);
	return client.next[0] == 4 ? probe_4(client, server) : VERDICT_NOT_MINE;
}

static void *
socks_open(struct session *s)
{
	struct socks *k = calloc(1, sizeof *k);
	if (k != NULL)
		*k = (struct socks){.session = s};
	return k;
}

static enum verdict
socks_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct socks *k = state;
	if (k->len == 0 && k->step == STEP_GREETING && bytes[0] == 4)
		k->step = STEP_REQUEST4;
	if (k->len == 0 && (k->step == STEP_GREETING || k->step == STEP_REQUEST4)) {
		k->client = from;
		session_client_end(k->session, from);
	}
	while (len > 0) {
		if (from_client(k->step) != (from == k->client))
			return VERDICT_DONE; /* who speaks out of turn is not understood */
		const size_t wanted = message_length(k);
		if (wanted == 0 || wanted > REQUEST_MAX)
			return VERDICT_DONE;
		const size_t n = wanted - k->len < len ? wanted - k->len : len;
		memcpy(k->bytes + k->len, bytes, n);
		k->len += n;
		bytes += n;
		len -= n;
		if (k->len < message_length(k))
			continue;
		enum verdict v = take(k);
		k->len = 0;
		if (v == VERDICT_SWITCH)
			session_switch(k->session, len);
		if (v != VERDICT_MORE)
			return v;
	}
	return VERDICT_MORE;
}

static enum verdict
socks_gap(void *state, enum side from, uint64_t len)
{
	(void)state;
	(void)from;
	(void)len;
	return VERDICT_DONE;
}

static void
socks_close(void *state, bool reset)
{
	(void)reset;
	free(state);
}

const struct proto proto_socks = {
        .name = "socks",
        .transport = IPPROTO_TCP,
        .ports = {1080},
        .reads = "host and port asked for, account; and what goes through it",
        .infers = "",
        .misses = "datagrams that are passed on; GSSAPI's wrapping",
        .probe = socks_probe,
        .open = socks_open,
        .data = socks_data,
        .gap = socks_gap,
        .close = socks_close,
};

/* Who opens speaks first. */
static enum side
client_of(const struct probe *p)
{
	return p->len[SIDE_SOURCE] > 0 || p->len[SIDE_DESTINATION] == 0 ? SIDE_SOURCE : SIDE_DESTINATION;
}

/* RFC 1928 section 3: methods, and one of them for an answer. */
static enum verdict
probe_5(struct reader client, struct reader server)
{
	struct reader greeting = client;
	reader_skip(&greeting, 1);
	const uint8_t count = reader_u8(&greeting);
	if (client.left >= 2 && count == 0)
		return VERDICT_NOT_MINE;
	const uint8_t *methods = greeting.next;
	for (size_t i = 0; i < count && i < greeting.left; i++)
		if (methods[i] > 9 && methods[i] < 0x80)
			return VERDICT_NOT_MINE;
	if (count > greeting.left || client.left < 2) /* no answer before all is said */
		return server.left == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	reader_skip(&greeting, count);
	if (server.left < 2)
		return greeting.left == 0 && (server.left == 0 || server.next[0] == 5) ? VERDICT_MORE : VERDICT_NOT_MINE;
	return server.next[0] == 5 && (server.next[1] == 0xff || memchr(methods, server.next[1], count) != NULL)
	               ? VERDICT_DONE
	               : VERDICT_NOT_MINE;
}

/* A command, port and address, a name that ends; and a reply that is one. */
static enum verdict
probe_4(struct reader client, struct reader server)
{
	struct reader r = client;
	reader_skip(&r, 1);
	const uint8_t command = reader_u8(&r);
	if (client.left >= 2 && command != 1 && command != 2)
		return VERDICT_NOT_MINE;
	reader_skip(&r, 2 + 4);
	if (!reader_ok(&r) || memchr(r.next, 0, r.left) == NULL)
		return client.left < 8 + USER_MAX ? VERDICT_MORE : VERDICT_NOT_MINE;
	if (server.left < 2)
		return server.left == 0 || server.next[0] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	return server.next[0] == 0 && server.next[1] >= 90 && server.next[1] <= 93 ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static bool
from_client(enum step step)
{
	return step == STEP_GREETING || step == STEP_PASSWORD || step == STEP_REQUEST || step == STEP_REQUEST4;
}

/* As far as what came tells, which may be no more than how much more must come to know. 0: there is no such message. */
static size_t
message_length(const struct socks *k)
{
	const uint8_t *b = k->bytes;
	const size_t len = k->len;
	const uint8_t *user, *host;
	switch (k->step) {
	case STEP_GREETING: return len < 2 ? 2 : 2 + (size_t)b[1];
	case STEP_METHOD:
	case STEP_STATUS: return 2;
	case STEP_PASSWORD:
		if (len < 2)
			return 2;
		return len < 3 + (size_t)b[1] ? 3 + (size_t)b[1] : 3 + (size_t)b[1] + b[2 + b[1]];
	case STEP_REQUEST:
	case STEP_REPLY:
		if (len < 5)
			return 5;
		return b[3] == 1 ? 10 : b[3] == 4 ? 22 : b[3] == 3 ? 7 + (size_t)b[4] : 0;
	case STEP_REPLY4: return 8;
	case STEP_REQUEST4: break;
	}
	if (len < 9)
		return 9;
	user = memchr(b + 8, 0, len - 8);
	if (user == NULL)
		return len + 1;
	if (b[4] != 0 || b[5] != 0 || b[6] != 0 || b[7] == 0)
		return (size_t)(user - b) + 1;
	host = memchr(user + 1, 0, len - (size_t)(user + 1 - b)); /* 4a: an address that is none */
	return host == NULL ? len + 1 : (size_t)(host - b) + 1;
}

/* One message. SWITCH: from here on it is what goes through. */
static enum verdict
take(struct socks *k)
{
	struct reader r = reader_init(k->bytes, k->len);
	switch (k->step) {
	case STEP_GREETING: k->step = STEP_METHOD; return VERDICT_MORE;
	case STEP_METHOD:
		k->step = k->bytes[1] == 2 ? STEP_PASSWORD : STEP_REQUEST;
		return k->bytes[1] == 0 || k->bytes[1] == 2 ? VERDICT_MORE : VERDICT_DONE;
	case STEP_PASSWORD:
		session_account(k->session, k->bytes + 2, k->bytes[1]);
		k->step = STEP_STATUS;
		return VERDICT_MORE;
	case STEP_STATUS: k->step = STEP_REQUEST; return k->bytes[1] == 0 ? VERDICT_MORE : VERDICT_DONE;
	case STEP_REQUEST: return take_request(k, r);
	case STEP_REQUEST4: return take_request_4(k, r);
	case STEP_REPLY: return k->bytes[1] == 0 ? VERDICT_SWITCH : VERDICT_DONE;
	case STEP_REPLY4: return k->bytes[1] == 90 ? VERDICT_SWITCH : VERDICT_DONE;
	}
	return VERDICT_DONE;
}

/* RFC 1928 section 4. */
static enum verdict
take_request(struct socks *k, struct reader r)
{
	char host[256];
	reader_skip(&r, 1);
	const uint8_t command = reader_u8(&r);
	reader_skip(&r, 1);
	if (!is_address(&r, host, sizeof host) || k->bytes[0] != 5)
		return VERDICT_DONE;
	tell_target(k, host, reader_be16(&r), command);
	k->step = STEP_REPLY;
	return command == 1 ? VERDICT_MORE : VERDICT_DONE;
}

static enum verdict
take_request_4(struct socks *k, struct reader r)
{
	char text[ADDR_TEXT_MAX];
	reader_skip(&r, 1);
	const uint8_t command = reader_u8(&r);
	const uint16_t port = reader_be16(&r);
	const uint8_t *bytes = reader_take(&r, 4);
	const char *user = (const char *)r.next;
	const size_t user_len = strnlen(user, r.left);
	if (user_len > 0)
		session_account(k->session, user, user_len);
	const struct addr addr = addr_from_v4(bytes);
	const char *host = addr_format(&addr, text);
	if (bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] != 0)
		host = user + user_len + 1; /* which message_length saw end */
	tell_target(k, host, port, command);
	k->step = STEP_REPLY4;
	return command == 1 ? VERDICT_MORE : VERDICT_DONE;
}

/* Type and address, as text. */
static bool
is_address(struct reader *r, char *text, size_t size)
{
	const uint8_t type = reader_u8(r);
	const size_t len = type == 1 ? 4 : type == 4 ? 16 : reader_u8(r);
	const uint8_t *bytes = reader_take(r, len);
	char formatted[ADDR_TEXT_MAX];
	if (bytes == NULL || len >= size)
		return false;
	if (type == 3) {
		memcpy(text, bytes, len);
		text[len] = '\0';
	} else {
		const struct addr addr = type == 1 ? addr_from_v4(bytes) : addr_from_v6(bytes);
		snprintf(text, size, "%s", addr_format(&addr, formatted));
	}
	return true;
}

static void
tell_target(struct socks *k, const char *host, unsigned port, unsigned command)
{
	static const char *const commands[] = {"", "connect", "bind", "udp"};
	char target[300];
	const int len = snprintf(target, sizeof target, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
	session_detail(k->session, "tunnel.kind", "socks", 5);
	session_detail_number(k->session, "socks.version", k->step == STEP_REQUEST4 ? 4 : 5);
	if (command <= 3)
		session_detail(k->session, "socks.command", commands[command], strlen(commands[command]));
	if (len > 0)
		session_detail(k->session, "socks.target", target, (size_t)len < sizeof target ? (size_t)len : sizeof target - 1);
}
