/*
 * Conversations that write themselves one packet at a time: the handshake, messages in segments with
 * an ACK for every other one, segments that come late or never, the end. What is said is each plot's own.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gen.h"

enum { MSS_PLAIN = 1460, RECORD_BODY = 16384, RECORD_SIZE = 5 + RECORD_BODY, TIMESTAMPS = 12 };

const struct plot plots[] = {
        [PLOT_DNS] = {.udp = true, .port = 53, .say = say_dns},
        [PLOT_QUIC] = {.udp = true, .port = 443, .say = say_quic},
        [PLOT_TLS] = {.port = 443, .say = say_tls},
        [PLOT_TLS_RESUMED] = {.port = 443, .say = say_tls},
        [PLOT_API] = {.port = 80, .ack_each = true, .say = say_api},
        [PLOT_UNKNOWN] = {.port = 7411, .ack_each = true, .say = say_unknown},
        [PLOT_SMALL_FILES] = {.port = 80, .say = say_small_files},
        [PLOT_HTTP_PUT] = {.port = 80, .say = say_http_put},
        [PLOT_HTTP_GET] = {.port = 80, .ack_each = true, .say = say_http_get},
        [PLOT_FTP_STOR] = {.port = 21, .ack_each = true, .say = say_ftp},
        [PLOT_FTP_RETR] = {.port = 21, .ack_each = true, .say = say_ftp},
        [PLOT_FTP_DATA_UP] = {.ack_each = true, .say = say_ftp_data},
        [PLOT_FTP_DATA_DOWN] = {.ack_each = true, .server_closes = true, .say = say_ftp_data},
        [PLOT_SMB2] = {.port = 445, .say = say_smb2},
        [PLOT_SSH] = {.port = 22, .ack_each = true, .say = say_ssh},
};

static enum pace step_datagram(struct gen *g, struct talk *t);
static enum pace step_say(struct gen *g, struct talk *t);
static uint32_t next_segment(struct gen *g, struct talk *t, const struct message *m, uint32_t *offset);
static enum pace end_message(struct talk *t, const struct message *m);
static void segment(struct gen *g, const struct talk *t, bool from_server, unsigned flags, uint32_t seq, const void *payload, size_t len);
static uint32_t said_up_to(const struct talk *t, const struct message *m);
static void payload_at(const struct gen *g, const struct talk *t, const struct message *m, uint32_t offset, uint32_t len, uint8_t *out);

void
talk_begin(struct gen *g, struct talk *t, enum plot_id plot)
{
	*t = (struct talk){.plot = (uint8_t)plot, .exchanges = 1};
	t->host[0] = 0xc6120000u + random_below(g, 0x10000);
	t->host[1] = 0xc6130000u + random_below(g, 0x10000);
	t->port[0] = (uint16_t)random_between(g, 32768, 60999);
	t->port[1] = plots[plot].port;
	t->seq[0] = random_below(g, UINT32_MAX);
	t->seq[1] = random_below(g, UINT32_MAX);
	t->salt = random_below(g, UINT32_MAX);
	t->v6 = t->salt % 8 == 0;
	if (random_below(g, g->listed_in) == 0) {
		t->host[1] = g->listed;
		t->v6 = false;
	}
}

enum pace
talk_step(struct gen *g, struct talk *t)
{
	const struct plot *plot = &plots[t->plot];
	bool closer = plot->server_closes;

	if (plot->udp)
		return step_datagram(g, t);
	switch (t->state) {
	case TALK_SYN:
		segment(g, t, false, TCP_SYN, t->seq[0], NULL, 0);
		t->seq[0]++;
		break;
	case TALK_SYN_ACK:
		segment(g, t, true, TCP_SYN | TCP_ACK, t->seq[1], NULL, 0);
		t->seq[1]++;
		break;
	case TALK_ACK: segment(g, t, false, TCP_ACK, t->seq[0], NULL, 0); break;
	case TALK_SAY: {
		enum pace pace = step_say(g, t);
		if (pace != PACE_OVER)
			return pace;
		t->state = TALK_FIN;
	}
	/* fall through */
	case TALK_FIN:
		segment(g, t, closer, TCP_FIN | TCP_ACK, t->seq[closer], NULL, 0);
		t->seq[closer]++;
		break;
	case TALK_FIN_ACK:
		segment(g, t, !closer, TCP_FIN | TCP_ACK, t->seq[!closer], NULL, 0);
		t->seq[!closer]++;
		break;
	case TALK_LAST_ACK: segment(g, t, closer, TCP_ACK, t->seq[closer], NULL, 0); break;
	default: return PACE_OVER;
	}
	t->state++;
	return PACE_TURN;
}

static enum pace
step_datagram(struct gen *g, struct talk *t)
{
	struct message m = {0};
	uint8_t payload[MSS_PLAIN];

	if (!plots[t->plot].say(g, t, &m))
		return PACE_OVER;
	uint32_t len = (uint32_t)m.head_len + m.body;
	payload_at(g, t, &m, 0, len, payload);
	struct address from = address_of(t->host[m.from_server], t->v6), to = address_of(t->host[!m.from_server], t->v6);
	packet_udp(g, &from, &to, t->port[m.from_server], t->port[!m.from_server], payload, len);
	t->turn++;
	return PACE_TURN;
}

/* The next packet of the talking itself; PACE_OVER: nothing was written, all was said. */
static enum pace
step_say(struct gen *g, struct talk *t)
{
	uint8_t payload[MSS_PLAIN];
	struct message m = {0};
	if (!plots[t->plot].say(g, t, &m))
		return PACE_OVER;

	uint32_t total = (uint32_t)m.head_len + m.body, offset;
	bool all_sent = t->offset == total && t->held == 0;
	if (t->unacked >= 2 || (all_sent && t->unacked > 0)) {
		segment(g, t, !m.from_server, TCP_ACK, t->seq[!m.from_server], NULL, 0);
		t->unacked = 0;
		return all_sent ? end_message(t, &m) : PACE_SEGMENT;
	}
	if (all_sent)
		return end_message(t, &m);
	uint32_t len = next_segment(g, t, &m, &offset);
	uint32_t seq = t->seq[m.from_server] - (t->offset - offset);
	payload_at(g, t, &m, offset, len, payload);
	segment(g, t, m.from_server, offset + len == total ? TCP_ACK | TCP_PSH : TCP_ACK, seq, payload, len);
	bool last = t->offset == total && t->held == 0;
	if (last && !plots[t->plot].ack_each && t->unacked < 2) {
		t->unacked = 0; /* the answer says that it arrived */
		return end_message(t, &m);
	}
	return PACE_SEGMENT;
}

/*
 * Chooses what to send next, of a message that is not all sent, and takes it off what is left: its length and *offset in
 * the message. Only full segments have accidents, and the last never.
 */
static uint32_t
next_segment(struct gen *g, struct talk *t, const struct message *m, uint32_t *offset)
{
	uint32_t mss = t->plain ? MSS_PLAIN : MSS, total = (uint32_t)m->head_len + m->body;
	if (t->held == 1 || (t->held > 1 && t->offset == total)) {
		t->held = 0;
		*offset = t->held_offset;
		return mss;
	}
	if (t->held > 1)
		t->held--;
	for (;;) {
		uint32_t len = total - t->offset < mss ? total - t->offset : mss;
		bool safe = t->path == PATH_CLEAN || t->held > 0 || t->offset + len == total;
		uint32_t luck = safe ? UINT32_MAX : random_below(g, 1000);
		*offset = t->offset;
		t->offset += len;
		t->seq[m->from_server] += len;
		t->unacked++;
		if (luck < 10) { /* behind the next one */
			t->held_offset = *offset;
			t->held = 2;
		} else if (luck < 35 && t->path == PATH_LOSES) {
			t->held_offset = *offset;
			t->held = (uint8_t)random_between(g, 4, 12);
		} else if (luck >= 35 || t->path != PATH_UNSEEN) {
			return len;
		}
	}
}

static enum pace
end_message(struct talk *t, const struct message *m)
{
	t->turn++;
	t->offset = 0;
	t->unacked = 0;
	return m->from_server ? PACE_THINK : PACE_TURN;
}

/* Writes a segment; it acknowledges what came from the other end without a hole. */
static void
segment(struct gen *g, const struct talk *t, bool from_server, unsigned flags, uint32_t seq, const void *payload, size_t len)
{
	static const uint8_t syn[20] = {2, 4, 1460 >> 8, 1460 & 255, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7};
	static const uint8_t syn_plain[12] = {2, 4, 1460 >> 8, 1460 & 255, 1, 3, 3, 8, 1, 1, 4, 2};
	uint8_t options[20] = {1, 1, 8, 10};
	size_t options_len = TIMESTAMPS, stamp = 4;
	struct message m = {0};

	if ((flags & TCP_SYN) != 0 && !t->plain) {
		memcpy(options, syn, sizeof syn);
		options_len = sizeof syn;
		stamp = 8;
	} else if (t->plain) {
		memcpy(options, syn_plain, sizeof syn_plain);
		options_len = (flags & TCP_SYN) != 0 ? sizeof syn_plain : 0;
	}
	if (!t->plain) { /* RFC 7323 section 3.2: own clock, the other end's as last heard */
		put32(options + stamp, (uint32_t)(g->time / 1000) + t->host[from_server]);
		put32(options + stamp + 4, (flags & TCP_ACK) != 0 ? (uint32_t)(g->time / 1000) - 9 + t->host[!from_server] : 0);
	}
	uint32_t ack = t->seq[!from_server];
	if (t->held > 0 && len == 0 && plots[t->plot].say(g, t, &m) && m.from_server != from_server)
		ack = said_up_to(t, &m);
	struct address from = address_of(t->host[from_server], t->v6), to = address_of(t->host[!from_server], t->v6);
	struct tcp tcp = {.from_port = t->port[from_server], .to_port = t->port[!from_server], .seq = seq, .ack = ack,
	        .flags = (uint8_t)flags, .options = options, .options_len = options_len};
	packet_tcp(g, &from, &to, &tcp, payload, len);
}

/* The sequence number of the segment that is late. */
static uint32_t
said_up_to(const struct talk *t, const struct message *m)
{
	return t->seq[m->from_server] - (t->offset - t->held_offset);
}

/* len bytes of a message from offset: of its head, then of its body. */
static void
payload_at(const struct gen *g, const struct talk *t, const struct message *m, uint32_t offset, uint32_t len, uint8_t *out)
{
	uint32_t head = (uint32_t)m->head_len;
	if (offset < head) {
		uint32_t n = head - offset < len ? head - offset : len;
		memcpy(out, m->head + offset, n);
		out += n;
		len -= n;
		offset = head;
	}
	if (len == 0)
		return;
	uint32_t at = offset - head;
	memcpy(out, g->noise + (at + t->salt + t->turn * 7919) % NOISE_SIZE, len);
	if (!m->records)
		return;
	for (uint32_t start = at / RECORD_SIZE * RECORD_SIZE; start < at + len; start += RECORD_SIZE) {
		uint32_t rest = m->body - start < RECORD_SIZE ? m->body - start : RECORD_SIZE;
		uint8_t header[5] = {23 /* application data */, 3, 3}; /* RFC 8446 section 5.2 */
		put16(header + 3, rest - 5);
		for (uint32_t i = 0; i < sizeof header; i++)
			if (start + i >= at && start + i < at + len)
				out[start + i - at] = header[i];
	}
}

void
message_text(struct message *m, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf((char *)m->head + m->head_len, sizeof m->head - m->head_len, format, args);
	va_end(args);
	if (n > 0)
		m->head_len += (size_t)n < sizeof m->head - m->head_len ? (size_t)n : sizeof m->head - m->head_len - 1;
}

void
message_bytes(struct message *m, const void *bytes, size_t len)
{
	if (len > sizeof m->head - m->head_len)
		len = sizeof m->head - m->head_len;
	memcpy(m->head + m->head_len, bytes, len);
	m->head_len += len;
}

void
message_noise(const struct gen *g, struct message *m, uint32_t salt, size_t len)
{
	message_bytes(m, g->noise + salt % NOISE_SIZE, len);
}
