/* Is a body without a byte a file of that size, or just nothing? Its two ends are told apart. */
#ifndef WAYBILL_PROTO_HTTP_EMPTY_H
#define WAYBILL_PROTO_HTTP_EMPTY_H

#include <stdbool.h>

#include "proto/http_exchange.h"
#include "proto/http_head.h"

/* Would an answer with this head be? The exchange's request is known. */
bool http_empty_is_answered(const struct http_exchange *x, const struct http_head *answer);

/* Would a request with this head be, once it is answered as http_empty_is_taken wants it? */
bool http_empty_is_sent(const struct http_exchange *x, const struct http_head *request);
/* form: it is a file in a form. */
bool http_empty_is_taken(const struct http_exchange *x, bool form);

#endif
