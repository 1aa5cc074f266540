/*
 * Other screens that leave without being files, and terminals, by name alone: X11 (X Window System Protocol, section
 * 8), Citrix' ICA and its common gateway protocol, SPICE (its protocol, section "Link"), TeamViewer, Telnet (RFC 854,
 * RFC 855).
 *
 * TeamViewer's form has two bytes: it is believed at its port only.
 */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "base/reader.h"
#include "proto/plain.h"

enum { X11_REQUEST = 12, X11_AUTH_MAX = 256, PORT_TEAMVIEWER = 5938 };

static enum verdict word_probe(const struct probe *p, const void *word, size_t len);

/* The client's byte order, version 11, lengths of a protocol's name and its data. Or the server's answer. */
static enum verdict
x11_probe(const struct probe *p)
{
	struct reader r = reader_init(p->bytes[SIDE_SOURCE], p->len[SIDE_SOURCE]);
	if (r.left == 0)
		return p->len[SIDE_DESTINATION] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	const bool little = r.next[0] == 'l';
	if (!little && r.next[0] != 'B')
		return VERDICT_NOT_MINE;
	if (r.left < X11_REQUEST)
		return r.left < 2 || r.next[1] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	reader_skip(&r, 2);
	uint16_t word[5];
	for (size_t i = 0; i < 5; i++)
		word[i] = little ? reader_le16(&r) : reader_be16(&r);
	return plain_verdict(word[0] == 11 && word[1] == 0 && word[2] <= X11_AUTH_MAX && word[3] <= X11_AUTH_MAX &&
	                     word[4] == 0 && p->bytes[SIDE_SOURCE][1] == 0);
}

static enum verdict
x11_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct session *s = state;
	(void)len;
	if (bytes[0] == 'l' || bytes[0] == 'B')
		session_client_end(s, from);
	return VERDICT_DONE;
}

static enum verdict
ica_probe(const struct probe *p)
{
	static const uint8_t ica[] = {0x7f, 0x7f, 'I', 'C', 'A', 0};
	static const uint8_t cgp[] = {0x1a, 'C', 'G', 'P', '/', '0', '1'};
	enum verdict v = word_probe(p, ica, sizeof ica);
	return v == VERDICT_NOT_MINE ? word_probe(p, cgp, sizeof cgp) : v;
}

/* A magic number, a version, and a size of what follows. */
static enum verdict
spice_probe(const struct probe *p)
{
	static const uint8_t magic[] = {'R', 'E', 'D', 'Q', 2, 0, 0, 0};
	return word_probe(p, magic, sizeof magic);
}

static enum verdict
teamviewer_probe(const struct probe *p)
{
	static const uint8_t command[] = {0x17, 0x24}, second[] = {0x11, 0x30};
	if (!plain_port(p, PORT_TEAMVIEWER))
		return VERDICT_NOT_MINE;
	enum verdict v = word_probe(p, command, sizeof command);
	return v == VERDICT_NOT_MINE ? word_probe(p, second, sizeof second) : v;
}

/* Options: IAC, WILL to DONT, and one of the first that were registered; two of them at least. */
static enum verdict
telnet_probe(const struct probe *p)
{
	for (size_t side = 0; side < 2; side++) {
		const uint8_t *b = p->bytes[side];
		const size_t len = p->len[side];
		if (len == 0)
			continue;
		if (b[0] != 0xff || (len > 1 && (b[1] < 0xfb || b[1] == 0xff)) || (len > 2 && b[2] > 49))
			return VERDICT_NOT_MINE;
		if (len == 3)
			return plain_port(p, 23) ? VERDICT_DONE : VERDICT_MORE;
		if (len > 4)
			return plain_verdict(b[3] == 0xff && b[4] >= 0xfa && b[4] != 0xff);
	}
	return VERDICT_MORE;
}

/* Somebody's first bytes are these. */
static enum verdict
word_probe(const struct probe *p, const void *word, size_t len)
{
	enum verdict v = VERDICT_MORE;
	for (size_t side = 0; side < 2; side++) {
		const size_t n = p->len[side] < len ? p->len[side] : len;
		if (n == 0)
			continue;
		v = VERDICT_NOT_MINE;
		if (memcmp(p->bytes[side], word, n) == 0)
			return n == len ? VERDICT_DONE : VERDICT_MORE;
	}
	return v;
}

#define SCREEN(symbol, title, what, missing, take, hint, ...) \
	const struct proto proto_##symbol = { \
	        .name = title, .transport = IPPROTO_TCP, .ports = {hint, __VA_ARGS__}, \
	        .reads = what, .infers = "", .misses = missing, \
	        .probe = symbol##_probe, .open = plain_open, .data = take, .gap = plain_gap, \
	        .close = plain_close, \
	}

SCREEN(x11, "x11", "that windows are shown, and to whom", "the screen, keys, selections", x11_data, 6000, 6001);
SCREEN(ica, "ica", "that it is spoken", "the screen, drives and clipboard", plain_done, 1494, 2598);
SCREEN(spice, "spice", "that it is spoken", "the screen, the clipboard, files that its agent takes", plain_done,
        5900, 3001);
SCREEN(teamviewer, "teamviewer", "that it is spoken, at its own port", "the screen, its file transfer", plain_done,
        PORT_TEAMVIEWER, 0);
SCREEN(telnet, "telnet", "that it is spoken", "what is typed and shown", plain_done, 23, 2323);
