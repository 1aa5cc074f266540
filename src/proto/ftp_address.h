/*
 * The addresses that FTP writes into its dialogue: PORT and 227 (RFC 959 section 4.1.2),
 * EPRT and 229 (RFC 2428), LPRT and 228 (RFC 1639).
 */
#ifndef WAYBILL_PROTO_FTP_ADDRESS_H
#define WAYBILL_PROTO_FTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct ftp_address {
	struct addr addr;
	bool has_addr; /* else the control connection's peer is meant */
	uint16_t port; /* never 0 */
};

/*
 * Each looks for the address anywhere in the text, since replies wrap it in words and brackets as
 * they like (RFC 1123 section 4.1.2.6). 0, or -1 when there is none.
 */
int ftp_address_classic(const uint8_t *text, size_t len, struct ftp_address *out);
int ftp_address_extended(const uint8_t *text, size_t len, struct ftp_address *out);
int ftp_address_long(const uint8_t *text, size_t len, struct ftp_address *out);

#endif
