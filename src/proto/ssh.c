/*
 * SSH: the two identification strings (RFC 4253 section 4.2), what each end offers in its key exchange
 * (section 7.1), from which HASSH is made (github.com/salesforce/hassh), and which cipher and MAC they agree on. All
 * behind that is encrypted. How the client proved who it is, and what the connection is used for, is guessed from
 * sizes, directions and times; see ssh_auth.h, ssh_shape.h, ssh_kind.h.
 *
 * Who is client is told by the key exchange itself, since the end that connects can be the server (reverse shells);
 * else the initiator is taken for it.
 */
#include "config.h"

#include "proto/proto.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ssh_auth.h"
#include "proto/ssh_hello.h"
#include "proto/ssh_kind.h"
#include "proto/ssh_shape.h"
#include "proto/ssh_unit.h"

enum {
	LOOK_FIRST = 8192,        /* bytes after login at which the shape is looked at, and then at each doubling */
	LOGIN_BYTES_MAX = 262144, /* more than any login: it has been missed */
	SHELL_FILE_MIN = 1048576, /* what a terminal shows in one go, and is rather a file */
	WHY_MAX = 160,
};

struct ssh {
	struct session *session;
	struct ssh_half half[2];
	enum side client;         /* once role_known */
	bool role_known;
	bool told;                /* banners and HASSH */
	bool keyed;               /* ciphers are agreed on */
	bool unfollowed;          /* what is encrypted can't be looked at */
	uint64_t login_bytes;
	uint64_t next_look;
	struct ssh_units units[2]; /* of either side */
	struct ssh_auth auth;
	struct ssh_shape *shape;   /* NULL: not logged in */
};

static enum verdict probe_half(const uint8_t *bytes, size_t len);
static bool has_line(const uint8_t *bytes, size_t len, const char *word, size_t word_len);
static bool is_text(const uint8_t *bytes, size_t len);
static void take_role(struct ssh *h, enum side from);
static void agree(struct ssh *h);
static void tell_cipher(struct ssh *h, const struct ssh_names *names);
static size_t take_encrypted(struct ssh *h, enum side from, const uint8_t *bytes, size_t len);
static void take_unit(struct ssh *h, enum side role, uint32_t size);
static void log_in(struct ssh *h);
static void look(struct ssh *h);
static enum side end_of(const struct ssh *h, enum side role);
static void tell(struct ssh *h);
static void tell_login(struct ssh *h);
static void tell_kind(struct ssh *h);
static void say(struct ssh *h, const char *key, const char *value);
static enum verdict over(struct ssh *h);

static enum verdict
ssh_probe(const struct probe *p)
{
	enum verdict v[2];
	for (size_t side = 0; side < 2; side++) {
		v[side] = probe_half(p->bytes[side], p->len[side]);
		if (v[side] == VERDICT_DONE)
			return VERDICT_DONE;
	}
	/* A server may greet with lines of its own; then the client's banner decides. */
	const uint8_t *server = p->bytes[SIDE_DESTINATION];
	size_t len = p->len[SIDE_DESTINATION];
	if (v[SIDE_SOURCE] == VERDICT_MORE && len > 0 && is_text(server, len))
		return VERDICT_MORE;
	return v[SIDE_SOURCE] == VERDICT_MORE && v[SIDE_DESTINATION] == VERDICT_MORE
	               ? VERDICT_MORE
	               : VERDICT_NOT_MINE;
}

static void *
ssh_open(struct session *s)
{
	struct ssh *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	session_unreadable(s, "encrypted");
	return h;
}

static enum verdict
ssh_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct ssh *h = state;
	struct ssh_half *half = &h->half[from];

	while (len > 0 && half->step != SSH_LOST && !h->unfollowed) {
		size_t n;
		if (half->step == SSH_ENCRYPTED) {
			n = take_encrypted(h, from, bytes, len);
		} else {
			n = ssh_hello_take(half, session_digests(h->session), bytes, len);
			take_role(h, from);
		}
		bytes += n;
		len -= n;
	}
	return over(h);
}

static enum verdict
ssh_gap(void *state, enum side from, uint64_t len)
{
	struct ssh *h = state;
	struct ssh_half *half = &h->half[from];
	(void)len;
	if (half->step != SSH_ENCRYPTED)
		half->step = SSH_LOST;
	ssh_units_lose(&h->units[from]);
	return over(h);
}

static void
ssh_close(void *state, bool reset)
{
	struct ssh *h = state;
	(void)reset;
	tell(h);
	tell_login(h);
	tell_kind(h);
	for (size_t side = 0; side < 2; side++)
		ssh_hello_clear(&h->half[side]);
	free(h->shape);
	free(h);
}

static bool
ssh_finished(const void *state)
{
	(void)state;
	return true;
}

const struct proto proto_ssh = {
        .name = "ssh",
        .transport = IPPROTO_TCP,
        .ports = {22, 2222},
        .reads = "banners, HASSH of both ends, cipher, MAC and compression agreed on",
        .infers = "how the login was proved and whether it worked; shell, SFTP, scp, rsync, tunnel or command; "
                  "transfers, with the way, the bytes and how many files",
        .misses = "content, accounts, file names; the use of a connection whose login was not seen",
        .probe = ssh_probe,
        .open = ssh_open,
        .data = ssh_data,
        .gap = ssh_gap,
        .end = NULL,
        .close = ssh_close,
        .finished = ssh_finished,
};

/* DONE: a banner begins this side, or a later line of it. MORE: it may yet. */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	static const char word[] = "SSH-";
	size_t n = len < 4 ? len : 4;

	if (n == 0)
		return VERDICT_MORE;
	if (memcmp(bytes, word, n) == 0)
		return n == 4 ? VERDICT_DONE : VERDICT_MORE;
	return has_line(bytes, len, word, 4) && is_text(bytes, len) ? VERDICT_DONE : VERDICT_NOT_MINE;
}

/* Does a line but the first begin with word? */
static bool
has_line(const uint8_t *bytes, size_t len, const char *word, size_t word_len)
{
	const uint8_t *end = bytes + len, *line = bytes;
	while ((line = memchr(line, '\n', (size_t)(end - line))) != NULL) {
		line++;
		if ((size_t)(end - line) >= word_len && memcmp(line, word, word_len) == 0)
			return true;
	}
	return false;
}

static bool
is_text(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < 0x20 && bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != '\t')
			return false;
	return true;
}

/* What the packets of this end said of its role goes for both. */
static void
take_role(struct ssh *h, enum side from)
{
	const enum ssh_role role = h->half[from].role;
	if (h->role_known || role == SSH_ROLE_UNKNOWN)
		return;
	static const char key[] = "ssh:session", value[] = "seen";
	(void)session_note(h->session, NOTE_PAIR, key, sizeof key - 1, value, sizeof value - 1); /* for what goes beside it */
	h->role_known = true;
	h->client = role == SSH_ROLE_CLIENT ? from : side_other(from);
	session_client_end(h->session, h->client);
}

/* Both offers are known, or never will be: the first encrypted byte comes. */
static void
agree(struct ssh *h)
{
	const enum side client = end_of(h, SIDE_SOURCE);
	const struct ssh_offer *c = h->half[client].offer, *s = h->half[side_other(client)].offer;

	h->keyed = true;
	if (c == NULL || s == NULL) {
		h->unfollowed = true;
		return;
	}
	for (enum side role = SIDE_SOURCE; role <= SIDE_DESTINATION; role++) {
		struct ssh_cipher cipher;
		struct ssh_names names;
		ssh_cipher_choose(c->list, s->list, role, &cipher, &names);
		ssh_units_init(&h->units[end_of(h, role)], &cipher);
		tell_cipher(h, &names);
		if (cipher.block == 0)
			h->unfollowed = true;
	}
}

static void
tell_cipher(struct ssh *h, const struct ssh_names *names)
{
	session_detail(h->session, "ssh.cipher", names->cipher.next, names->cipher.left);
	session_detail(h->session, "ssh.mac", names->mac.next, names->mac.left);
	session_detail(h->session, "ssh.compression", names->compression.next, names->compression.left);
}

static size_t
take_encrypted(struct ssh *h, enum side from, const uint8_t *bytes, size_t len)
{
	uint32_t size;
	if (!h->keyed)
		agree(h);
	if (h->unfollowed)
		return len;
	size_t n = ssh_units_take(&h->units[from], bytes, len, &size);
	if (size > 0)
		take_unit(h, from == end_of(h, SIDE_SOURCE) ? SIDE_SOURCE : SIDE_DESTINATION, size);
	return n;
}

/* role: SIDE_SOURCE for the client. */
static void
take_unit(struct ssh *h, enum side role, uint32_t size)
{
	if (h->shape == NULL) {
		const struct ssh_cipher cipher[2] = {
		        h->units[end_of(h, SIDE_SOURCE)].cipher, h->units[end_of(h, SIDE_DESTINATION)].cipher};
		h->login_bytes += size;
		if (!ssh_auth_unit(&h->auth, cipher, role == SIDE_SOURCE, size)) {
			h->unfollowed = h->login_bytes > LOGIN_BYTES_MAX;
			return;
		}
		log_in(h);
		if (role == SIDE_DESTINATION)
			return; /* the success itself */
	}
	if (h->shape == NULL)
		return;
	ssh_shape_unit(h->shape, role, size, session_now(h->session));
	if (h->shape->bytes[0] + h->shape->bytes[1] >= h->next_look)
		look(h);
}

static void
log_in(struct ssh *h)
{
	const struct ssh_units *c = &h->units[end_of(h, SIDE_SOURCE)], *s = &h->units[end_of(h, SIDE_DESTINATION)];
	h->shape = malloc(sizeof *h->shape);
	if (h->shape == NULL) {
		h->unfollowed = true;
		return;
	}
	ssh_shape_init(h->shape, (const struct ssh_cipher[2]){c->cipher, s->cipher}, (const bool[2]){c->exact, s->exact});
	h->next_look = LOOK_FIRST;
}

/* Tells the inferred transfers what they seem to be. */
static void
look(struct ssh *h)
{
	const struct ssh_kind k = ssh_kind_of(h->shape);
	struct session_guess guess = {.method = k.method};
	char why[WHY_MAX];

	h->next_look = 2 * (h->shape->bytes[0] + h->shape->bytes[1]);
	if (k.use == SSH_USE_UNKNOWN)
		return;
	if (k.files > 0)
		(void)snprintf(why, sizeof why, "%s; about %" PRIu32 " file%s; %s confidence", k.why, k.files,
		        k.files == 1 ? "" : "s", k.confidence);
	else
		(void)snprintf(why, sizeof why, "%s; %s confidence", k.why, k.confidence);
	guess.why = why;
	for (enum side role = SIDE_SOURCE; role <= SIDE_DESTINATION; role++)
		if (k.use == SSH_USE_SHELL && !k.tunnel && h->shape->largest_turn[role] < SHELL_FILE_MIN)
			guess.least[end_of(h, role)] = UINT64_MAX;
	session_inferred_as(h->session, &guess);
}

/* The side of the flow that plays this role; SIDE_SOURCE stands for the client. */
static enum side
end_of(const struct ssh *h, enum side role)
{
	const enum side client = h->role_known ? h->client : SIDE_SOURCE;
	return role == SIDE_SOURCE ? client : side_other(client);
}

/* Tells what is known of both ends, once. */
static void
tell(struct ssh *h)
{
	const enum side client = end_of(h, SIDE_SOURCE);
	const struct ssh_half *c = &h->half[client], *s = &h->half[side_other(client)];

	if (h->told)
		return;
	h->told = true;
	if (c->banner != NULL)
		session_client(h->session, c->banner, strlen(c->banner));
	if (s->banner != NULL)
		session_server(h->session, s->banner, strlen(s->banner));
	if (c->offer != NULL)
		session_fact(h->session, SESSION_SSH_HASSH, c->offer->as_client, strlen(c->offer->as_client));
	if (s->offer != NULL)
		session_fact(h->session, SESSION_SSH_HASSH_SERVER, s->offer->as_server, strlen(s->offer->as_server));
}

static void
tell_login(struct ssh *h)
{
	say(h, "ssh.auth.result", ssh_auth_result(&h->auth));
	say(h, "ssh.auth.method", h->auth.method);
	if (h->auth.failures > 0)
		session_detail_number(h->session, "ssh.auth.failures", h->auth.failures);
}

static void
tell_kind(struct ssh *h)
{
	if (h->shape == NULL)
		return;
	ssh_shape_end(h->shape);
	look(h);
	const struct ssh_kind k = ssh_kind_of(h->shape);
	say(h, "ssh.kind", k.name);
	if (k.tunnel && k.use != SSH_USE_TUNNEL)
		say(h, "ssh.kind", "tunnel");
	say(h, "ssh.kind_confidence", k.confidence);
	if (k.files > 0)
		session_detail_number(h->session, "ssh.files_estimate", k.files);
	if (k.largest > 0)
		session_detail_number(h->session, "ssh.largest_file_estimate", k.largest);
	if (k.content[SIDE_SOURCE] > 0)
		session_detail_number(h->session, "ssh.upload_estimate", k.content[SIDE_SOURCE]);
	if (k.content[SIDE_DESTINATION] > 0)
		session_detail_number(h->session, "ssh.download_estimate", k.content[SIDE_DESTINATION]);
}

static void
say(struct ssh *h, const char *key, const char *value)
{
	if (value != NULL)
		session_detail(h->session, key, value, strlen(value));
}

/* Both hellos are over, or lost: tells them. Nothing more is wanted where the rest can't be looked at. */
static enum verdict
over(struct ssh *h)
{
	const struct ssh_half *a = &h->half[SIDE_SOURCE], *b = &h->half[SIDE_DESTINATION];
	const bool known = h->role_known && a->offer != NULL && b->offer != NULL;

	if (known || (a->step >= SSH_ENCRYPTED && b->step >= SSH_ENCRYPTED))
		tell(h);
	return h->unfollowed || (a->step == SSH_LOST && b->step == SSH_LOST) ? VERDICT_DONE : VERDICT_MORE;
}
