/* One DNS message (RFC 1035 section 4.1): its shape, its question and its addresses. Allocates nothing. */
#ifndef WAYBILL_PROTO_DNS_MESSAGE_H
#define WAYBILL_PROTO_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/reader.h"
#include "base/record.h"

enum { DNS_HEADER = 12 };

enum dns_type { /* RFC 1035 section 3.2.2, RFC 3596, RFC 9460 */
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_NULL = 10,
	DNS_PTR = 12,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SVCB = 64,
	DNS_HTTPS = 65,
};

/* Lower case, dots between labels; what is no letter of ASCII is a question mark. len 0: the root. */
struct dns_name {
	char text[NAME_MAX_LEN];
	uint8_t len;
};

struct dns_question {
	struct reader name; /* dns_message_name reads it */
	size_t name_size;   /* bytes it takes there: more than the name has characters, unless it points back */
	uint16_t type;
};

/* A message as it is read once: what was asked for, and where its records are. Borrows the bytes. */
struct dns_message {
	const uint8_t *bytes;
	size_t len;
	bool answers;                 /* it answers; else it asks */
	bool has_question;            /* there is one: it is whole */
	struct dns_question question; /* that one */
	size_t answer_bytes;          /* behind it, where there are answers */
	struct reader records;        /* behind all questions; bad: there is nothing to read */
	unsigned record_count;        /* of those that may hold addresses */
};

/*
 * Can this be a message? Its header and its questions are as they must be, and of the records the first, where they
 * are there: a message may be cut. Nothing is believed that is not there.
 */
bool dns_message_fits(const uint8_t *bytes, size_t len);

/* False: it is none, by its header or its first question. */
bool dns_message_read(const uint8_t *bytes, size_t len, struct dns_message *out);

/* What was asked for, of a message with a question. False: that is no name after all. */
bool dns_message_name(const struct dns_message *m, struct dns_name *out);

typedef void dns_address_fn(void *ctx, const struct dns_name *name, const struct addr *addr, uint32_t ttl);

/*
 * Every address in the answers: A, AAAA and the hints of SVCB and HTTPS. Its name is what was asked for, where
 * aliases lead from that to it; where there is no question (mDNS) the name of its own record.
 */
void dns_message_addresses(const struct dns_message *m, dns_address_fn *fn, void *ctx);

#endif
