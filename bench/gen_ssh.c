/*
 * An upload by SFTP in SSH's shape: banners, KEXINIT both ways (RFC 4253 sections 4.2 and 7.1), packets of
 * noise, which is what encrypted ones look like: 32 kB a write, a small answer to each.
 */
#include <string.h>

#include "gen.h"

enum { WRITE_SIZE = 32768, OPENING = 12 };

static void kexinit(const struct gen *g, const struct talk *t, struct message *m);

bool
say_ssh(const struct gen *g, const struct talk *t, struct message *m)
{
	uint32_t writes = (t->size + WRITE_SIZE - 1) / WRITE_SIZE;
	if (t->turn >= OPENING + 2 * writes)
		return false;
	m->from_server = t->turn % 2 == 1;
	if (t->turn < 2)
		message_text(m, m->from_server ? "SSH-2.0-OpenSSH_9.2p1\r\n" : "SSH-2.0-OpenSSH_9.6\r\n");
	else if (t->turn < 4)
		kexinit(g, t, m);
	else if (t->turn < OPENING)
		m->body = 44 + mixed(t->salt + t->turn) % 700;
	else
		m->body = m->from_server ? 44 : WRITE_SIZE + 60;
	return true;
}

static void
kexinit(const struct gen *g, const struct talk *t, struct message *m)
{
	static const char *const lists[10] = {
	        "curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256",
	        "ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
	        "chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com",
	        "chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com",
	        "hmac-sha2-256-etm@openssh.com,hmac-sha2-512",
	        "hmac-sha2-256-etm@openssh.com,hmac-sha2-512",
	        "none,zlib@openssh.com",
	        "none,zlib@openssh.com",
	        "",
	        "",
	};
	uint8_t packet[800] = {0, 0, 0, 0, 0, 20 /* KEXINIT */};
	size_t len = 6 + 16;
	memcpy(packet + 6, g->noise + mixed(t->salt + t->turn) % NOISE_SIZE, 16);
	for (size_t i = 0; i < 10; i++) {
		size_t n = strlen(lists[i]);
		put32(packet + len, (uint32_t)n);
		memcpy(packet + len + 4, lists[i], n);
		len += 4 + n;
	}
	len += 5; /* no guess follows; reserved */
	size_t padding = 8 - len % 8 + 4;
	len += padding;
	put32(packet, (uint32_t)(len - 4));
	packet[4] = (uint8_t)padding;
	message_bytes(m, packet, len);
}
