/*
 * Azure's object store (Microsoft's REST reference of Blob and File Storage): blocks that a list puts in order (Put Block,
 * Put Block List), blobs that grow at their end (Append Block, Append Blob Seal), pages and ranges at offsets (Put Page,
 * Put Range), whole ones (Put Blob) and copies by the server. Known by its header fields, by its signatures, and by the
 * names of its hosts.
 *
 * Not here: the interface for data lakes (resource=file, action=append); batches; blocks that the server takes from another
 * URL have no bytes to be seen.
 */
#include "config.h"

#include "proto/http_api.h"

#include <string.h>

#include "base/text.h"

struct comp {
	const uint8_t *text;
	size_t len;
};

static bool is_azure(const struct http_head *request);
static bool is_host(const struct http_head *request);
static bool is_copied(const struct http_head *request);
static bool is(const struct comp *comp, const char *name);
static void take_key(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
static void take_names(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
static void put_whole(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
static bool put_piece(struct http_api *api, const struct http_head *request, const struct comp *comp);
static bool put_block(struct http_api *api, const struct http_head *request);
static bool put_range(struct http_api *api, const struct http_head *request);
static bool put_append(struct http_api *api, const struct http_head *request);
static bool number_field(const struct http_head *request, const char *name, uint64_t *out);

bool
http_azure_look(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	struct comp comp = {0};
	if (path_len == 0 || !is_azure(request))
		return false;
	const bool has_comp = http_query(request, "comp", &comp.text, &comp.len);
	api->store = api->note = "azure";
	take_names(api, request, path, path_len);
	take_key(api, request, path, path_len);
	if (api->key == NULL)
		return true;
	if (http_method_is(request, "GET")) {
		api->listing = is(&comp, "list");
	} else if (http_method_is(request, "DELETE")) {
		api->role = HTTP_API_ABORT;
		api->silent = true;
	} else if (http_method_is(request, "PUT") && !has_comp) {
		put_whole(api, request, path, path_len);
	} else if (http_method_is(request, "PUT") && !put_piece(api, request, &comp)) {
		api->role = HTTP_API_FACTS; /* about a blob: its body, if there is one, is XML */
		api->silent = true;
	}
	return true;
}

/* Queues and tables have the same fields: only what is done with blobs and files counts. */
static bool
is_azure(const struct http_head *request)
{
	static const char *const comps[] = {"block", "blocklist", "appendblock", "page", "range", "seal", "list"};
	struct comp comp;
	const uint8_t *value;
	size_t len;
	if (http_head_field(request, "x-ms-blob-type") != NULL || is_host(request))
		return true;
	if (http_head_field(request, "x-ms-version") == NULL && !http_query(request, "sig", &value, &len))
		return false;
	if (http_head_field(request, "x-ms-copy-source") != NULL)
		return true;
	if (!http_query(request, "comp", &comp.text, &comp.len))
		return false;
	for (size_t i = 0; i < sizeof comps / sizeof comps[0]; i++)
		if (is(&comp, comps[i]))
			return true;
	return false;
}

/* account.blob.core.windows.net, and the same of sovereign and private clouds */
static bool
is_host(const struct http_head *request)
{
	const struct mime_field *host = http_head_field(request, "host");
	return host != NULL && host->value_len > 0 && (memmem(host->value, host->value_len, ".blob.core.", 11) != NULL ||
	               memmem(host->value, host->value_len, ".file.core.", 11) != NULL);
}

/* The server takes the bytes from elsewhere. */
static bool
is_copied(const struct http_head *request)
{
	return http_head_field(request, "x-ms-copy-source") != NULL;
}

static bool
is(const struct comp *comp, const char *name)
{
	return comp->len == strlen(name) && memcmp(comp->text, name, comp->len) == 0;
}

/* Blocks that are not yet put together belong to the blob, whoever sends them. */
static void
take_key(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	const struct mime_field *host = http_head_field(request, "host");
	const size_t host_len = host != NULL ? host->value_len : 0;
	uint8_t *name = arena_alloc(api->arena, host_len + path_len);
	if (name == NULL)
		return;
	if (host_len > 0)
		memcpy(name, host->value, host_len);
	memcpy(name + host_len, path, path_len);
	http_api_key(api, "azure", name, host_len + path_len);
	api->anywhere = is_host(request);
}

/* /container/blob; where the account is not in the host's name, it stands before them. */
static void
take_names(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	static const char scheme[] = "SharedKey ";
	const struct mime_field *f = http_head_field(request, "authorization");
	const uint8_t *at = path + 1, *slash, *end = path + path_len;
	if (path[0] != '/')
		return;
	if (f != NULL && text_prefix_nocase(f->value, f->value_len, scheme)) {
		const uint8_t *account = f->value + sizeof scheme - 1;
		const size_t left = f->value_len - (sizeof scheme - 1);
		const uint8_t *colon = left > 0 ? memchr(account, ':', left) : NULL;
		const size_t len = colon != NULL ? (size_t)(colon - account) : 0;
		if (len > 0 && (size_t)(end - at) > len && memcmp(at, account, len) == 0 && at[len] == '/')
			at += len + 1;
	}
	slash = at < end ? memchr(at, '/', (size_t)(end - at)) : NULL;
	api->bucket = at;
	api->bucket_len = (size_t)((slash != NULL ? slash : end) - at);
	if (slash == NULL)
		return;
	api->object = slash + 1;
	api->object_len = (size_t)(end - slash) - 1;
}

/* A blob in one piece, the beginning of one that grows or has pages, or a copy. */
static void
put_whole(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	const struct mime_field *type = http_head_field(request, "x-ms-blob-type");
	const struct mime_field *source = http_head_field(request, "x-ms-copy-source");
	const bool pages = type != NULL && text_equal_nocase(type->value, type->value_len, "PageBlob");
	if (source != NULL && source->value_len > 0) {
		const uint8_t *query = memchr(source->value, '?', source->value_len); /* may hold a signature */
		const size_t len = query != NULL ? (size_t)(query - source->value) : source->value_len;
		http_api_copied(api, "azure.copy", source->value, len, path, path_len);
	} else if (pages || http_head_field(request, "x-ms-type") != NULL) {
		api->role = HTTP_API_BEGIN;
		api->silent = true;
		api->size_known = number_field(request, pages ? "x-ms-blob-content-length" : "x-ms-content-length", &api->size);
	} else if (type != NULL && text_equal_nocase(type->value, type->value_len, "AppendBlob")) {
		api->role = HTTP_API_BEGIN;
		api->silent = true;
		api->appends = true;
	}
}

static bool
put_piece(struct http_api *api, const struct http_head *request, const struct comp *comp)
{
	static const char *const listed[] = {"Latest", "Uncommitted", "Committed", NULL};
	if (is(comp, "block"))
		return put_block(api, request);
	if (is(comp, "page") || is(comp, "range"))
		return put_range(api, request);
	if (is(comp, "appendblock"))
		return put_append(api, request);
	if (!is(comp, "blocklist") && !is(comp, "seal"))
		return false;
	api->role = HTTP_API_FINISH;
	api->silent = true;
	api->listed = is(comp, "blocklist") ? listed : NULL;
	return true;
}

/* Its identifier is base64, and percent-encoded besides. */
static bool
put_block(struct http_api *api, const struct http_head *request)
{
	uint8_t text[HTTP_LIST_TEXT_MAX];
	const uint8_t *id;
	size_t len;
	if (is_copied(request) || !http_query(request, "blockid", &id, &len) || len > 3 * sizeof text)
		return false;
	uint8_t *plain = arena_alloc(api->arena, len + 1), *name = arena_alloc(api->arena, len + 3);
	if (plain == NULL || name == NULL)
		return false;
	len = text_percent_decode(plain, id, len);
	const long n = len <= sizeof text ? text_base64_decode(name, plain, len) : -1;
	if (n <= 0 || n > PART_NAME_MAX)
		return false;
	api->role = HTTP_API_PART;
	api->part_name = name;
	api->part_name_len = (size_t)n;
	return true;
}

/* "bytes=512-1023"; what is cleared has no body. */
static bool
put_range(struct http_api *api, const struct http_head *request)
{
	static const char unit[] = "bytes=";
	const struct mime_field *f = http_head_field(request, "x-ms-range");
	if (f == NULL)
		f = http_head_field(request, "range");
	if (is_copied(request) || f == NULL || !text_prefix_nocase(f->value, f->value_len, unit))
		return false;
	const uint8_t *first = f->value + sizeof unit - 1;
	const size_t left = f->value_len - (sizeof unit - 1);
	const uint8_t *hyphen = left > 0 ? memchr(first, '-', left) : NULL;
	api->offset_known = hyphen != NULL && text_to_u64(first, (size_t)(hyphen - first), &api->offset) == 0;
	api->role = HTTP_API_PART;
	return api->offset_known;
}

static bool
put_append(struct http_api *api, const struct http_head *request)
{
	if (is_copied(request))
		return false;
	api->role = HTTP_API_PART;
	api->appends = true;
	api->offset_known = number_field(request, "x-ms-blob-condition-appendpos", &api->offset);
	if (!number_field(request, "content-length", &api->body))
		api->body = 0;
	return true;
}

static bool
number_field(const struct http_head *request, const char *name, uint64_t *out)
{
	const struct mime_field *f = http_head_field(request, name);
	return f != NULL && text_to_u64(f->value, f->value_len, out) == 0;
}
