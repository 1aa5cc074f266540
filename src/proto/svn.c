/*
 * Subversion's own protocol, ra_svn: repository, user, and the files that are fetched (get-file, and update, which also
 * is checkout and export), or committed (subversion/libsvn_ra_svn/protocol). Content comes plain in get-file and as
 * svndiff elsewhere. Not read: properties, listings, logs; Subversion over HTTP or SSH.
 *   svn_list    the lists it is written in     svn_delta   svndiff
 */
#include "config.h"

#include "proto/svn.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { FILES_MAX = 1024, GETS_MAX = 8, USER_MAX = 256 };

struct file { /* one that the editor has open */
	uint8_t *path;
	size_t path_len;
	uint8_t token[32];
	size_t token_len;
};

struct svn {
	struct session *session;
	struct svn_list *list[2];
	bool lost[2];
	bool greeted, named, authenticates, logged_in;
	struct file root;         /* path: of the URL, behind the host */
	char method[24];          /* the last command: "update", "commit" */
	struct file *file;
	size_t files;
	/* the text at hand */
	struct transfer *transfer;
	struct svn_delta *delta;
	enum side sender;
	/* get-file: paths that were asked for, in order */
	struct file get[GETS_MAX];
	size_t gets;
	bool getting;             /* transfer is of the first of them */
};

static void on_list(void *ctx, enum side from, const struct svn_item *items, size_t count);
static bool on_stream(void *ctx, enum side from, const struct svn_item *items, size_t count, uint64_t len);
static void on_bytes(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static void on_skipped(void *ctx, enum side from, uint64_t len);
static void on_string(void *ctx, enum side from, const struct svn_item *item);
static void take_client(struct svn *h, const struct svn_item *items, size_t count);
static void take_hello(struct svn *h, const struct svn_item *items, size_t count);
static void take_server(struct svn *h, const struct svn_item *items, size_t count);
static void take_editor(struct svn *h, enum side from, const struct svn_item *items, size_t count);
static void take_url(struct svn *h, const struct svn_item *url);
static void take_get(struct svn *h, const struct svn_item *items, size_t count);
static void end_get(struct svn *h, enum transfer_state state);
static void open_file(struct svn *h, const struct svn_item *items, size_t count);
static void begin_text(struct svn *h, enum side from, const struct svn_item *token);
static void end_text(struct svn *h, enum transfer_state state);
static struct file *find_file(struct svn *h, const struct svn_item *token);
static void forget_file(struct svn *h, const struct svn_item *token);
static bool is_word(const struct svn_item *items, size_t count, size_t at, const char *word);
static const struct svn_item *string_at(const struct svn_item *items, size_t count, size_t index);
static bool begins(const uint8_t *bytes, size_t len, const char *word);

static const struct svn_ops ops = {
        .list = on_list,
        .stream = on_stream,
        .bytes = on_bytes,
        .skipped = on_skipped,
        .string = on_string,
};

/* "( success ( 2 2 ( " from the server, "( 2 ( edit-pipeline svndiff1 ..." from the client. */
static enum verdict
svn_probe(const struct probe *p)
{
	const uint8_t *client = p->bytes[SIDE_SOURCE], *server = p->bytes[SIDE_DESTINATION];
	size_t client_len = p->len[SIDE_SOURCE], server_len = p->len[SIDE_DESTINATION];

	if (!begins(server, server_len, "( success ( ") || !begins(client, client_len, "( "))
		return VERDICT_NOT_MINE;
	if (server_len > 13)
		return server[12] >= '0' && server[12] <= '9' && server[13] == ' ' ? VERDICT_DONE : VERDICT_NOT_MINE;
	if (client_len > 4 && !(client[2] >= '0' && client[2] <= '9' && client[3] == ' ' && client[4] == '('))
		return VERDICT_NOT_MINE;
	if (client_len > 5 && memmem(client, client_len, "svn", 3) != NULL)
		return VERDICT_DONE;
	return client_len > 512 ? VERDICT_NOT_MINE : VERDICT_MORE;
}

static void *
svn_open(struct session *s)
{
	struct svn *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->session = s;
	h->list[SIDE_SOURCE] = svn_list_create(&ops, h, SIDE_SOURCE);
	h->list[SIDE_DESTINATION] = svn_list_create(&ops, h, SIDE_DESTINATION);
	if (h->list[SIDE_SOURCE] != NULL && h->list[SIDE_DESTINATION] != NULL)
		return h;
	svn_list_destroy(h->list[SIDE_SOURCE]);
	svn_list_destroy(h->list[SIDE_DESTINATION]);
	free(h);
	return NULL;
}

static void
lose(struct svn *h, enum side from)
{
	h->lost[from] = true;
	if (h->sender != from)
		return;
	svn_delta_gap(h->delta);
	end_text(h, TRANSFER_TRUNCATED);
}

static enum verdict
svn_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct svn *h = state;
	if (!h->lost[from] && !svn_list_bytes(h->list[from], bytes, len))
		lose(h, from);
	return VERDICT_MORE;
}

static enum verdict
svn_gap(void *state, enum side from, uint64_t len)
{
	struct svn *h = state;
	if (!h->lost[from] && !svn_list_gap(h->list[from], len))
		lose(h, from);
	return VERDICT_MORE;
}

static void
svn_close(void *state, bool reset)
{
	struct svn *h = state;
	end_text(h, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	svn_list_destroy(h->list[SIDE_SOURCE]);
	svn_list_destroy(h->list[SIDE_DESTINATION]);
	for (size_t i = 0; i < h->files; i++)
		free(h->file[i].path);
	for (size_t i = 0; i < h->gets; i++)
		free(h->get[i].path);
	free(h->file);
	free(h->root.path);
	free(h);
}

static bool
svn_finished(const void *state)
{
	const struct svn *h = state;
	return h->transfer == NULL;
}

const struct proto proto_svn = {
        .name = "svn",
        .transport = IPPROTO_TCP,
        .ports = {3690},
        .reads = "svn:// sessions: repository, user, and files of get-file, update (checkout, export), switch, diff and commit with "
                 "path, size and direction; content and SHA-256 of files that are sent whole",
        .infers = "",
        .misses = "content of files sent as differences to what the receiver has; properties; Subversion over HTTP or SSH is told "
                  "as those; sessions that SASL encrypts",
        .probe = svn_probe,
        .open = svn_open,
        .data = svn_data,
        .gap = svn_gap,
        .end = NULL,
        .close = svn_close,
        .finished = svn_finished,
};

static void
on_list(void *ctx, enum side from, const struct svn_item *items, size_t count)
{
	struct svn *h = ctx;
	if (from == SIDE_SOURCE)
		take_client(h, items, count);
	else
		take_server(h, items, count);
	take_editor(h, from, items, count);
}

/* ( textdelta-chunk ( TOKEN CHUNK ) ), and the strings that follow the answer to get-file. */
static bool
on_stream(void *ctx, enum side from, const struct svn_item *items, size_t count, uint64_t len)
{
	struct svn *h = ctx;

	if (count == 0 && from == SIDE_DESTINATION && h->gets > 0) {
		if (!h->getting) {
			h->getting = true;
			h->sender = from;
			h->transfer = transfer_begin(h->session, &(struct transfer_start){.sender = from,
			                                                 .method = "get-file",
			                                                 .path = h->get[0].path,
			                                                 .path_len = h->get[0].path_len});
			transfer_accepted(h->transfer);
		}
		if (len == 0)
			end_get(h, TRANSFER_COMPLETE);
		return true;
	}
	return count == 4 && is_word(items, count, 1, "textdelta-chunk") && items[3].kind == SVN_STRING && h->delta != NULL &&
	       h->sender == from;
}

static void
on_bytes(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct svn *h = ctx;
	(void)from;
	if (h->getting)
		transfer_append(h->transfer, bytes, len);
	else
		svn_delta_bytes(h->delta, bytes, len);
}

static void
on_skipped(void *ctx, enum side from, uint64_t len)
{
	struct svn *h = ctx;
	(void)from;
	if (h->getting)
		transfer_skip(h->transfer, len);
	else
		svn_delta_gap(h->delta);
}

/* The answer to a challenge: "user digest", or DIGEST-MD5's username="user". */
static void
on_string(void *ctx, enum side from, const struct svn_item *item)
{
	struct svn *h = ctx;
	const uint8_t *word, *space = memchr(item->bytes, ' ', item->len);

	if (from != SIDE_SOURCE || !h->authenticates || h->logged_in || item->cut)
		return;
	if ((word = memmem(item->bytes, item->len, "username=\"", 10)) != NULL) {
		word += 10;
		const uint8_t *quote = memchr(word, '"', item->len - (size_t)(word - item->bytes));
		if (quote != NULL)
			session_account(h->session, word, (size_t)(quote - word));
	} else if (space != NULL) {
		session_account(h->session, item->bytes, (size_t)(space - item->bytes));
	}
}

static void
take_client(struct svn *h, const struct svn_item *items, size_t count)
{
	static const char *const edits[] = {"update", "switch", "status", "diff", "commit", "replay", "replay-range"};
	uint8_t plain[USER_MAX];

	if (!h->greeted) {
		take_hello(h, items, count);
		return;
	}
	if (is_word(items, count, 1, "CRAM-MD5") || is_word(items, count, 1, "DIGEST-MD5"))
		h->authenticates = true;
	const struct svn_item *first = string_at(items, count, 0);
	if (is_word(items, count, 1, "PLAIN") && first != NULL && first->len < USER_MAX) {
		long n = text_base64_decode(plain, first->bytes, first->len);
		const uint8_t *user = n > 0 ? memchr(plain, '\0', (size_t)n) : NULL;
		size_t left = user != NULL ? (size_t)n - (size_t)(user + 1 - plain) : 0;
		const uint8_t *stop = left > 0 ? memchr(user + 1, '\0', left) : NULL;
		if (stop != NULL)
			session_account(h->session, user + 1, (size_t)(stop - user) - 1);
	}
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++)
		if (is_word(items, count, 1, edits[i])) {
			strcpy(h->method, edits[i]);
			session_detail(h->session, "svn.command", edits[i], strlen(edits[i]));
		}
	if (is_word(items, count, 1, "get-file"))
		take_get(h, items, count);
	if (is_word(items, count, 1, "reparent") && first != NULL)
		take_url(h, first);
}

/* ( 2 ( capabilities ) URL CLIENT ( ) ) */
static void
take_hello(struct svn *h, const struct svn_item *items, size_t count)
{
	const struct svn_item *url = string_at(items, count, 0), *client = string_at(items, count, 1);

	h->greeted = true;
	session_client_end(h->session, SIDE_SOURCE);
	if (url != NULL)
		take_url(h, url);
	if (client != NULL)
		session_client(h->session, client->bytes, client->len);
}

static void
take_url(struct svn *h, const struct svn_item *url)
{
	const uint8_t *host = memmem(url->bytes, url->len, "://", 3);

	session_detail(h->session, "svn.url", url->bytes, url->len);
	if (host == NULL)
		return;
	host += 3;
	size_t left = url->len - (size_t)(host - url->bytes);
	const uint8_t *slash = memchr(host, '/', left);
	free(h->root.path);
	h->root = (struct file){.path = slash != NULL ? malloc(left) : NULL};
	if (h->root.path != NULL)
		memcpy(h->root.path, slash, h->root.path_len = left - (size_t)(slash - host));
	if (h->named)
		return;
	session_service(h->session, host, slash != NULL ? (size_t)(slash - host) : left);
	h->named = true;
}

/* ( get-file ( PATH ( REVISION ) WANT-PROPERTIES WANT-CONTENT ... ) ) */
static void
take_get(struct svn *h, const struct svn_item *items, size_t count)
{
	const struct svn_item *path = string_at(items, count, 0);
	bool content = false;

	for (size_t i = 3, words = 0; i < count; i++)
		if (items[i].kind == SVN_WORD && ++words == 2)
			content = is_word(items, count, i, "true");
	if (!content || path == NULL || h->gets == GETS_MAX)
		return;
	/* An empty path is the URL itself. */
	const uint8_t *bytes = path->len > 0 ? path->bytes : h->root.path;
	size_t len = path->len > 0 ? path->len : h->root.path_len;
	struct file *f = &h->get[h->gets];
	*f = (struct file){.path = malloc(len + 1), .path_len = len};
	if (f->path == NULL)
		return;
	if (len > 0)
		memcpy(f->path, bytes, len);
	h->gets++;
}

static void
end_get(struct svn *h, enum transfer_state state)
{
	transfer_end(h->transfer, state);
	h->transfer = NULL;
	h->getting = false;
	free(h->get[0].path);
	h->gets--;
	memmove(h->get, h->get + 1, h->gets * sizeof h->get[0]);
}

static void
take_server(struct svn *h, const struct svn_item *items, size_t count)
{
	if (is_word(items, count, 1, "failure") && h->gets > 0)
		end_get(h, TRANSFER_ABORTED);
	/* ( success ( ) ) ends a login, ( REVISION ( DATE ) ( AUTHOR ) ( ) ) a commit. */
	if (h->authenticates && is_word(items, count, 1, "success"))
		h->logged_in = true;
	if (count > 1 && items[1].kind == SVN_NUMBER && strcmp(h->method, "commit") == 0)
		session_detail_number(h->session, "svn.revision", items[1].number);
}

/* The editor's commands, from the client in a commit, else from the server (protocol, section 3.2.2). */
static void
take_editor(struct svn *h, enum side from, const struct svn_item *items, size_t count)
{
	const struct svn_item *first = string_at(items, count, 0);

	if ((from == SIDE_SOURCE) != (strcmp(h->method, "commit") == 0))
		return;
	if (is_word(items, count, 1, "add-file") || is_word(items, count, 1, "open-file"))
		open_file(h, items, count);
	else if (is_word(items, count, 1, "apply-textdelta") && first != NULL)
		begin_text(h, from, first);
	else if (is_word(items, count, 1, "textdelta-end"))
		end_text(h, svn_delta_whole(h->delta) ? TRANSFER_COMPLETE : TRANSFER_TRUNCATED);
	else if (is_word(items, count, 1, "close-file") && first != NULL)
		forget_file(h, first);
	else if (is_word(items, count, 1, "abort-edit"))
		end_text(h, TRANSFER_ABORTED);
}

/* ( add-file ( PATH FOLDER-TOKEN TOKEN ... ) ) */
static void
open_file(struct svn *h, const struct svn_item *items, size_t count)
{
	const struct svn_item *path = string_at(items, count, 0), *token = string_at(items, count, 2);

	if (path == NULL || token == NULL || token->len > sizeof h->file->token || h->files == FILES_MAX)
		return;
	if ((h->files & (h->files - 1)) == 0) { /* at powers of two */
		struct file *larger = realloc(h->file, (h->files > 0 ? h->files * 2 : 1) * sizeof *larger);
		if (larger == NULL)
			return;
		h->file = larger;
	}
	struct file *f = &h->file[h->files];
	*f = (struct file){.path = malloc(path->len + 1), .path_len = path->len, .token_len = token->len};
	if (f->path == NULL)
		return;
	memcpy(f->path, path->bytes, path->len);
	memcpy(f->token, token->bytes, token->len);
	h->files++;
}

static void
begin_text(struct svn *h, enum side from, const struct svn_item *token)
{
	const struct file *f = find_file(h, token);

	end_text(h, TRANSFER_TRUNCATED);
	h->sender = from;
	h->transfer = transfer_begin(h->session, &(struct transfer_start){.sender = from,
	                                                 .method = h->method,
	                                                 .path = f != NULL ? f->path : NULL,
	                                                 .path_len = f != NULL ? f->path_len : 0});
	transfer_accepted(h->transfer);
	h->delta = svn_delta_create(h->transfer);
}

static void
end_text(struct svn *h, enum transfer_state state)
{
	if (h->getting) {
		end_get(h, state);
		return;
	}
	if (h->transfer != NULL) {
		transfer_detail_number(h->transfer, "svn.delta_bytes", svn_delta_sent(h->delta));
		if (svn_delta_whole(h->delta) && state == TRANSFER_COMPLETE)
			transfer_size(h->transfer, svn_delta_size(h->delta));
		transfer_end(h->transfer, state);
	}
	svn_delta_destroy(h->delta);
	h->transfer = NULL;
	h->delta = NULL;
}

static struct file *
find_file(struct svn *h, const struct svn_item *token)
{
	for (size_t i = h->files; i-- > 0;)
		if (h->file[i].token_len == token->len && memcmp(h->file[i].token, token->bytes, token->len) == 0)
			return &h->file[i];
	return NULL;
}

static void
forget_file(struct svn *h, const struct svn_item *token)
{
	struct file *f = find_file(h, token);
	if (f == NULL)
		return;
	free(f->path);
	*f = h->file[--h->files];
}

static bool
is_word(const struct svn_item *items, size_t count, size_t at, const char *word)
{
	return at < count && items[at].kind == SVN_WORD && text_equal_nocase(items[at].bytes, items[at].len, word);
}

/* The string with this index in a command's parameters, at their own level and below; NULL: there is none, or it was cut. */
static const struct svn_item *
string_at(const struct svn_item *items, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (items[i].kind == SVN_STRING && index-- == 0)
			return items[i].cut ? NULL : &items[i];
	return NULL;
}

static bool
begins(const uint8_t *bytes, size_t len, const char *word)
{
	size_t n = strlen(word);
	n = n < len ? n : len;
	return n == 0 || memcmp(bytes, word, n) == 0;
}
