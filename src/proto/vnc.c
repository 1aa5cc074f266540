/*
 * VNC: the remote framebuffer protocol (RFC 6143 sections 7.1 to 7.5): versions, security, the desktop's name, and
 * what the client says, of which the clipboard's texts are counted. Pictures are not looked at, nor is the server's
 * clipboard, since only who decodes all pictures finds it. Screens leave without being files.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "proto/plain.h"

enum { RFB_VERSION = 12, KEEP = 512, NAME_KEPT = 256, CLIPBOARD_CAPS = 1 << 24, CLIPBOARD_PROVIDE = 1 << 28 };

enum step { /* of each side */
	STEP_VERSION,
	STEP_SECURITY,    /* server: types offered; client: the one it takes */
	STEP_CHALLENGE,   /* server's challenge of VNC's own authentication; client's answer */
	STEP_RESULT,      /* server; client: nothing, its next is what it wants of the display */
	STEP_INIT,
	STEP_MESSAGES,    /* the client's */
	STEP_OVER,        /* nothing more is read */
};

struct half {
	enum step step;
	size_t len;
	uint64_t skip; /* bytes that are not looked at */
	uint8_t bytes[KEEP];
};

struct vnc {
	struct session *session;
	struct half half[2];
	enum side server;
	bool known;         /* who is server */
	unsigned minor;     /* 3, 7 or 8: what both speak */
	unsigned security;  /* the type in use */
	uint64_t cut_texts, cut_bytes;
};

static bool is_version(const uint8_t *bytes, size_t len);
static size_t server_message(struct vnc *v, struct half *h);
static size_t client_message(struct vnc *v, struct half *h);
static size_t await_choice(struct half *h);
static size_t display_message(struct vnc *v, struct half *h);
static size_t extended_clipboard(struct vnc *v, struct half *h, uint32_t len);
static void count_cut_text(struct vnc *v, uint64_t len);
static void take_version(struct vnc *v, enum side from);
static void take_security(struct vnc *v, unsigned type);
static void tell_security(struct vnc *v);

static enum verdict
vnc_probe(const struct probe *p)
{
	for (size_t side = 0; side < 2; side++) {
		const size_t len = p->len[side];
		if (len > 0)
			return !is_version(p->bytes[side], len) ? VERDICT_NOT_MINE : len < RFB_VERSION ? VERDICT_MORE : VERDICT_DONE;
	}
	return VERDICT_MORE;
}

static void *
vnc_open(struct session *s)
{
	struct vnc *v = calloc(1, sizeof *v);
	if (v != NULL)
		v->session = s;
	return v;
}

/* Messages are put together in a small room; what is longer is only passed over. */
static enum verdict
vnc_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct vnc *v = state;
	struct half *h = &v->half[from];
	while (h->step != STEP_OVER && (len > 0 || h->skip == 0)) {
		const bool server = v->known && from == v->server;
		if (h->skip > 0) {
			const size_t over = h->skip < len ? (size_t)h->skip : len;
			h->skip -= over;
			bytes += over;
			len -= over;
			continue;
		}
		const size_t wanted = server ? server_message(v, h) : client_message(v, h);
		if (wanted == 0)
			continue; /* a message was there, and is done */
		if (wanted > KEEP)
			h->step = STEP_OVER;
		if (wanted > KEEP || len == 0)
			break;
		const size_t n = wanted - h->len < len ? wanted - h->len : len;
		memcpy(h->bytes + h->len, bytes, n);
		h->len += n;
		bytes += n;
		len -= n;
		if (h->step == STEP_VERSION && h->len == RFB_VERSION)
			take_version(v, from);
	}
	return v->half[0].step == STEP_OVER && v->half[1].step == STEP_OVER ? VERDICT_DONE : VERDICT_MORE;
}

static enum verdict
vnc_gap(void *state, enum side from, uint64_t len)
{
	struct vnc *v = state;
	struct half *h = &v->half[from];
	if (h->skip >= len)
		h->skip -= len;
	else
		h->step = STEP_OVER;
	return v->half[0].step == STEP_OVER && v->half[1].step == STEP_OVER ? VERDICT_DONE : VERDICT_MORE;
}

static void
vnc_close(void *state, bool reset)
{
	struct vnc *v = state;
	(void)reset;
	free(v);
}

const struct proto proto_vnc = {
        .name = "vnc",
        .transport = IPPROTO_TCP,
        .ports = {5900, 5901, 5902},
        .reads = "versions, the security type, the desktop's name, sizes of texts that the client's clipboard sends",
        .infers = "",
        .misses = "the screen, keys, what the server's clipboard sends; all behind TLS",
        .probe = vnc_probe,
        .open = vnc_open,
        .data = vnc_data,
        .gap = vnc_gap,
        .close = vnc_close,
};

/* "RFB 003.008\n", or as much of it as there is. */
static bool
is_version(const uint8_t *bytes, size_t len)
{
	static const char form[] = "RFB 00#.###\n";
	for (size_t i = 0; i < len && i < RFB_VERSION; i++)
		if (form[i] == '#' ? bytes[i] < '0' || bytes[i] > '9' : bytes[i] != (uint8_t)form[i])
			return false;
	return true;
}

/* The server speaks first, and the client answers with the version that is used. */
static void
take_version(struct vnc *v, enum side from)
{
	struct half *h = &v->half[from];
	const bool first = !v->known;
	h->len = 0;
	h->step = STEP_OVER;
	if (!is_version(h->bytes, RFB_VERSION)) {
		v->half[side_other(from)].step = STEP_OVER;
		return;
	}
	h->step = STEP_SECURITY;
	if (first) {
		v->known = true;
		v->server = from;
		session_client_end(v->session, side_other(from));
		session_server(v->session, h->bytes, RFB_VERSION - 1);
		return;
	}
	const unsigned minor = (unsigned)(h->bytes[8] - '0') * 100 + (unsigned)(h->bytes[9] - '0') * 10 +
	                       (unsigned)(h->bytes[10] - '0');
	v->minor = minor >= 8 ? 8 : minor == 7 ? 7 : 3;
	session_client(v->session, h->bytes, RFB_VERSION - 1);
	if (v->minor == 3)
		h->step = STEP_CHALLENGE; /* the server alone decides */
}

/* How many bytes the message at hand has, as far as that is known; 0: it was there, and is done. */
static size_t
server_message(struct vnc *v, struct half *h)
{
	struct reader r = reader_init(h->bytes, h->len);
	switch (h->step) {
	case STEP_VERSION: return RFB_VERSION;
	case STEP_SECURITY:
		if (v->minor == 3) {
			if (h->len < 4)
				return 4;
			take_security(v, reader_be32(&r));
		} else {
			const size_t count = reader_u8(&r);
			if (h->len < 1 + count || h->len < 1)
				return h->len < 1 ? 1 : 1 + count;
			if (count == 0) { /* refused, and why */
				h->step = STEP_OVER;
				return 0;
			}
			h->step = STEP_CHALLENGE;
		}
		break;
	case STEP_CHALLENGE: /* none: a result or the display at once */
		if (v->security == 0)
			return await_choice(h);
		if (v->security == 2) {
			if (h->len < 16)
				return 16;
			h->step = STEP_RESULT;
		} else {
			h->step = v->security == 1 && v->minor < 8 ? STEP_INIT : STEP_RESULT;
			return 0;
		}
		break;
	case STEP_RESULT:
		if (h->len < 4)
			return 4;
		h->step = reader_be32(&r) == 0 ? STEP_INIT : STEP_OVER;
		break;
	case STEP_INIT:
		reader_skip(&r, 2 + 2 + 16);
		const size_t name = reader_be32(&r);
		if (!reader_ok(&r) || h->len < 24 + (name < NAME_KEPT ? name : NAME_KEPT))
			return reader_ok(&r) ? 24 + (name < NAME_KEPT ? name : NAME_KEPT) : 24;
		session_detail(v->session, "vnc.desktop", r.next, r.left);
		h->step = STEP_OVER;
		break;
	default: h->step = STEP_OVER; break;
	}
	h->len = 0;
	return 0;
}

/* The other side has to say first what security it is to be; who goes on before that has lost his order. */
static size_t
await_choice(struct half *h)
{
	if (h->len > 0)
		h->step = STEP_OVER;
	return h->len > 0 ? 0 : 1;
}

static size_t
client_message(struct vnc *v, struct half *h)
{
	switch (h->step) {
	case STEP_VERSION: return RFB_VERSION;
	case STEP_SECURITY: /* one of the types offered */
		if (h->len < 1)
			return 1;
		take_security(v, h->bytes[0]);
		if (h->step == STEP_SECURITY)
			h->step = STEP_CHALLENGE;
		break;
	case STEP_CHALLENGE:
		if (v->security == 0)
			return await_choice(h);
		if (v->security == 2 && h->len < 16)
			return 16;
		h->step = STEP_INIT;
		if (v->security != 2)
			return 0;
		break;
	case STEP_INIT: /* shared or not */
		if (h->len < 1)
			return 1;
		h->step = STEP_MESSAGES;
		break;
	case STEP_MESSAGES: return display_message(v, h);
	default: h->step = STEP_OVER; break;
	}
	h->len = 0;
	return 0;
}

/* RFC 6143 section 7.5, and messages of wide-spread extensions as the IANA has them. */
static size_t
display_message(struct vnc *v, struct half *h)
{
	static const struct {
		uint8_t type, len;    /* whole, or up to the count */
		uint8_t count_at, count_size, unit;
	} messages[] = {
	        {0, 20, 0, 0, 0},    /* SetPixelFormat */
	        {2, 4, 2, 2, 4},     /* SetEncodings */
	        {3, 10, 0, 0, 0},    /* FramebufferUpdateRequest */
	        {4, 8, 0, 0, 0},     /* KeyEvent */
	        {5, 6, 0, 0, 0},     /* PointerEvent */
	        {6, 8, 4, 4, 1},     /* ClientCutText */
	        {150, 10, 0, 0, 0},  /* EnableContinuousUpdates */
	        {248, 9, 8, 1, 1},   /* ClientFence */
	        {251, 8, 6, 1, 16},  /* SetDesktopSize */
	        {255, 12, 0, 0, 0},  /* QEMU: extended key event */
	};
	size_t i = 0, count = 0;
	if (h->len < 1)
		return 1;
	while (i < sizeof messages / sizeof messages[0] && messages[i].type != h->bytes[0])
		i++;
	if (i == sizeof messages / sizeof messages[0]) {
		h->step = STEP_OVER;
		return 0;
	}
	if (h->len < messages[i].len)
		return messages[i].len;
	for (size_t k = 0; k < messages[i].count_size; k++)
		count = count << 8 | h->bytes[messages[i].count_at + k];
	if (messages[i].type == 6 && (count & 0x80000000u) != 0)
		return extended_clipboard(v, h, (uint32_t)-(uint32_t)count);
	if (messages[i].type == 6)
		count_cut_text(v, count);
	h->skip = (uint64_t)count * messages[i].unit;
	h->len = 0;
	return 0;
}

/*
 * The extended clipboard (community protocol, section "Extended Clipboard Pseudo-Encoding") has a negative length, and
 * flags that tell what it is: only what is provided is text, compressed. Who tells what he can do sets all flags.
 */
static size_t
extended_clipboard(struct vnc *v, struct half *h, uint32_t len)
{
	struct reader r = reader_init(h->bytes, h->len);
	if (len < 4) {
		h->step = STEP_OVER;
		return 0;
	}
	reader_skip(&r, 8);
	const uint32_t flags = reader_be32(&r);
	if (!reader_ok(&r))
		return 8 + 4;
	if ((flags & CLIPBOARD_CAPS) == 0 && (flags & CLIPBOARD_PROVIDE) != 0)
		count_cut_text(v, len - 4);
	h->skip = len - 4;
	h->len = 0;
	return 0;
}

static void
count_cut_text(struct vnc *v, uint64_t len)
{
	session_detail_number(v->session, "vnc.cut_texts", ++v->cut_texts);
	session_detail_number(v->session, "vnc.cut_text_bytes", v->cut_bytes += len);
}

/* Only "none" and VNC's own leave in the clear what follows. */
static void
take_security(struct vnc *v, unsigned type)
{
	v->security = type;
	tell_security(v);
	if (type != 1 && type != 2) {
		v->half[0].step = v->half[1].step = STEP_OVER;
		return;
	}
	struct half *server = &v->half[v->server];
	if (v->minor == 3)
		server->step = type == 2 ? STEP_CHALLENGE : STEP_INIT;
}

/* As the IANA's registry of RFB security types has them. */
static void
tell_security(struct vnc *v)
{
	static const struct {
		unsigned type;
		const char *name;
	} names[] = {{1, "none"}, {2, "vnc"}, {5, "ra2"}, {6, "ra2ne"}, {16, "tight"}, {17, "ultra"}, {18, "tls"},
	        {19, "vencrypt"}, {20, "sasl"}, {30, "apple"}, {129, "ra256"}};
	char number[16];
	const char *name = number;
	snprintf(number, sizeof number, "%u", v->security);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].type == v->security)
			name = names[i].name;
	session_detail(v->session, "vnc.security", name, strlen(name));
}
