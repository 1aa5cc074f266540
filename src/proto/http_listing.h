/* Pages that a server makes of a folder which anybody may read. */
#ifndef WAYBILL_PROTO_HTTP_LISTING_H
#define WAYBILL_PROTO_HTTP_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_LISTING_BYTES = 1024 }; /* so much of the page's beginning decides */

/* The beginning of an HTML page: is it an open directory listing? */
bool http_listing_looks(const uint8_t *html, size_t len);

#endif
