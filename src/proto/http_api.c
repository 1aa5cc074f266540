/* Which application it is, the parts that a request lists, and what its answer leads to. */
#include "config.h"

#include "proto/http_api.h"

#include <string.h>

#include "base/text.h"
#include "proto/http_name.h"

enum {
	PARTS_MAX = 10000, /* as many as S3 allows */
	NOTED_NAME_MAX = 1024,
};

/* Numbers of parts as they come in XML: <PartNumber>7</PartNumber>. */
struct http_api_list {
	uint32_t *number;
	size_t count, room;
	size_t matched; /* bytes of the tag so far; all: in the number */
	uint32_t value;
};

/* What is left for later requests of an upload. */
struct noted {
	bool size_known;
	uint64_t size;
	size_t name_len;
	uint8_t name[NOTED_NAME_MAX];
};

static bool may_be_api(const struct http_head *request);
static void list_add(struct http_api *api);
static void note_upload(const struct http_api *api, struct session *s, const struct http_head *answer);
static void finish(struct http_api *api, struct session *s, enum side client, unsigned status);

struct http_api *
http_api_look(struct arena *a, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	if (!may_be_api(request))
		return NULL;
	struct http_api found = {.arena = a};
	if (!http_s3_look(&found, request, path, path_len) && !http_tus_look(&found, request, path, path_len) &&
	        !http_dav_look(&found, request, path, path_len) && !http_resumable_look(&found, request))
		return NULL;
	return arena_copy(a, &found, sizeof found);
}

/* Asked of every request: most only fetch something, and say nothing of who may. */
static bool
may_be_api(const struct http_head *request)
{
	if (!http_method_is(request, "GET") && !http_method_is(request, "HEAD"))
		return true;
	if (text_prefix_nocase(request->target, request->target_len, "/seafhttp/"))
		return true;
	const struct mime_field *f = http_head_field(request, "authorization");
	return (f != NULL && text_prefix_nocase(f->value, f->value_len, "aws")) ||
	       (request->target_len > 0 && memchr(request->target, '?', request->target_len) != NULL &&
	               memmem(request->target, request->target_len, "X-Amz-", 6) != NULL);
}

void
http_api_start(struct http_api *api, struct session *s, struct transfer_start *start)
{
	if (api->role != HTTP_API_PART && api->role != HTTP_API_FACTS)
		return;
	if (api->role == HTTP_API_PART) {
		size_t len = 0;
		const struct noted *noted = NULL;
		if (api->note != NULL)
			noted = session_noted(s, NOTE_ALL, api->key, api->key_len, &len);
		if (noted != NULL && len == sizeof *noted) {
			api->name = arena_copy(api->arena, noted->name, noted->name_len);
			api->name_len = api->name != NULL ? noted->name_len : 0;
			api->size_known = noted->size_known;
			api->size = noted->size;
		}
		const bool ranged = start->join_key != NULL;
		start->join_key = api->key;
		start->join_len = api->key_len;
		start->join_anywhere = api->anywhere;
		start->part = api->part;
		if (api->offset_known)
			start->offset = api->offset;
		if (api->part == 0 && !ranged) /* the body's own length is not the file's */
			start->size_known = false;
	}
	if (api->size_known) {
		start->size_known = true;
		start->size = api->size;
	}
	if (api->name_len > 0) {
		start->path = api->name;
		start->path_len = api->name_len;
	}
}

void
http_api_tell(const struct http_api *api, struct transfer *t)
{
	if (api->bucket_len > 0)
		transfer_detail(t, "s3.bucket", api->bucket, api->bucket_len);
	if (api->object_len > 0)
		transfer_detail(t, "s3.key", api->object, api->object_len);
}

void
http_api_body(struct http_api *api, const uint8_t *bytes, size_t len)
{
	static const char tag[] = "<PartNumber>";
	if (api->list == NULL)
		api->list = arena_alloc(api->arena, sizeof *api->list);
	struct http_api_list *list = api->list;
	for (size_t i = 0; list != NULL && i < len; i++) {
		const uint8_t c = bytes[i];
		if (list->matched == sizeof tag - 1 && c >= '0' && c <= '9' && list->value < UINT32_MAX / 16) {
			list->value = list->value * 10 + (uint32_t)(c - '0');
			continue;
		}
		if (list->matched == sizeof tag - 1)
			list_add(api);
		list->matched = list->matched < sizeof tag - 1 && c == (uint8_t)tag[list->matched] ? list->matched + 1
		                : c == '<'                                                        ? 1
		                                                                                  : 0;
	}
}

/* They must ascend; what does not is no list of parts. */
static void
list_add(struct http_api *api)
{
	struct http_api_list *list = api->list;
	const uint32_t value = list->value;
	list->value = 0;
	if (value == 0 || list->count == PARTS_MAX || (list->count > 0 && list->number[list->count - 1] >= value))
		return;
	if (list->count == list->room) {
		size_t room = list->room > 0 ? list->room * 2 : 64;
		uint32_t *more = arena_alloc(api->arena, room * sizeof *more);
		if (more == NULL)
			return;
		if (list->count > 0)
			memcpy(more, list->number, list->count * sizeof *more);
		list->number = more;
		list->room = room;
	}
	list->number[list->count++] = value;
}

void
http_api_answered(struct http_api *api, struct session *s, enum side client, const struct http_head *answer)
{
	if (answer->status / 100 != 2)
		return;
	switch (api->role) {
	case HTTP_API_BEGIN:
		note_upload(api, s, answer);
		break;
	case HTTP_API_FINISH:
	case HTTP_API_ABORT:
		finish(api, s, client, answer->status);
		break;
	case HTTP_API_MOVE:
		session_detail(s, api->moved, api->text, api->text_len);
		break;
	case HTTP_API_FACTS:
	case HTTP_API_PART:
		break;
	}
}

/* Where the parts go is in the answer (tus, Google). */
static void
note_upload(const struct http_api *api, struct session *s, const struct http_head *answer)
{
	const struct mime_field *location = http_head_field(answer, "location");
	struct http_api upload = {.arena = api->arena};
	struct noted noted = {.size_known = api->size_known, .size = api->size};
	if (location == NULL || api->note == NULL)
		return;
	if (strcmp(api->note, "tus") == 0) {
		size_t len;
		const uint8_t *path = http_api_path(api->arena, location->value, location->value_len, &len);
		http_api_key(&upload, api->note, path, len);
	} else {
		const struct http_head url = {.target = location->value, .target_len = location->value_len};
		const uint8_t *id;
		size_t len;
		if (http_query(&url, "upload_id", &id, &len))
			http_api_key(&upload, api->note, id, len);
	}
	noted.name_len = api->name_len < sizeof noted.name ? api->name_len : sizeof noted.name;
	if (noted.name_len > 0)
		memcpy(noted.name, api->name, noted.name_len);
	if (upload.key != NULL)
		(void)session_note(s, NOTE_ALL, upload.key, upload.key_len, &noted, sizeof noted);
}

static void
finish(struct http_api *api, struct session *s, enum side client, unsigned status)
{
	const struct transfer_start start = {.sender = client, .join_key = api->key, .join_len = api->key_len,
	        .join_anywhere = api->anywhere};
	struct transfer *t = transfer_resume(s, &start);
	if (t == NULL)
		return;
	if (api->role == HTTP_API_ABORT) {
		transfer_parts_end(t, NULL, 0, TRANSFER_ABORTED);
		return;
	}
	const struct http_api_list *list = api->list;
	if (api->name_len > 0)
		transfer_rename(t, api->name, api->name_len, NULL);
	if (api->size_known)
		transfer_size(t, api->size);
	transfer_http(t, NULL, NULL, status, NULL);
	transfer_parts_end(t, list != NULL ? list->number : NULL, list != NULL ? list->count : 0, TRANSFER_COMPLETE);
}

bool
http_query(const struct http_head *request, const char *name, const uint8_t **value, size_t *len)
{
	const size_t name_len = strlen(name);
	const uint8_t *at = request->target_len > 0 ? memchr(request->target, '?', request->target_len) : NULL;
	size_t left = at != NULL ? request->target_len - (size_t)(at - request->target) : 0;
	while (left > 1) {
		at++;
		left--;
		const uint8_t *end = memchr(at, '&', left);
		size_t item = end != NULL ? (size_t)(end - at) : left;
		if (item >= name_len && memcmp(at, name, name_len) == 0 && (item == name_len || at[name_len] == '=')) {
			*value = item > name_len ? at + name_len + 1 : at + item;
			*len = item > name_len ? item - name_len - 1 : 0;
			return true;
		}
		at += item;
		left -= item;
	}
	return false;
}

void
http_api_key(struct http_api *api, const char *kind, const void *id, size_t len)
{
	const size_t kind_len = strlen(kind) + 1;
	uint8_t *key = id != NULL && len > 0 ? arena_alloc(api->arena, kind_len + len) : NULL;
	if (key == NULL)
		return;
	memcpy(key, kind, kind_len);
	memcpy(key + kind_len, id, len);
	api->key = key;
	api->key_len = kind_len + len;
}

const uint8_t *
http_api_path(struct arena *a, const uint8_t *url, size_t url_len, size_t *len)
{
	const struct http_head head = {.target = url, .target_len = url_len};
	*len = 0;
	return http_path(a, &head, len);
}
