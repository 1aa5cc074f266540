/*
 * Empty files. Most bodies of length 0 are none: answers of APIs, beacons, the first half of a login. What is put under a name and
 * accepted is a file; so is what comes as an attachment, or by the name of a file from a server that tells its type or its date. Not
 * told: an empty answer that only the connection's end delimits, for that is how failures look.
 */
#include "config.h"

#include "proto/http_empty.h"

#include <string.h>

#include "base/text.h"
#include "proto/http_name.h"

enum { EXTENSION_MAX = 8 };

static bool has_extension(const uint8_t *path, size_t len);
static size_t last_name(const uint8_t *path, size_t len);
static bool is_page(const struct mime_field *type);

bool
http_empty_is_answered(const struct http_exchange *x, const struct http_head *answer)
{
	const struct mime_field *type = http_head_field(answer, "content-type");
	struct mime_text name;

	if (x->method == NULL || strcmp(x->method, "GET") != 0 || answer->status != 200)
		return false;
	if (mime_file_name(http_head_field(answer, "content-disposition"), NULL, &name))
		return true;
	if (!has_extension(x->path, x->path_len) || x->url == NULL || strchr(x->url, '?') != NULL || is_page(type))
		return false;
	return type != NULL || http_head_field(answer, "last-modified") != NULL;
}

bool
http_empty_is_sent(const struct http_exchange *x, const struct http_head *request)
{
	if (!http_method_is(request, "PUT") || last_name(x->path, x->path_len) == 0 || http_head_field(request, "content-range") != NULL)
		return false;
	return x->api == NULL || (x->api->role == HTTP_API_FACTS && !x->api->silent && (x->api->store == NULL || x->api->object_len > 0));
}

/* A name without an extension may be an API's: only 201 says that something was made. */
bool
http_empty_is_taken(const struct http_exchange *x, bool form)
{
	if (form)
		return x->status / 100 == 2 || x->status / 100 == 3;
	return x->status == 201 || (x->status / 100 == 2 &&
	                                   (has_extension(x->path, x->path_len) || (x->api != NULL && x->api->store != NULL)));
}

/* A dot and a few letters and digits, not digits alone. */
static bool
has_extension(const uint8_t *path, size_t len)
{
	const size_t name = last_name(path, len);
	bool letter = false;

	for (size_t n = 0; n < name && n <= EXTENSION_MAX; n++) {
		const uint8_t c = path[len - 1 - n];
		if (c == '.')
			return letter && n > 0 && n + 1 < name;
		const bool alpha = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		if (!alpha && (c < '0' || c > '9'))
			return false;
		letter |= alpha;
	}
	return false;
}

/* Its length; 0: it is a folder's. */
static size_t
last_name(const uint8_t *path, size_t len)
{
	const uint8_t *slash = len > 0 ? memrchr(path, '/', len) : NULL;
	return slash != NULL ? (size_t)(path + len - slash) - 1 : len;
}

/* What sites are made of, and what their programs answer. */
static bool
is_page(const struct mime_field *type)
{
	static const char *const types[] = {"text/html", "text/css", "text/javascript", "text/xml", "application/javascript",
	        "application/x-javascript", "application/json", "application/xml", "application/xhtml+xml"};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (mime_type_is(type, types[i]))
			return true;
	return false;
}
