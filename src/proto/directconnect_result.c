/*
 * Results of searches name the files that are later asked for by the hash of their content (TTH). They come through the hub, or in datagrams
 * straight to who searched (ADC, section "UDP"; NMDC, "$SR"). Read of them: name and hash. Not read: results that are encrypted (SUDP).
 */
#include "config.h"

#include "proto/directconnect_result.h"

#include <netinet/in.h>
#include <string.h>

#include "proto/plain.h"

enum { KEY_FIXED = 14, KEY_SIZE = KEY_FIXED + DC_TTH_LEN, RESULT_MIN = 4 + 1 + DC_TTH_LEN };

static const char udp_adc[] = "URES ", udp_nmdc[] = "$SR ";

static enum verdict probe_one(const uint8_t *bytes, size_t len);
static void note(struct session *s, const char *kind, const uint8_t id[DC_TTH_LEN], const uint8_t *name, size_t len);
static const void *noted(struct session *s, const char *kind, const uint8_t id[DC_TTH_LEN], size_t *len);
static size_t field(const uint8_t *line, size_t len, const char *name, uint8_t out[DC_NAME_MAX]);

void
dc_result_nmdc(struct session *s, const uint8_t *line, size_t len)
{
	/* NICK PATH 5 SIZE FREE/SLOTS 5 TTH:HASH (HUB) */
	const uint8_t *space = memchr(line, ' ', len), *five = memchr(line, 5, len), *tth = memmem(line, len, "\005TTH:", 5);

	if (space != NULL && five != NULL && tth != NULL && space < five && len - (size_t)(tth + 5 - line) >= DC_TTH_LEN)
		note(s, "directconnect:", tth + 5, space + 1, (size_t)(five - space) - 1);
}

void
dc_result_adc(struct session *s, const uint8_t *line, size_t len)
{
	uint8_t name[DC_NAME_MAX], tth[DC_NAME_MAX];
	const size_t name_len = field(line, len, " FN", name);

	if (field(line, len, " TR", tth) == DC_TTH_LEN)
		note(s, "directconnect:", tth, name, name_len);
}

const void *
dc_result_name(struct session *s, const uint8_t tth[DC_TTH_LEN], size_t *len)
{
	return noted(s, "directconnect:", tth, len);
}

void
dc_client_adc(struct session *s, const uint8_t *line, size_t len, bool tell)
{
	uint8_t nick[DC_NAME_MAX], id[DC_NAME_MAX];
	const size_t nick_len = field(line, len, " NI", nick);
	const bool known = field(line, len, " ID", id) == DC_TTH_LEN;
	size_t known_len;

	if (nick_len > 0 && known)
		note(s, "directconnick:", id, nick, nick_len);
	if (!tell)
		return;
	if (nick_len > 0) {
		session_account(s, nick, nick_len);
		return;
	}
	const void *name = known ? noted(s, "directconnick:", id, &known_len) : NULL;
	if (name != NULL)
		session_account(s, name, known_len);
}

static enum verdict
results_probe(const struct probe *p)
{
	const enum verdict a = probe_one(p->bytes[0], p->len[0]), b = probe_one(p->bytes[1], p->len[1]);
	return a == VERDICT_DONE || b == VERDICT_DONE ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static enum verdict
results_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	(void)from;
	if (probe_one(bytes, len) != VERDICT_DONE)
		return VERDICT_MORE;
	if (bytes[0] == '$')
		dc_result_nmdc(state, bytes + 4, len - 4);
	else
		dc_result_adc(state, bytes + 4, len - 4);
	return VERDICT_MORE;
}

const struct proto proto_directconnect_udp = {
        .name = "directconnect",
        .transport = IPPROTO_UDP,
        .ports = {412},
        .reads = "results of searches, which name files that are asked for by hash",
        .infers = "",
        .misses = "encrypted results",
        .probe = results_probe,
        .open = plain_open,
        .data = results_data,
        .gap = plain_gap,
        .close = plain_close,
};

/* With its hash, so that nothing else is taken for one. */
static enum verdict
probe_one(const uint8_t *bytes, size_t len)
{
	if (len < RESULT_MIN)
		return VERDICT_NOT_MINE;
	if (memcmp(bytes, udp_nmdc, sizeof udp_nmdc - 1) == 0)
		return memmem(bytes, len, "\005TTH:", 5) != NULL ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (memcmp(bytes, udp_adc, sizeof udp_adc - 1) != 0)
		return VERDICT_NOT_MINE;
	for (size_t i = 5; i < 5 + DC_TTH_LEN && i < len; i++)
		if (!(bytes[i] >= 'A' && bytes[i] <= 'Z') && !(bytes[i] >= '2' && bytes[i] <= '7'))
			return VERDICT_NOT_MINE;
	return VERDICT_DONE;
}

static void
note(struct session *s, const char *kind, const uint8_t id[DC_TTH_LEN], const uint8_t *name, size_t len)
{
	uint8_t key[KEY_SIZE];
	if (len == 0 || len > DC_NAME_MAX)
		return;
	memcpy(key, kind, KEY_FIXED);
	memcpy(key + KEY_FIXED, id, DC_TTH_LEN);
	(void)session_note(s, NOTE_ALL, key, sizeof key, name, len);
}

static const void *
noted(struct session *s, const char *kind, const uint8_t id[DC_TTH_LEN], size_t *len)
{
	uint8_t key[KEY_SIZE];
	memcpy(key, kind, KEY_FIXED);
	memcpy(key + KEY_FIXED, id, DC_TTH_LEN);
	return session_noted(s, NOTE_ALL, key, sizeof key, len);
}

/* What follows a space and two letters, up to the next space; "\s", "\n" and "\\" stand for what can't be in it. 0: none, or too long. */
static size_t
field(const uint8_t *line, size_t len, const char *name, uint8_t out[DC_NAME_MAX])
{
	const uint8_t *at = memmem(line, len, name, 3), *end = line + len;
	size_t n = 0;

	if (at == NULL)
		return 0;
	for (at += 3; at < end && *at != ' ' && *at != '\n'; at++) {
		if (n == DC_NAME_MAX)
			return 0;
		out[n] = *at;
		if (*at == '\\' && end - at > 1) {
			at++;
			out[n] = *at == 's' ? ' ' : *at == 'n' ? '\n' : *at;
		}
		n++;
	}
	return n;
}
