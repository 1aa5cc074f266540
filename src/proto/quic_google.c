#include "config.h"

#include "proto/quic_google.h"

#include <string.h>

#include "proto/tls_handshake.h"
#include "transfer/transfer.h"

enum { /* public flags */
	FLAG_VERSION = 0x01,
	FLAG_RESET = 0x02,
	FLAG_CID = 0x08,
	FLAG_NUMBER = 0x30, /* the packet number's length */
	FLAGS_UNUSED = 0xc0,
};

enum { /* type byte of a stream frame */
	STREAM = 0x80,
	STREAM_HAS_LENGTH = 0x20,
	STREAM_OFFSET = 0x1c,
	STREAM_ID = 0x03,
};

enum { /* the last versions in which something was so */
	LAST_PRIVATE_FLAGS = 33, /* another byte of flags before the frames */
	LAST_LITTLE_ENDIAN = 38,
	LAST_PUBLIC_HEADER = 43,
};

enum {
	CID_LEN = 8,
	TAG_LEN = 4,
	TAGS_MAX = 128, /* in a message (QUIC Crypto, "Handshake message format") */
};

static bool is_version(uint32_t version);
static unsigned number_of(uint32_t version);

int
quic_google_header(struct reader *r, uint32_t *version)
{
	static const uint8_t number_len[] = {1, 2, 4, 6};
	uint8_t flags = reader_u8(r);

	if (!reader_ok(r) || (flags & (FLAG_VERSION | FLAG_RESET | FLAG_CID | FLAGS_UNUSED)) != (FLAG_VERSION | FLAG_CID))
		return -1;
	reader_skip(r, CID_LEN);
	*version = reader_be32(r);
	reader_skip(r, number_len[(flags & FLAG_NUMBER) >> 4]);
	reader_skip(r, QUIC_GOOGLE_HASH + (number_of(*version) <= LAST_PRIVATE_FLAGS ? 1 : 0));
	return reader_ok(r) && is_version(*version) ? 0 : -1;
}

struct reader
quic_google_frame(struct reader r, uint32_t version)
{
	const bool little = number_of(version) <= LAST_LITTLE_ENDIAN;
	uint8_t type = reader_u8(&r), offset = (uint8_t)((type & STREAM_OFFSET) >> 2);

	if ((type & STREAM) == 0)
		return (struct reader){0};
	reader_skip(&r, (type & STREAM_ID) + 1u);
	reader_skip(&r, offset > 0 ? offset + 1u : 0);
	size_t len = r.left;
	if ((type & STREAM_HAS_LENGTH) != 0)
		len = little ? reader_le16(&r) : reader_be16(&r);
	struct reader data = reader_sub(&r, len);
	return data; /* at any offset: a client that is refused says more in a second message */
}

bool
quic_google_hello(struct session *s, struct reader r)
{
	const uint8_t *tag = reader_take(&r, TAG_LEN);
	uint16_t count = reader_le16(&r);
	uint32_t begin = 0;

	reader_skip(&r, 2);
	if (!reader_ok(&r) || memcmp(tag, "CHLO", TAG_LEN) != 0 || count > TAGS_MAX)
		return false;
	struct reader index = reader_sub(&r, (size_t)count * (TAG_LEN + 4));
	while (index.left > 0) {
		tag = reader_take(&index, TAG_LEN);
		uint32_t end = reader_le32(&index);
		struct reader value = reader_sub(&r, end >= begin ? end - begin : SIZE_MAX);
		if (!reader_ok(&index) || !reader_ok(&r))
			break;
		begin = end;
		if (memcmp(tag, "SNI\0", TAG_LEN) == 0)
			tls_tell_server_name(s, value);
		else if (memcmp(tag, "UAID", TAG_LEN) == 0)
			session_client(s, value.next, value.left);
	}
	return true;
}

/* "Q001" to "Q043" */
static bool
is_version(uint32_t version)
{
	const uint8_t tens = version >> 8 & 0xff, ones = version & 0xff;
	return version >> 16 == 0x5130 && tens >= '0' && tens <= '9' && ones >= '0' && ones <= '9' &&
	       number_of(version) <= LAST_PUBLIC_HEADER;
}

static unsigned
number_of(uint32_t version)
{
	return (version >> 8 & 15) * 10 + (version & 15);
}
