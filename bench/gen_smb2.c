/*
 * A file written to a share in SMB2's shape ([MS-SMB2] sections 2.2.3 to 2.2.22): negotiate, session
 * setup, tree connect, create, writes of up to 1 MB, close. The security blobs are noise.
 */
#include <string.h>

#include "gen.h"

enum { NEGOTIATE = 0, SESSION_SETUP = 1, TREE_CONNECT = 3, CREATE = 5, CLOSE = 6, WRITE = 9 };
enum { HEADER = 64, WRITE_MAX = 1048576, WRITE_FIXED = 48, OPENING = 4 };

static void request(const struct talk *t, struct message *m, unsigned command);
static void response(const struct talk *t, struct message *m, unsigned command);
static void add(struct message *m, const struct talk *t, unsigned command, const uint8_t *body, size_t len, uint32_t more);
static void little16(uint8_t *p, uint32_t v);
static void little32(uint8_t *p, uint32_t v);
static size_t wide(uint8_t *out, const char *text);
static uint32_t write_len(const struct talk *t, uint32_t number);

bool
say_smb2(const struct gen *g, const struct talk *t, struct message *m)
{
	static const uint8_t first[OPENING] = {NEGOTIATE, SESSION_SETUP, TREE_CONNECT, CREATE};
	(void)g;
	uint32_t number = t->turn / 2, writes = (t->size + WRITE_MAX - 1) / WRITE_MAX;
	if (number > OPENING + writes)
		return false;
	unsigned command = number < OPENING ? first[number] : number < OPENING + writes ? WRITE : CLOSE;
	m->from_server = t->turn % 2 == 1;
	if (m->from_server)
		response(t, m, command);
	else
		request(t, m, command);
	return true;
}

static void
request(const struct talk *t, struct message *m, unsigned command)
{
	uint8_t body[256] = {0}, name[128];
	uint32_t number = t->turn / 2;
	size_t len;
	struct message text = {0};

	switch (command) {
	case NEGOTIATE:
		little16(body, 36);
		little16(body + 2, 2); /* dialects */
		little16(body + 4, 1); /* signing enabled */
		memset(body + 12, 0x5a, 16);
		little16(body + 36, 0x0202);
		little16(body + 38, 0x0210);
		add(m, t, command, body, 40, 0);
		break;
	case SESSION_SETUP:
		little16(body, 25);
		little16(body + 12, HEADER + 24);
		little16(body + 14, 120);
		memset(body + 24, 0x60, 120);
		add(m, t, command, body, 144, 0);
		break;
	case TREE_CONNECT:
		len = wide(name, "\\\\store.example.net\\shots");
		little16(body, 9);
		little16(body + 4, HEADER + 8);
		little16(body + 6, (uint32_t)len);
		memcpy(body + 8, name, len);
		add(m, t, command, body, 8 + len, 0);
		break;
	case CREATE:
		message_text(&text, "shot_%08x.exr", t->salt);
		len = wide(name, (const char *)text.head);
		little16(body, 57);
		little32(body + 24, 0x00120116); /* generic write */
		little32(body + 36, 5);          /* overwrite */
		little16(body + 44, HEADER + 56);
		little16(body + 46, (uint32_t)len);
		memcpy(body + 56, name, len);
		add(m, t, command, body, 56 + len, 0);
		break;
	case WRITE:
		len = write_len(t, number - OPENING);
		little16(body, 49);
		little16(body + 2, HEADER + WRITE_FIXED);
		little32(body + 4, (uint32_t)len);
		little32(body + 8, (number - OPENING) * WRITE_MAX);
		memset(body + 16, 0x77, 16); /* the file */
		add(m, t, command, body, WRITE_FIXED, (uint32_t)len);
		break;
	default:
		little16(body, 24);
		memset(body + 8, 0x77, 16);
		add(m, t, command, body, 24, 0);
	}
}

static void
response(const struct talk *t, struct message *m, unsigned command)
{
	uint8_t body[256] = {0};

	switch (command) {
	case NEGOTIATE:
		little16(body, 65);
		little16(body + 2, 1);
		little16(body + 4, 0x0210);
		memset(body + 8, 0x3c, 16);
		little32(body + 28, 8388608);
		little32(body + 32, 8388608);
		little32(body + 36, 8388608);
		little16(body + 56, HEADER + 64);
		add(m, t, command, body, 64, 0);
		break;
	case SESSION_SETUP:
		little16(body, 9);
		little16(body + 4, HEADER + 8);
		add(m, t, command, body, 8, 0);
		break;
	case TREE_CONNECT:
		little16(body, 16);
		body[2] = 1; /* a disk */
		little32(body + 12, 0x001f01ff);
		add(m, t, command, body, 16, 0);
		break;
	case CREATE:
		little16(body, 89);
		memset(body + 64, 0x77, 16);
		add(m, t, command, body, 88, 0);
		break;
	case WRITE:
		little16(body, 17);
		little32(body + 4, write_len(t, t->turn / 2 - OPENING));
		add(m, t, command, body, 16, 0);
		break;
	default:
		little16(body, 60);
		add(m, t, command, body, 60, 0);
	}
}

/* The frame's length, the header (section 2.2.1.2), the body; more bytes of noise follow. */
static void
add(struct message *m, const struct talk *t, unsigned command, const uint8_t *body, size_t len, uint32_t more)
{
	uint8_t head[4 + HEADER] = {0, 0, 0, 0, 0xfe, 'S', 'M', 'B'};
	put32(head, (uint32_t)(HEADER + len) + more);
	little16(head + 8, 64);
	little16(head + 10, 1 + more / 65536); /* credit charge */
	little16(head + 16, command);
	little16(head + 18, 32); /* credits */
	little32(head + 20, m->from_server);
	little32(head + 28, t->turn / 2);
	little32(head + 40, command > SESSION_SETUP ? 5 : 0);
	little32(head + 44, command > NEGOTIATE ? t->salt | 1 : 0);
	message_bytes(m, head, sizeof head);
	message_bytes(m, body, len);
	m->body = more;
}

static void
little16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void
little32(uint8_t *p, uint32_t v)
{
	little16(p, v & 0xffff);
	little16(p + 2, v >> 16);
}

static size_t
wide(uint8_t *out, const char *text)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++)
		little16(out + 2 * i, (uint8_t)text[i]);
	return 2 * n;
}

static uint32_t
write_len(const struct talk *t, uint32_t number)
{
	uint32_t left = t->size - number * WRITE_MAX;
	return left < WRITE_MAX ? left : WRITE_MAX;
}
