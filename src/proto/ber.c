#include "config.h"

#include "proto/ber.h"

struct reader
ber_take(struct reader *r, uint8_t tag)
{
	uint32_t len = 0;
	struct reader bad = {.next = NULL, .left = 0, .bad = true};
	return ber_head(r, tag, &len) ? reader_sub(r, len) : bad;
}

bool
ber_head(struct reader *r, uint8_t tag, uint32_t *len)
{
	const bool same = reader_u8(r) == tag;
	*len = reader_u8(r);
	if (*len >= 0x80) { /* section 8.1.3.5: so many bytes of length follow */
		unsigned more = *len & 0x7f;
		if (more == 0 || more > 4)
			return false;
		for (*len = 0; more > 0; more--)
			*len = *len << 8 | reader_u8(r);
	}
	return same && reader_ok(r);
}

bool
ber_integer(struct reader *r, uint32_t *out)
{
	struct reader value = ber_take(r, BER_INTEGER);
	*out = 0;
	if (!reader_ok(&value) || value.left == 0 || value.left > 4 || (value.next[0] & 0x80) != 0)
		return false;
	while (value.left > 0)
		*out = *out << 8 | reader_u8(&value);
	return true;
}

bool
ber_is_ldap(struct reader r, bool whole)
{
	uint32_t len, id, operation_len;
	if (!ber_head(&r, BER_SEQUENCE, &len) || (whole && len != r.left) || !ber_integer(&r, &id) || r.left < 2)
		return false;
	/* APPLICATION 0 to 25: requests and answers; constructed, but for unbind, delete and abandon. */
	const uint8_t tag = r.next[0];
	const unsigned number = tag & 0x1f;
	const bool primitive = number == 2 || number == 10 || number == 16;
	if ((tag & 0xc0) != 0x40 || number > 25 || ((tag & 0x20) == 0) != primitive)
		return false;
	if (!ber_head(&r, tag, &operation_len) || operation_len > len)
		return false;
	/* A bind has a version, and an answer a result code. */
	uint32_t version;
	if (number == 0)
		return ber_integer(&r, &version) && (version == 2 || version == 3);
	if (number == 1 || number == 5)
		return r.left >= 2 && r.next[0] == 0x0a && r.next[1] == 1;
	return len >= operation_len + 4;
}

bool
ber_is_kerberos(struct reader r)
{
	static const struct {
		uint8_t tag, version; /* the context tag of pvno */
	} messages[] = {{0x6a, 1}, {0x6c, 1}, {0x6b, 0}, {0x6d, 0}, {0x6e, 0}, {0x6f, 0}, {0x7e, 0}};
	uint32_t len, version;
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
		struct reader m = r;
		if (!ber_head(&m, messages[i].tag, &len))
			continue;
		if (!ber_head(&m, BER_SEQUENCE, &len) || !ber_head(&m, (uint8_t)(0xa0 | messages[i].version), &len))
			return false;
		return ber_integer(&m, &version) && version == 5;
	}
	return false;
}
