/* The addresses in a field of a mail's header (RFC 5322 section 3.4). */
#ifndef WAYBILL_PROTO_MAIL_ADDRESS_H
#define WAYBILL_PROTO_MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes the next address of a list: the addr-spec alone, borrowed, without names, comments and group names.
 * False: there is none.
 */
bool mail_address_next(const uint8_t **list, size_t *left, const uint8_t **address, size_t *len);

#endif
