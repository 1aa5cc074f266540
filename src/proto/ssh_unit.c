#include "config.h"

#include "proto/ssh_unit.h"

enum { PACKET_MAX = 262144 }; /* what implementations take; RFC 4253 section 6.1 asks for 35000 */

static size_t take_head(struct ssh_units *u, const uint8_t *bytes, size_t len);

void
ssh_units_init(struct ssh_units *u, const struct ssh_cipher *cipher)
{
	*u = (struct ssh_units){.cipher = *cipher, .exact = cipher->clear && cipher->block > 0};
}

size_t
ssh_units_take(struct ssh_units *u, const uint8_t *bytes, size_t len, uint32_t *size)
{
	*size = 0;
	if (u->exact && u->left == 0) {
		size_t n = take_head(u, bytes, len);
		if (n > 0)
			return n;
	}
	if (!u->exact) {
		*size = (uint32_t)len;
		return len;
	}
	size_t n = len < u->left ? len : u->left;
	u->left -= (uint32_t)n;
	if (u->left == 0)
		*size = u->size;
	return n;
}

void
ssh_units_lose(struct ssh_units *u)
{
	u->exact = false;
}

/* Takes bytes of the length field; 0: it is no length, and packets are not known any more. */
static size_t
take_head(struct ssh_units *u, const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	while (n < len && u->head_len < sizeof u->head)
		u->head[u->head_len++] = bytes[n++];
	if (u->head_len < sizeof u->head)
		return n;
	struct reader r = reader_init(u->head, sizeof u->head);
	uint32_t length = reader_be32(&r);
	u->head_len = 0;
	if (length < u->cipher.block || length % u->cipher.block != 0 || length > PACKET_MAX) {
		u->exact = false;
		return 0;
	}
	u->size = (uint32_t)sizeof u->head + length + u->cipher.mac;
	u->left = u->size - (uint32_t)sizeof u->head;
	return n;
}
