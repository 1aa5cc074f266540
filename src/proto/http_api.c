/* Which application it is, the parts that a request lists, and what its answer leads to. */
#include "config.h"

#include "proto/http_api.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/http_name.h"

enum { NOTED_NAME_MAX = 1024 };

/* What is left for later requests of an upload. */
struct noted {
	bool size_known;
	uint64_t size;
	bool end_known; /* of a file that grows: where it ends */
	uint64_t end;
	size_t name_len;
	uint8_t name[NOTED_NAME_MAX];
};

static bool may_be_api(const struct http_head *request);
static void take_noted(struct http_api *api, struct session *s);
static void note_upload(const struct http_api *api, struct session *s, const struct http_head *answer);
static void note_end(const struct http_api *api, struct session *s, uint64_t end);
static void appended(struct http_api *api, struct session *s, enum side client, const struct http_head *answer);
static struct transfer *resume(struct http_api *api, struct session *s, enum side client);
static size_t numbers_of(const struct http_list *list, uint32_t *numbers);
static size_t names_of(struct http_api *api, struct part_name *names);
static void finish(struct http_api *api, struct session *s, enum side client, unsigned status);

struct http_api *
http_api_look(struct arena *a, const struct http_head *request, const uint8_t *path, size_t path_len)
{
	if (!may_be_api(request))
		return NULL;
	struct http_api found = {.arena = a};
	if (!http_azure_look(&found, request, path, path_len) && !http_s3_look(&found, request, path, path_len) &&
	        !http_tus_look(&found, request, path, path_len) && !http_dav_look(&found, request, path, path_len) &&
	        !http_resumable_look(&found, request))
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
	if (http_head_field(request, "x-ms-version") != NULL)
		return true;
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
		take_noted(api, s);
		if (api->appends && !api->offset_known)
			return; /* where it belongs is not known: it stays for itself */
		const bool ranged = start->join_key != NULL;
		start->join_key = api->key;
		start->join_len = api->key_len;
		start->join_anywhere = api->anywhere;
		start->part = api->part;
		start->parts = api->parts;
		start->part_name = api->part_name;
		start->part_name_len = api->part_name_len;
		if (api->offset_known)
			start->offset = api->offset;
		if (api->part == 0 && api->part_name_len == 0 && !ranged) /* the body's own length is not the file's */
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

/* What requests before this one said of the upload. */
static void
take_noted(struct http_api *api, struct session *s)
{
	size_t len = 0;
	const struct noted *noted = NULL;
	if (api->note != NULL)
		noted = session_noted(s, NOTE_ALL, api->key, api->key_len, &len);
	if (noted == NULL || len != sizeof *noted)
		return;
	if (noted->name_len > 0) {
		api->name = arena_copy(api->arena, noted->name, noted->name_len);
		api->name_len = api->name != NULL ? noted->name_len : 0;
	}
	if (noted->size_known) {
		api->size_known = true;
		api->size = noted->size;
	}
	if (api->appends && !api->offset_known && noted->end_known) {
		api->offset_known = true;
		api->offset = noted->end;
	}
}

void
http_api_tell(const struct http_api *api, struct transfer *t)
{
	const bool azure = api->store != NULL && strcmp(api->store, "azure") == 0;
	if (api->bucket_len > 0)
		transfer_detail(t, azure ? "azure.container" : "s3.bucket", api->bucket, api->bucket_len);
	if (api->object_len > 0)
		transfer_detail(t, azure ? "azure.blob" : "s3.key", api->object, api->object_len);
}

void
http_api_clear(struct http_api *api)
{
	if (api != NULL)
		http_list_destroy(api->list);
}

void
http_api_body(struct http_api *api, const uint8_t *bytes, size_t len)
{
	if (api->list == NULL && api->listed != NULL)
		api->list = http_list_create(api->listed);
	if (api->list != NULL)
		http_list_feed(api->list, bytes, len);
}

void
http_api_body_lost(struct http_api *api)
{
	http_api_body(api, NULL, 0);
	if (api->list != NULL)
		api->list->broken = true;
}

void
http_api_answered(struct http_api *api, struct session *s, enum side client, const struct http_head *answer)
{
	if (api->role == HTTP_API_PART && api->appends)
		appended(api, s, client, answer);
	if (answer->status / 100 != 2)
		return;
	switch (api->role) {
	case HTTP_API_BEGIN:
		if (api->appends)
			note_end(api, s, 0);
		else
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

/* Where the parts go is in the answer (tus, Google), or where this went (Azure). */
static void
note_upload(const struct http_api *api, struct session *s, const struct http_head *answer)
{
	const struct mime_field *location = http_head_field(answer, "location");
	struct http_api upload = {.arena = api->arena};
	struct noted noted = {.size_known = api->size_known, .size = api->size};
	if (api->note == NULL || (location == NULL && strcmp(api->note, "azure") != 0))
		return;
	if (location == NULL) {
		upload.key = api->key;
		upload.key_len = api->key_len;
	} else if (strcmp(api->note, "tus") == 0) {
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
note_end(const struct http_api *api, struct session *s, uint64_t end)
{
	const struct noted noted = {.end_known = true, .end = end};
	(void)session_note(s, NOTE_ALL, api->key, api->key_len, &noted, sizeof noted);
}

/*
 * The answer tells where the bytes went. If that is not where they were put here (others append as well), or nowhere, it
 * is not known what the file has.
 */
static void
appended(struct http_api *api, struct session *s, enum side client, const struct http_head *answer)
{
	const struct mime_field *f = http_head_field(answer, "x-ms-blob-append-offset");
	uint64_t at = api->offset;
	const bool told = f != NULL && text_to_u64(f->value, f->value_len, &at) == 0, taken = answer->status / 100 == 2;
	if (api->offset_known && (!taken || at != api->offset)) {
		struct transfer *t = resume(api, s, client);
		transfer_cut(t, api->offset);
		transfer_end(t, TRANSFER_TRUNCATED);
	}
	if (taken && (told || api->offset_known))
		note_end(api, s, at + api->body);
}

static struct transfer *
resume(struct http_api *api, struct session *s, enum side client)
{
	const struct transfer_start start = {.sender = client, .join_key = api->key, .join_len = api->key_len,
	        .join_anywhere = api->anywhere};
	return transfer_resume(s, &start);
}

static void
finish(struct http_api *api, struct session *s, enum side client, unsigned status)
{
	struct transfer *t = resume(api, s, client);
	if (t == NULL)
		return;
	if (api->role == HTTP_API_ABORT) {
		transfer_parts_end(t, NULL, 0, TRANSFER_ABORTED);
		return;
	}
	if (api->name_len > 0)
		transfer_rename(t, api->name, api->name_len, NULL);
	if (api->size_known)
		transfer_size(t, api->size);
	transfer_http(t, NULL, NULL, status, NULL);
	if (api->list != NULL && api->list->broken) { /* what it was put together from is not known */
		transfer_end(t, TRANSFER_TRUNCATED);
		return;
	}
	const size_t count = api->list != NULL ? api->list->count : 0;
	if (api->listed == NULL || count == 0) {
		transfer_parts_end(t, NULL, 0, TRANSFER_COMPLETE);
		return;
	}
	if (strcmp(api->store, "azure") == 0) {
		struct part_name *names = calloc(count, sizeof *names);
		transfer_parts_listed(t, names, names != NULL ? names_of(api, names) : 0, TRANSFER_COMPLETE);
		free(names);
	} else {
		uint32_t *numbers = calloc(count, sizeof *numbers);
		transfer_parts_end(t, numbers, numbers != NULL ? numbers_of(api->list, numbers) : 0, TRANSFER_COMPLETE);
		free(numbers);
	}
}

/* They must ascend; what does not is no list of parts. */
static size_t
numbers_of(const struct http_list *list, uint32_t *numbers)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++) {
		size_t len;
		uint64_t number;
		const uint8_t *text = http_list_item(list, i, &len);
		if (text_to_u64(text, len, &number) == 0 && number > 0 && number <= UINT32_MAX &&
		        (count == 0 || numbers[count - 1] < number))
			numbers[count++] = (uint32_t)number;
	}
	return count;
}

/* Out of base64, each in its place; one that is none stays as it is, and is nobody's. */
static size_t
names_of(struct http_api *api, struct part_name *names)
{
	struct http_list *list = api->list;
	for (size_t i = 0; i < list->count; i++) {
		size_t len;
		uint8_t plain[HTTP_LIST_TEXT_MAX + 3];
		const uint8_t *text = http_list_item(list, i, &len);
		const long n = text_base64_decode(plain, text, len);
		if (n > 0)
			memcpy(list->all + (text - list->all), plain, (size_t)n);
		names[i] = (struct part_name){text, n > 0 ? (size_t)n : len};
	}
	return list->count;
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
http_api_copied(struct http_api *api, const char *what, const uint8_t *source, size_t len, const uint8_t *path, size_t path_len)
{
	static const char arrow[] = " > ";
	uint8_t *text = arena_alloc(api->arena, len + sizeof arrow - 1 + path_len);
	if (text == NULL)
		return;
	size_t n = text_percent_decode(text, source, len);
	memcpy(text + n, arrow, sizeof arrow - 1);
	n += sizeof arrow - 1;
	if (path_len > 0)
		memcpy(text + n, path, path_len);
	api->role = HTTP_API_MOVE;
	api->silent = true;
	api->moved = what;
	api->text = text;
	api->text_len = n + path_len;
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
