/*
 * What a request means beyond HTTP, where an application puts files together out of several requests or moves them at
 * the server: S3, Azure, Nextcloud, tus, resumable uploads of Google, WebDAV.
 */
#ifndef WAYBILL_PROTO_HTTP_API_H
#define WAYBILL_PROTO_HTTP_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "proto/http_head.h"
#include "proto/http_list.h"
#include "transfer/transfer.h"

enum http_api_role {
	HTTP_API_FACTS,  /* an ordinary request, of which more can be told */
	HTTP_API_BEGIN,  /* an upload is announced */
	HTTP_API_PART,   /* the body is a part of a file */
	HTTP_API_FINISH, /* the file is put together from its parts */
	HTTP_API_ABORT,  /* the upload is given up */
	HTTP_API_MOVE,   /* a file moves or is copied at the server, or another fact that stands once it is answered */
};

/* Of one request; all in the exchange's arena. Texts that are NULL are not known. */
struct http_api {
	enum http_api_role role;
	bool silent;            /* neither body is a file, unless the answer is an error's */
	bool listing;           /* the answer is one */
	const char *note;       /* static: what upload_key begins with in session notes; NULL: nothing is noted */
	const uint8_t *key;     /* of the upload: where its parts meet */
	size_t key_len;
	bool anywhere;          /* the key is an identifier that is unique at the service */
	uint32_t part;          /* its number; 0: it has a place or a name instead */
	uint32_t parts;         /* how many there are; 0: not known */
	const uint8_t *part_name; /* what the list calls it (part_name_len above 0) */
	size_t part_name_len;
	bool appends;           /* the body stands at the file's end, */
	uint64_t body;          /* and is so long */
	bool offset_known;      /* the body's place in the file */
	uint64_t offset;
	bool size_known;        /* of the whole file, or of a numbered part */
	uint64_t size;
	const uint8_t *name;    /* of the file, where it is not in the URL */
	size_t name_len;
	const char *store;      /* static: "s3", "azure"; NULL: no object store's */
	const uint8_t *bucket, *object;
	size_t bucket_len, object_len;
	const char *moved;      /* HTTP_API_MOVE, static: the detail's key, "webdav.move" */
	const uint8_t *text;    /* and its value */
	size_t text_len;
	const char *const *listed; /* HTTP_API_FINISH, static: elements of the body that name the parts; NULL: none do */
	struct http_list *list; /* what came of it so far */
	struct arena *arena;
};

/* NULL: a request like any other, or no memory. path: decoded, of the request's target. */
struct http_api *http_api_look(struct arena *a, const struct http_head *request, const uint8_t *path, size_t path_len);

/* Ends what is not in the arena; takes NULL. */
void http_api_clear(struct http_api *api);

/* Before a transfer of the request's body begins: what its parts meet under, and where this one stands. */
void http_api_start(struct http_api *api, struct session *s, struct transfer_start *start);
/* More of a transfer of either body. */
void http_api_tell(const struct http_api *api, struct transfer *t);
/* The body of a request that lists parts. */
void http_api_body(struct http_api *api, const uint8_t *bytes, size_t len);
/* Some of it was not seen. */
void http_api_body_lost(struct http_api *api);
/* The final answer. client: who asked. */
void http_api_answered(struct http_api *api, struct session *s, enum side client, const struct http_head *answer);

/* ---- what each of them adds: api is zeroed but for arena; false: not one of these ---- */

bool http_azure_look(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
bool http_s3_look(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
bool http_tus_look(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
bool http_dav_look(struct http_api *api, const struct http_head *request, const uint8_t *path, size_t path_len);
bool http_resumable_look(struct http_api *api, const struct http_head *request);

/* The part of a target that follows its question mark: a parameter's value, as it stands; false: it has none. */
bool http_query(const struct http_head *request, const char *name, const uint8_t **value, size_t *len);
/* An upload's key: kind, a zero byte, and what names it. */
void http_api_key(struct http_api *api, const char *kind, const void *id, size_t len);

/* The server copies source, percent-encoded, to path by itself; told under what (static) when it says that it did. */
void http_api_copied(struct http_api *api, const char *what, const uint8_t *source, size_t len, const uint8_t *path, size_t path_len);

/* The path of a URL, decoded, in arena memory. */
const uint8_t *http_api_path(struct arena *a, const uint8_t *url, size_t url_len, size_t *len);

#endif
