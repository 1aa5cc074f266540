/*
 * Uploads in pieces and files that move at the server: tus 1.0 (protocol, sections "Core" and "Creation"); chunked uploads
 * of Nextcloud and ownCloud (developer manual, "Chunked file upload", versions 1 and 2 of the uploads collection), and the
 * older ones of ownCloud, whose names end in -chunking-ID-COUNT-INDEX (its specification "big file chunking"); Google's
 * resumable uploads; Seafile's blocks (told by library; Seafile manual, "Web API" and the sync protocol of its server);
 * COPY and MOVE (RFC 4918 sections 9.8 and 9.9).
 */
#include "config.h"

#include "proto/http_api.h"

#include <string.h>

#include "base/text.h"

enum {
	CHUNK_NUMBER_DIGITS = 9, /* longer names of chunks are offsets */
	CHUNKS_MAX = 50000,
};

static bool take_metadata(struct http_api *api, const struct mime_field *metadata);
static bool take_chunk(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
static bool take_old_chunk(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
static bool take_last_number(const uint8_t *text, size_t *len, uint64_t *number);
static bool take_chunk_name(struct http_api *api, const uint8_t *name, size_t len);
static void take_destination(struct http_api *api, const struct http_head *request);
static bool take_move(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
static bool take_seafile(struct http_api *api, const uint8_t *path, size_t path_len);
static bool number_field(const struct http_head *request, const char *name, uint64_t *out);

bool
http_tus_look(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	if (http_head_field(request, "tus-resumable") == NULL)
		return false;
	api->note = "tus";
	http_api_key(api, api->note, path, path_len);
	if (http_method_is(request, "POST")) {
		api->role = HTTP_API_BEGIN;
		api->size_known = number_field(request, "upload-length", &api->size);
		(void)take_metadata(api, http_head_field(request, "upload-metadata"));
	} else if (http_method_is(request, "PATCH")) {
		api->role = HTTP_API_PART;
		api->offset_known = number_field(request, "upload-offset", &api->offset);
	} else if (http_method_is(request, "DELETE")) {
		api->role = HTTP_API_ABORT;
	} else {
		return false;
	}
	return api->key != NULL;
}

/* "filename d29ybGQ=,filetype ..." */
static bool
take_metadata(struct http_api *api, const struct mime_field *metadata)
{
	static const char key[] = "filename ";
	const uint8_t *value = metadata != NULL ? metadata->value : NULL, *item;
	size_t left = metadata != NULL ? metadata->value_len : 0, len;
	while (http_list_next(&value, &left, &item, &len)) {
		if (!text_prefix_nocase(item, len, key))
			continue;
		item += sizeof key - 1;
		len -= sizeof key - 1;
		uint8_t *name = arena_alloc(api->arena, len * 3 / 4 + 3);
		long n = name != NULL ? text_base64_decode(name, item, len) : -1;
		if (n <= 0)
			return false;
		api->name = name;
		api->name_len = (size_t)n;
		return true;
	}
	return false;
}

bool
http_dav_look(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	return take_chunk(api, request, path, path_len) || take_old_chunk(api, request, path, path_len) ||
	       take_move(api, request, path, path_len) ||
	       take_seafile(api, path, path_len);
}

/* .../dav/uploads/USER/ID, and /CHUNK or /.file in it */
static bool
take_chunk(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	static const char folder[] = "/dav/uploads/";
	const uint8_t *at = path_len > 0 ? memmem(path, path_len, folder, sizeof folder - 1) : NULL;
	if (at == NULL)
		return false;
	at += sizeof folder - 1;
	size_t left = path_len - (size_t)(at - path);
	const uint8_t *id = left > 0 ? memchr(at, '/', left) : NULL;
	if (id == NULL)
		return false;
	left -= (size_t)(id - at) + 1;
	id++;
	const uint8_t *name = left > 0 ? memchr(id, '/', left) : NULL;
	size_t name_len = name != NULL ? left - (size_t)(name - id) - 1 : 0;
	http_api_key(api, "nextcloud", path, name != NULL ? (size_t)(name - path) : path_len);
	if (api->key == NULL)
		return false;
	if (http_method_is(request, "MKCOL"))
		api->role = HTTP_API_BEGIN;
	else if (http_method_is(request, "DELETE") && name_len == 0)
		api->role = HTTP_API_ABORT;
	else if (http_method_is(request, "MOVE") && name != NULL && text_equal_nocase(name + 1, name_len, ".file"))
		api->role = HTTP_API_FINISH;
	else if (http_method_is(request, "PUT") && name != NULL && take_chunk_name(api, name + 1, name_len))
		api->role = HTTP_API_PART;
	else
		return false;
	api->silent = api->role != HTTP_API_PART;
	take_destination(api, request);
	if (api->role == HTTP_API_FINISH || (api->role == HTTP_API_PART && api->part == 0))
		api->size_known = number_field(request, "oc-total-length", &api->size);
	return true;
}

/* A number of few digits counts; a long one, or two with a hyphen, say where it begins. */
static bool
take_chunk_name(struct http_api *api, const uint8_t *name, size_t len)
{
	const uint8_t *hyphen = len > 0 ? memchr(name, '-', len) : NULL;
	size_t digits = hyphen != NULL ? (size_t)(hyphen - name) : len;
	uint64_t number;
	if (text_to_u64(name, digits, &number) < 0)
		return false;
	if (hyphen == NULL && digits <= CHUNK_NUMBER_DIGITS && number > 0) {
		api->part = (uint32_t)number;
		return true;
	}
	api->offset_known = true;
	api->offset = number;
	return true;
}

/* PUT .../NAME-chunking-ID-COUNT-INDEX, from 0 on. With the last of them the file is there; nothing else says so. */
static bool
take_old_chunk(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	static const char mark[] = "-chunking";
	uint64_t index, count, id;
	size_t len = path_len;
	if (!http_method_is(request, "PUT") || http_head_field(request, "oc-chunked") == NULL ||
	        !take_last_number(path, &len, &index) || !take_last_number(path, &len, &count))
		return false;
	const size_t key_len = len;
	if (!take_last_number(path, &len, &id) || len < sizeof mark ||
	        memcmp(path + len - (sizeof mark - 1), mark, sizeof mark - 1) != 0 || count > CHUNKS_MAX || index >= count)
		return false;
	http_api_key(api, "owncloud", path, key_len);
	api->role = HTTP_API_PART;
	api->part = (uint32_t)index + 1;
	api->parts = (uint32_t)count;
	api->name = path;
	api->name_len = len - (sizeof mark - 1);
	return api->key != NULL;
}

/* "...-NUMBER": takes it off the end. */
static bool
take_last_number(const uint8_t *text, size_t *len, uint64_t *number)
{
	const uint8_t *hyphen = *len > 0 ? memrchr(text, '-', *len) : NULL;
	if (hyphen == NULL || text_to_u64(hyphen + 1, *len - (size_t)(hyphen - text) - 1, number) < 0)
		return false;
	*len = (size_t)(hyphen - text);
	return true;
}

/* The file's name, wherever it is told. */
static void
take_destination(struct http_api *api, const struct http_head *request)
{
	const struct mime_field *f = http_head_field(request, "destination");
	if (f != NULL)
		api->name = http_api_path(api->arena, f->value, f->value_len, &api->name_len);
}

static bool
take_move(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	bool copy = http_method_is(request, "COPY");
	const struct mime_field *f = http_head_field(request, "destination");
	size_t to_len;
	if ((!copy && !http_method_is(request, "MOVE")) || f == NULL || path_len == 0)
		return false;
	const uint8_t *to = http_api_path(api->arena, f->value, f->value_len, &to_len);
	uint8_t *text = to != NULL ? arena_alloc(api->arena, path_len + 3 + to_len) : NULL;
	if (text == NULL)
		return false;
	memcpy(text, path, path_len);
	memcpy(text + path_len, " > ", 3);
	memcpy(text + path_len + 3, to, to_len);
	api->role = HTTP_API_MOVE;
	api->moved = copy ? "webdav.copy" : "webdav.move";
	api->text = text;
	api->text_len = path_len + 3 + to_len;
	return true;
}

/* /seafhttp/repo/LIBRARY/...: what moves is blocks of files, whose names only the library's own lists know. */
static bool
take_seafile(struct http_api *api, const uint8_t *path, size_t path_len)
{
	static const char folder[] = "/seafhttp/repo/";
	if (path_len <= sizeof folder - 1 || memcmp(path, folder, sizeof folder - 1) != 0)
		return false;
	const uint8_t *library = path + sizeof folder - 1;
	size_t left = path_len - (sizeof folder - 1);
	const uint8_t *slash = memchr(library, '/', left);
	api->role = HTTP_API_MOVE;
	api->moved = "seafile.library";
	api->text = library;
	api->text_len = slash != NULL ? (size_t)(slash - library) : left;
	return true;
}

/* POST ?uploadType=resumable&name=NAME, then PUT ?upload_id=ID with Content-Range */
bool
http_resumable_look(struct http_api *api, const struct http_head *request)
{
	const uint8_t *value;
	size_t len;
	uint64_t size;
	api->note = "resumable";
	if (http_method_is(request, "POST") && http_query(request, "uploadType", &value, &len) &&
	        text_equal_nocase(value, len, "resumable")) {
		api->role = HTTP_API_BEGIN;
		api->silent = true;
		api->size_known = number_field(request, "x-upload-content-length", &size);
		api->size = api->size_known ? size : 0;
		if (http_query(request, "name", &value, &len)) {
			uint8_t *name = arena_alloc(api->arena, len + 1);
			api->name_len = name != NULL ? text_percent_decode(name, value, len) : 0;
			api->name = name;
		}
		return true;
	}
	if (!http_method_is(request, "PUT") || !http_query(request, "upload_id", &value, &len) || len > 2048)
		return false;
	api->role = HTTP_API_PART;
	http_api_key(api, api->note, value, len);
	api->anywhere = len >= 16;
	return api->key != NULL;
}

static bool
number_field(const struct http_head *request, const char *name, uint64_t *out)
{
	const struct mime_field *f = http_head_field(request, name);
	return f != NULL && text_to_u64(f->value, f->value_len, out) == 0;
}
