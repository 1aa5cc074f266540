/*
 * SSH's ciphers and MACs from outside: block sizes and MAC lengths (RFC 4253 sections 6.3, 6.4; RFC 4344; RFC 6668),
 * AES-GCM (RFC 5647 section 7.3) and OpenSSH's own, by its PROTOCOL and PROTOCOL.chacha20poly1305: with
 * encrypt-then-MAC and GCM the length stays readable, with chacha20-poly1305 it is encrypted apart.
 */
#include "config.h"

#include "proto/ssh_cipher.h"

#include <string.h>

enum {
	PADDING_MIN = 4,  /* RFC 4253 section 6 */
	LENGTH_FIELD = 4,
	CHANNEL_DATA_HEADER = 9, /* RFC 4254 section 5.2 */
	NAMES_MAX = 64,   /* of a list; more are not looked at */
};

struct row {
	const char *name;
	uint8_t block, mac;
	bool aead, clear;
};

static const struct row ciphers[] = {
        {"chacha20-poly1305@openssh.com", 8, 16, true, false},
        {"chacha20-poly1305", 8, 16, true, false},
        {"aes128-gcm@openssh.com", 16, 16, true, true},
        {"aes256-gcm@openssh.com", 16, 16, true, true},
        {"AEAD_AES_128_GCM", 16, 16, true, true},
        {"AEAD_AES_256_GCM", 16, 16, true, true},
        {"aes128-ctr", 16, 0, false, false},
        {"aes192-ctr", 16, 0, false, false},
        {"aes256-ctr", 16, 0, false, false},
        {"aes128-cbc", 16, 0, false, false},
        {"aes192-cbc", 16, 0, false, false},
        {"aes256-cbc", 16, 0, false, false},
        {"rijndael-cbc@lysator.liu.se", 16, 0, false, false},
        {"twofish128-ctr", 16, 0, false, false},
        {"twofish256-ctr", 16, 0, false, false},
        {"3des-ctr", 8, 0, false, false},
        {"3des-cbc", 8, 0, false, false},
        {"blowfish-cbc", 8, 0, false, false},
        {"cast128-cbc", 8, 0, false, false},
        {"arcfour", 8, 0, false, false},
        {"arcfour128", 8, 0, false, false},
        {"arcfour256", 8, 0, false, false},
};

static const struct row macs[] = {
        {"hmac-sha2-256", 0, 32, false, false},
        {"hmac-sha2-512", 0, 64, false, false},
        {"hmac-sha1", 0, 20, false, false},
        {"hmac-sha1-96", 0, 12, false, false},
        {"hmac-md5", 0, 16, false, false},
        {"hmac-md5-96", 0, 12, false, false},
        {"hmac-ripemd160", 0, 20, false, false},
        {"hmac-ripemd160@openssh.com", 0, 20, false, false},
        {"umac-64@openssh.com", 0, 8, false, false},
        {"umac-128@openssh.com", 0, 16, false, false},
        {"hmac-sha2-256-etm@openssh.com", 0, 32, false, true},
        {"hmac-sha2-512-etm@openssh.com", 0, 64, false, true},
        {"hmac-sha1-etm@openssh.com", 0, 20, false, true},
        {"hmac-sha1-96-etm@openssh.com", 0, 12, false, true},
        {"hmac-md5-etm@openssh.com", 0, 16, false, true},
        {"hmac-md5-96-etm@openssh.com", 0, 12, false, true},
        {"hmac-ripemd160-etm@openssh.com", 0, 20, false, true},
        {"umac-64-etm@openssh.com", 0, 8, false, true},
        {"umac-128-etm@openssh.com", 0, 16, false, true},
};

static struct reader agreed(struct reader client, struct reader server);
static struct reader next_name(struct reader *list);
static bool has_name(struct reader list, const struct reader *name);
static const struct row *row_of(const struct row *rows, size_t count, const struct reader *name);

void
ssh_cipher_choose(const struct reader client[SSH_LISTS], const struct reader server[SSH_LISTS], enum side sender,
        struct ssh_cipher *out, struct ssh_names *names)
{
	const size_t to = sender == SIDE_SOURCE ? 0 : 1; /* lists stand in pairs: client to server first */
	*out = (struct ssh_cipher){0};
	names->cipher = agreed(client[2 + to], server[2 + to]);
	names->mac = agreed(client[4 + to], server[4 + to]);
	names->compression = agreed(client[6 + to], server[6 + to]);

	const struct row *c = row_of(ciphers, sizeof ciphers / sizeof ciphers[0], &names->cipher);
	const struct row *m = row_of(macs, sizeof macs / sizeof macs[0], &names->mac);
	if (c != NULL && c->aead)
		names->mac = (struct reader){0}; /* not used */
	out->compressed = names->compression.left > 0 && !(names->compression.left == 4 &&
	                  memcmp(names->compression.next, "none", 4) == 0);
	if (c == NULL || (!c->aead && m == NULL))
		return;
	out->block = c->block;
	out->mac = c->aead ? c->mac : m->mac;
	out->clear = c->aead ? c->clear : m->clear;
	out->counts_length = !c->aead && !m->clear;
}

uint32_t
ssh_cipher_wire(const struct ssh_cipher *c, uint32_t payload)
{
	if (c->block == 0)
		return 0;
	const uint32_t padded = 1 + payload + (c->counts_length ? LENGTH_FIELD : 0);
	uint32_t padding = c->block - padded % c->block;
	if (padding < PADDING_MIN)
		padding += c->block;
	return padded + padding + (c->counts_length ? 0 : LENGTH_FIELD) + c->mac;
}

uint32_t
ssh_cipher_overhead(const struct ssh_cipher *c)
{
	return LENGTH_FIELD + 1 + PADDING_MIN + c->block / 2u + c->mac + CHANNEL_DATA_HEADER;
}

/* The first name on the client's list that is on the server's as well. */
static struct reader
agreed(struct reader client, struct reader server)
{
	for (size_t i = 0; client.left > 0 && i < NAMES_MAX; i++) {
		struct reader name = next_name(&client);
		if (name.left > 0 && has_name(server, &name))
			return name;
	}
	return (struct reader){0};
}

/* Takes a name off a list (RFC 4251 section 5: commas between). */
static struct reader
next_name(struct reader *list)
{
	const uint8_t *comma = memchr(list->next, ',', list->left);
	size_t len = comma != NULL ? (size_t)(comma - list->next) : list->left;
	struct reader name = reader_sub(list, len);
	if (comma != NULL)
		reader_skip(list, 1);
	return name;
}

static bool
has_name(struct reader list, const struct reader *name)
{
	for (size_t i = 0; list.left > 0 && i < NAMES_MAX; i++) {
		struct reader other = next_name(&list);
		if (other.left == name->left && memcmp(other.next, name->next, name->left) == 0)
			return true;
	}
	return false;
}

static const struct row *
row_of(const struct row *rows, size_t count, const struct reader *name)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(rows[i].name) == name->left && memcmp(rows[i].name, name->next, name->left) == 0)
			return &rows[i];
	return NULL;
}
