/* Names of files: as the sender spells them, less what only its own machine knows. */
#include "config.h"

#include "proto/http_name.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* A target taken apart; borrowed. */
struct target {
	const uint8_t *authority; /* NULL: none */
	size_t authority_len;
	const uint8_t *scheme;
	size_t scheme_len;
	const uint8_t *path;      /* with the query */
	size_t path_len;
};

static struct target split_target(const struct http_head *h);
static struct target split(const uint8_t *url, size_t len);
static void drop_userinfo(struct target *t);
static char *build(struct arena *a, const struct target *t);
static size_t encoded_len(const uint8_t *bytes, size_t len);
static size_t encode(char *out, size_t out_len, const uint8_t *bytes, size_t len);
static bool fits_url(uint8_t c);

char *
http_url(struct arena *a, const struct http_head *h, const struct session_ends *ends, enum side server)
{
	char text[ADDR_TEXT_MAX], authority[ADDR_TEXT_MAX + 16];
	struct target t = split_target(h);
	const struct mime_field *host = http_head_field(h, "host");

	if (t.authority == NULL && host != NULL && host->value_len > 0) {
		t.authority = host->value;
		t.authority_len = host->value_len;
	}
	if (t.authority == NULL) {
		const struct addr *addr = &ends->addr[server];
		bool v4 = addr_is_v4(addr);
		int n = snprintf(authority, sizeof authority, "%s%s%s", v4 ? "" : "[", addr_format(addr, text),
		        v4 ? "" : "]");
		if (ends->port[server] != 80)
			n += snprintf(authority + n, sizeof authority - (size_t)n, ":%u", ends->port[server]);
		t.authority = (const uint8_t *)authority;
		t.authority_len = (size_t)n;
	}
	return build(a, &t);
}

char *
http_clean_url(struct arena *a, const uint8_t *url, size_t len)
{
	struct target t = split(url, len);
	return build(a, &t);
}

uint8_t *
http_path(struct arena *a, const struct http_head *h, size_t *len)
{
	struct target t = split_target(h);
	size_t n = 0;
	while (n < t.path_len && t.path[n] != '?' && t.path[n] != '#')
		n++;
	uint8_t *path = arena_alloc(a, n + 1);
	if (path == NULL)
		return NULL;
	*len = text_percent_decode(path, t.path, n);
	return path;
}

bool
http_declared_name(const struct mime_fields *f, struct mime_text *name)
{
	return mime_file_name(mime_fields_find(f, "content-disposition", NULL), mime_fields_find(f, "content-type", NULL),
	        name);
}

/* An authority (of CONNECT) or a star, for the server as a whole, is no path: RFC 9112 section 3.2. */
static struct target
split_target(const struct http_head *h)
{
	struct target t = split(h->target, h->target_len);
	if (http_method_is(h, "CONNECT")) {
		t.authority = h->target;
		t.authority_len = h->target_len;
		t.path_len = 0;
	} else if (h->target_len == 1 && h->target[0] == '*') {
		t.path_len = 0;
	}
	return t;
}

/* scheme "://" authority path, or only a path (RFC 9112 section 3.2) */
static struct target
split(const uint8_t *url, size_t len)
{
	struct target t = {.scheme = (const uint8_t *)"http", .scheme_len = 4, .path = url, .path_len = len};
	size_t i = 0;
	while (i < len && url[i] != ':' && url[i] != '/' && url[i] != '?' && url[i] != '#')
		i++;
	if (i == 0 || len - i < 3 || memcmp(url + i, "://", 3) != 0)
		return t;
	t.scheme = url;
	t.scheme_len = i;
	t.authority = url + i + 3;
	t.path = t.authority;
	t.path_len = len - i - 3;
	while (t.path_len > 0 && *t.path != '/' && *t.path != '?' && *t.path != '#') {
		t.path++;
		t.path_len--;
	}
	t.authority_len = (size_t)(t.path - t.authority);
	drop_userinfo(&t);
	return t;
}

static void
drop_userinfo(struct target *t)
{
	for (size_t i = t->authority_len; i > 0; i--) {
		if (t->authority[i - 1] == '@') {
			t->authority += i;
			t->authority_len -= i;
			return;
		}
	}
}

static char *
build(struct arena *a, const struct target *t)
{
	if (t->scheme_len + t->authority_len + t->path_len > HTTP_URL_MAX)
		return NULL;
	const size_t scheme = encoded_len(t->scheme, t->scheme_len);
	const size_t authority = encoded_len(t->authority, t->authority_len), path = encoded_len(t->path, t->path_len);
	char *url = arena_alloc(a, scheme + authority + path + sizeof "://");
	if (url == NULL)
		return NULL;
	size_t n = 0;
	if (t->authority != NULL) {
		n += encode(url, scheme, t->scheme, t->scheme_len);
		memcpy(url + n, "://", 3);
		n += 3;
		n += encode(url + n, authority, t->authority, t->authority_len);
	}
	n += encode(url + n, path, t->path, t->path_len);
	url[n] = '\0';
	return url;
}

static size_t
encoded_len(const uint8_t *bytes, size_t len)
{
	size_t n = len;
	for (size_t i = 0; i < len; i++)
		n += fits_url(bytes[i]) ? 0 : 2;
	return n;
}

/* Into out_len bytes, as encoded_len() says; returns that. */
static size_t
encode(char *out, size_t out_len, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;
	if (out_len == len && len > 0)
		memcpy(out, bytes, len);
	if (out_len == len)
		return len;
	for (size_t i = 0; i < len; i++) {
		if (fits_url(bytes[i])) {
			out[n++] = (char)bytes[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[bytes[i] >> 4];
		out[n++] = digits[bytes[i] & 15];
	}
	return n;
}

static bool
fits_url(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>';
}
