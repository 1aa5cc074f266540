/* Whose account a request is made under. Passwords are never kept. */
#ifndef WAYBILL_PROTO_HTTP_AUTH_H
#define WAYBILL_PROTO_HTTP_AUTH_H

#include "proto/http_head.h"

/*
 * The user name of Authorization, else of Proxy-Authorization: Basic (RFC 7617) and Digest (RFC 7616).
 * False: none that can be read (a token, a hashed name, another scheme).
 */
bool http_auth_user(const struct http_head *h, struct mime_text *user);

#endif
