/* As much of ASN.1's basic encoding rules (X.690) as tells what a message is. */
#ifndef WAYBILL_PROTO_BER_H
#define WAYBILL_PROTO_BER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"

enum { BER_INTEGER = 0x02, BER_OCTETS = 0x04, BER_SEQUENCE = 0x30 };

/* The content of the next element, which must have this tag; else a bad reader. Of what was cut, none. */
struct reader ber_take(struct reader *r, uint8_t tag);

/* A tag and a length alone, for messages that have not all come. False: another tag, or no length of up to 4 bytes. */
bool ber_head(struct reader *r, uint8_t tag, uint32_t *len);

/* A small one that is not negative. */
bool ber_integer(struct reader *r, uint32_t *out);

/* LDAPMessage (RFC 4511 section 4.1.1); whole: it fills r. */
bool ber_is_ldap(struct reader r, bool whole);

/* One of Kerberos' messages (RFC 4120 section 5.10): its tag, and the version 5 where that has to be. */
bool ber_is_kerberos(struct reader r);

#endif
