/*
 * Start lines and fields. As lenient as receivers are: any method token, missing
 * reasons, superfluous spaces, bare line feeds.
 */
#include "config.h"

#include "proto/http_head.h"

#include <string.h>

#include "base/text.h"

enum {
	METHOD_MAX = 32,
	STRAY_MAX = 16,
	PATIENCE = 1024, /* bytes of an unfinished first line after which "GET /" is believed */
};

static bool is_word(uint8_t c);
static bool is_digit(uint8_t c);
static enum http_start start_of_response(const uint8_t *bytes, size_t len);
static enum http_start start_of_request(const uint8_t *bytes, size_t len);
static bool common_method(const uint8_t *bytes, size_t len);
static size_t line_length(const uint8_t *bytes, size_t len, size_t *step);
static bool parse_status(struct http_head *h, const uint8_t *line, size_t len);
static bool parse_request(struct http_head *h, const uint8_t *line, size_t len);
static size_t version_at(const uint8_t *line, size_t len);

size_t
http_start_stray(const uint8_t *bytes, size_t len)
{
	size_t n = 0;
	while (n < len && (bytes[n] == '\r' || bytes[n] == '\n' || bytes[n] == '\0'))
		n++;
	return n;
}

enum http_start
http_start(const uint8_t *bytes, size_t len)
{
	size_t stray = http_start_stray(bytes, len);
	if (stray > STRAY_MAX)
		return HTTP_START_NO;
	bytes += stray;
	len -= stray;
	if (len == 0)
		return HTTP_START_MORE;
	enum http_start response = start_of_response(bytes, len);
	return response != HTTP_START_NO ? response : start_of_request(bytes, len);
}

size_t
http_start_find(const uint8_t *bytes, size_t len, bool requests, bool responses)
{
	static const char mark[] = "HTTP/1.";
	size_t end = len, at = 0;
	const uint8_t *found = bytes;

	while (responses && (found = memmem(found, len - (size_t)(found - bytes), mark, sizeof mark - 1)) != NULL) {
		size_t n = (size_t)(found - bytes);
		if (start_of_response(found, len - n) == HTTP_START_RESPONSE) {
			end = n;
			break;
		}
		found++;
	}
	while (at < end) {
		enum http_start start = http_start(bytes + at, len - at);
		if (start == HTTP_START_MORE || (start == HTTP_START_REQUEST && requests) ||
		        (start == HTTP_START_RESPONSE && responses))
			return at;
		const uint8_t *lf = memchr(bytes + at, '\n', end - at);
		at = lf != NULL ? (size_t)(lf - bytes) + 1 : end;
	}
	return end;
}

static enum http_start
start_of_response(const uint8_t *bytes, size_t len)
{
	static const char form[] = "HTTP/d.d ddd"; /* d: a digit */
	size_t n = len < sizeof form - 1 ? len : sizeof form - 1;
	for (size_t i = 0; i < n; i++) {
		if (form[i] == 'd' ? !is_digit(bytes[i]) : bytes[i] != (uint8_t)form[i])
			return HTTP_START_NO;
	}
	if (len > 5 && bytes[5] > '1')
		return HTTP_START_NO;
	return n < sizeof form - 1 ? HTTP_START_MORE : HTTP_START_RESPONSE;
}

static enum http_start
start_of_request(const uint8_t *bytes, size_t len)
{
	struct http_head h; /* only its first line */
	size_t step, method = 0;
	while (method < len && method <= METHOD_MAX && is_word(bytes[method]))
		method++;
	if (method == 0 || method > METHOD_MAX)
		return HTTP_START_NO;
	if (method == len)
		return HTTP_START_MORE;
	if (bytes[method] != ' ' && bytes[method] != '\r' && bytes[method] != '\n')
		return HTTP_START_NO;

	const uint8_t *lf = memchr(bytes, '\n', len);
	if (lf == NULL) {
		if (len > PATIENCE && common_method(bytes, method) &&
		        (bytes[method + 1] == '/' || text_prefix_nocase(bytes + method + 1, len - method - 1, "http://")))
			return HTTP_START_REQUEST;
		return len < HTTP_HEAD_MAX ? HTTP_START_MORE : HTTP_START_NO;
	}
	if (!parse_request(&h, bytes, line_length(bytes, len, &step)))
		return HTTP_START_NO;
	return h.version == 9 ? HTTP_START_SIMPLE : HTTP_START_REQUEST;
}

bool
http_head_parse(struct http_head *h, const uint8_t *block, size_t len)
{
	memset(h, 0, offsetof(struct http_head, fields));
	h->fields.count = 0;
	size_t stray = http_start_stray(block, len), step;
	block += stray;
	len -= stray;
	size_t line = line_length(block, len, &step);
	h->response = text_prefix_nocase(block, line, "HTTP/");
	if (h->response ? !parse_status(h, block, line) : !parse_request(h, block, line))
		return false;
	mime_fields_parse(&h->fields, block + step, len - step);
	return true;
}

const struct mime_field *
http_head_field(const struct http_head *h, const char *name)
{
	return mime_fields_find(&h->fields, name, NULL);
}

bool
http_list_next(const uint8_t **value, size_t *left, const uint8_t **item, size_t *item_len)
{
	while (*left > 0) {
		const uint8_t *comma = memchr(*value, ',', *left);
		*item = *value;
		*item_len = comma != NULL ? (size_t)(comma - *value) : *left;
		size_t step = comma != NULL ? *item_len + 1 : *item_len;
		*value += step;
		*left -= step;
		text_trim(item, item_len);
		if (*item_len > 0)
			return true;
	}
	return false;
}

bool
http_head_lists(const struct http_head *h, const char *name, const char *word)
{
	const struct mime_field *f = NULL;
	while ((f = mime_fields_find(&h->fields, name, f)) != NULL) {
		const uint8_t *value = f->value, *item;
		size_t left = f->value_len, len;
		while (http_list_next(&value, &left, &item, &len))
			if (text_equal_nocase(item, len, word))
				return true;
	}
	return false;
}

bool
http_head_says(const struct http_head *h, const char *reason)
{
	return text_equal_nocase(h->reason, h->reason_len, reason);
}

bool
http_method_is(const struct http_head *h, const char *method)
{
	return h->method_len == strlen(method) && memcmp(h->method, method, h->method_len) == 0;
}

/*
 * A method is a token (RFC 9110 section 5.6.2), but servers answer to anything that
 * stands where one should.
 */
static bool
is_word(uint8_t c)
{
	return c > ' ' && c != 0x7f;
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
common_method(const uint8_t *bytes, size_t len)
{
	static const char *const methods[] = {"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH",
	        "PROPFIND", "REPORT"};
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strlen(methods[i]) == len && memcmp(methods[i], bytes, len) == 0)
			return true;
	return false;
}

/* Without its line end; *step goes beyond that. */
static size_t
line_length(const uint8_t *bytes, size_t len, size_t *step)
{
	const uint8_t *lf = memchr(bytes, '\n', len);
	size_t line = lf != NULL ? (size_t)(lf - bytes) : len;
	*step = lf != NULL ? line + 1 : line;
	return line > 0 && bytes[line - 1] == '\r' ? line - 1 : line;
}

/* HTTP-version SP status-code SP [reason]: RFC 9112 section 4 */
static bool
parse_status(struct http_head *h, const uint8_t *line, size_t len)
{
	if (len < 12 || !is_digit(line[5]) || line[6] != '.' || !is_digit(line[7]) || line[5] > '1')
		return false;
	h->version = (unsigned)(line[5] - '0') * 10 + (unsigned)(line[7] - '0');
	size_t at = 8;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	if (at == 8 || len - at < 3)
		return false;
	uint64_t status;
	if (text_to_u64(line + at, 3, &status) < 0)
		return false;
	h->status = (unsigned)status;
	h->reason = line + at + 3;
	h->reason_len = len - at - 3;
	text_trim(&h->reason, &h->reason_len);
	return true;
}

/*
 * method SP request-target SP HTTP-version: RFC 9112 section 3. A target with spaces
 * is taken whole. Without a version it must be "GET /..." (HTTP/0.9).
 */
static bool
parse_request(struct http_head *h, const uint8_t *line, size_t len)
{
	size_t method = 0, version = version_at(line, len);
	while (method < version && method <= METHOD_MAX && is_word(line[method]))
		method++;
	if (method == 0 || method > METHOD_MAX || method == len || (method < version && line[method] != ' '))
		return false;
	h->method = line;
	h->method_len = method;
	h->target = line + method;
	h->target_len = version - method;
	text_trim(&h->target, &h->target_len);
	if (version < len) {
		bool old = line[version + 5] == '0' || (version + 7 < len && line[version + 7] == '0');
		h->version = old ? 10 : 11; /* with a version it has fields, whatever it says */
		return true;
	}
	h->version = 9;
	return http_method_is(h, "GET") && h->target_len > 0 && h->target[0] == '/' &&
	       memchr(h->target, ' ', h->target_len) == NULL;
}

/* Where "HTTP/1.x" at the end of the line has its H, or len. Servers see it even where x or the space is missing. */
static size_t
version_at(const uint8_t *line, size_t len)
{
	size_t end = len;
	while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	size_t at = end;
	while (at > 0 && is_digit(line[at - 1]) && end - at < 3)
		at--;
	if (at < 8)
		return len;
	const uint8_t *v = line + at - 7;
	if (!text_prefix_nocase(v, 7, "HTTP/") || (v[5] != '0' && v[5] != '1') || v[6] != '.')
		return len;
	return at - 7;
}
