/*
 * The S3 API, as Amazon and many others speak it: known by its signatures, or by the parameters of a multipart upload.
 * Buckets stand in front of a host name that has a label "s3" or "s3-REGION", else at the head of the path.
 *
 * Not here: what POST forms and SELECT do; parts that the server copies have no bytes to be seen.
 */
#include "config.h"

#include "proto/http_api.h"

#include <string.h>

#include "base/text.h"

static bool is_signed(const struct http_head *request);
static bool is_for_s3(const uint8_t *scope, size_t len);
static void look_for_upload(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
static bool is_control(const struct http_head *request);
static void take_names(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
static size_t bucket_in_host(const struct mime_field *host);
static void take_copy(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);

bool
http_s3_look(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	const struct mime_field *decoded = http_head_field(request, "x-amz-decoded-content-length");
	look_for_upload(api, request, path, path_len);
	bool ours = is_signed(request);
	if (!ours && api->key == NULL)
		return false;
	api->store = "s3";
	take_names(api, request, path, path_len);
	if (decoded != NULL && text_to_u64(decoded->value, decoded->value_len, &api->size) == 0)
		api->size_known = true;
	if (api->role == HTTP_API_FACTS && ours && is_control(request))
		api->silent = true;
	if (api->role == HTTP_API_FACTS && api->object_len == 0 && http_method_is(request, "GET"))
		api->listing = true;
	take_copy(api, request, path, path_len);
	return true;
}

/* "AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/s3/aws4_request", the same in the query, or the older "AWS KEY:..." */
static bool
is_signed(const struct http_head *request)
{
	const struct mime_field *f = http_head_field(request, "authorization");
	const uint8_t *value;
	size_t len;
	if (f != NULL && text_prefix_nocase(f->value, f->value_len, "aws "))
		return true;
	if (f != NULL && text_prefix_nocase(f->value, f->value_len, "aws4-"))
		return is_for_s3(f->value, f->value_len);
	return http_query(request, "X-Amz-Credential", &value, &len) && is_for_s3(value, len);
}

static bool
is_for_s3(const uint8_t *scope, size_t len)
{
	return memmem(scope, len, "/s3/aws4_request", 16) != NULL || memmem(scope, len, "%2Fs3%2Faws4_request", 20) != NULL;
}

/* POST ?uploads; PUT, POST or DELETE ?uploadId=ID, the first with partNumber=N */
static void
look_for_upload(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	static const char *const listed[] = {"PartNumber", NULL};
	const uint8_t *id, *part;
	size_t id_len, part_len;
	uint64_t number;

	if (http_method_is(request, "POST") && http_query(request, "uploads", &id, &id_len) && id_len == 0) {
		api->role = HTTP_API_BEGIN;
		api->silent = true;
		return;
	}
	if (!http_query(request, "uploadId", &id, &id_len) || id_len == 0 || id_len > 2048)
		return;
	bool numbered = http_query(request, "partNumber", &part, &part_len) && text_to_u64(part, part_len, &number) == 0;
	if (http_method_is(request, "PUT") && numbered && number > 0 && number <= UINT32_MAX) {
		api->role = HTTP_API_PART;
		api->part = (uint32_t)number;
	} else if (http_method_is(request, "POST") && !numbered) {
		api->role = HTTP_API_FINISH;
		api->silent = true;
		api->listed = listed;
	} else if (http_method_is(request, "DELETE")) {
		api->role = HTTP_API_ABORT;
		api->silent = true;
	} else {
		return;
	}
	/* The identifier alone would do with Amazon; others count. */
	uint8_t *name = arena_alloc(api->arena, id_len + path_len + 1);
	if (name == NULL)
		return;
	memcpy(name, id, id_len);
	if (path_len > 0)
		memcpy(name + id_len + 1, path, path_len);
	http_api_key(api, "s3", name, id_len + 1 + path_len);
	api->anywhere = id_len >= 16;
}

/* Requests about a bucket or an object: their bodies are XML. */
static bool
is_control(const struct http_head *request)
{
	static const char *const names[] = {"acl", "tagging", "delete", "policy", "lifecycle", "cors", "versioning",
	        "website", "logging", "notification", "replication", "encryption", "publicAccessBlock", "object-lock",
	        "retention", "legal-hold", "restore", "location", "uploads", "uploadId", "ownershipControls"};
	const uint8_t *value;
	size_t len;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (http_query(request, names[i], &value, &len))
			return true;
	return false;
}

static void
take_names(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	const struct mime_field *host = http_head_field(request, "host");
	if (path_len == 0 || path[0] != '/')
		return;
	path++;
	path_len--;
	api->bucket_len = host != NULL ? bucket_in_host(host) : 0;
	if (api->bucket_len > 0) {
		api->bucket = arena_copy(api->arena, host->value, api->bucket_len);
	} else {
		const uint8_t *slash = path_len > 0 ? memchr(path, '/', path_len) : NULL;
		api->bucket_len = slash != NULL ? (size_t)(slash - path) : path_len;
		api->bucket = path;
		path += api->bucket_len;
		path_len -= api->bucket_len;
		if (path_len > 0) { /* the slash */
			path++;
			path_len--;
		}
	}
	if (api->bucket == NULL)
		api->bucket_len = 0;
	api->object = path;
	api->object_len = path_len;
}

/* bucket.s3.example.com, bucket.s3-eu-west-1.amazonaws.com: the length of what stands before; a bucket may have dots. */
static size_t
bucket_in_host(const struct mime_field *host)
{
	for (size_t i = 1; i + 3 < host->value_len; i++) {
		const uint8_t *at = host->value + i;
		if (at[0] == '.' && text_prefix_nocase(at + 1, host->value_len - i - 1, "s3") && (at[3] == '.' || at[3] == '-'))
			return i;
	}
	return 0;
}

/* An object copied at the server. */
static void
take_copy(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	const struct mime_field *source = http_head_field(request, "x-amz-copy-source");
	if (source == NULL || api->role != HTTP_API_FACTS || source->value_len == 0)
		return;
	http_api_copied(api, "s3.copy", source->value, source->value_len, path, path_len);
}
