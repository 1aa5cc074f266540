/* What a message calls its file: URL, path, declared file name. */
#ifndef WAYBILL_PROTO_HTTP_NAME_H
#define WAYBILL_PROTO_HTTP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "proto/http_head.h"
#include "transfer/transfer.h"

enum { HTTP_URL_MAX = 16384 };

/*
 * A request's URL (RFC 9110 section 7.1) in ASCII: bytes that a URL can't hold are percent-encoded, user
 * name and password are left out. The server's address stands in where no Host was sent. NULL: no
 * memory left in the arena, or longer than HTTP_URL_MAX.
 */
char *http_url(struct arena *a, const struct http_head *h, const struct session_ends *ends,
        enum side server);

/* A field's URL, cleaned in the same way. */
char *http_clean_url(struct arena *a, const uint8_t *url, size_t len);

/* The path of a request's target, percent-decoded, in arena memory; NULL as above. */
uint8_t *http_path(struct arena *a, const struct http_head *h, size_t *len);

/*
 * The file name that a header declares: Content-Disposition (RFC 6266, RFC 7578), then
 * the name of Content-Type. Directories are cut off. False: none.
 */
bool http_declared_name(const struct mime_fields *f, struct mime_text *name);

#endif
