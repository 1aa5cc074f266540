/*
 * Git's own protocol, versions 0 to 2: repository, refs, and the pack that is fetched or pushed, as a file
 * (git's Documentation: gitprotocol-pack, gitprotocol-v2, gitprotocol-common). Not read: the objects inside a pack;
 * Git over HTTP and SSH, which are those protocols'.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/text.h"
#include "proto/feed.h"

enum {
	LINE_KEPT = 2048,     /* bytes of a line that are looked at */
	REFS_KEPT = 32768,    /* bytes of advertised refs that are kept, to name what is wanted */
	REFS_TOLD = 32,
	LINE_MAX_LEN = 65520,
};

enum git_service { SERVICE_NONE, SERVICE_FETCH, SERVICE_PUSH, SERVICE_ARCHIVE };

enum step {
	STEP_HEAD,  /* four hexadecimal digits, or the beginning of a bare pack */
	STEP_LINE,
	STEP_REST,  /* of a line that is too long to be kept */
	STEP_BAND,  /* content of side-band 1 */
	STEP_PACK,  /* a bare pack, up to the end of this side */
	STEP_OVER,
};

struct half {
	enum step step;
	struct feed feed;
	uint32_t left; /* of the line */
	unsigned flushes;
};

struct git {
	struct session *session;
	struct half half[2]; /* the initiator is the client, always */
	enum git_service service;
	bool version2, requested;
	bool packfile;     /* version 2: content comes */
	bool in_content;   /* of a band */
	uint8_t *path;
	size_t path_len;
	char *refs;        /* "ID NAME\n" of each */
	size_t refs_len;
	unsigned refs_told;
	struct transfer *transfer;
	uint8_t head[12];  /* of the pack: signature, version, objects */
	size_t head_len;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t head_step(struct git *g, enum side from, const uint8_t *bytes, size_t len);
static void flush(struct git *g, enum side from);
static size_t line_step(struct git *g, enum side from, const uint8_t *bytes, size_t len);
static bool begins_band(const struct git *g, enum side from, uint8_t first);
static void take_request(struct git *g, const uint8_t *line, size_t len);
static void take_client(struct git *g, const uint8_t *line, size_t len);
static void take_server(struct git *g, const uint8_t *line, size_t len);
static void take_report(struct git *g, const uint8_t *line, size_t len);
static void keep_ref(struct git *g, const uint8_t *line, size_t len);
static void want(struct git *g, const uint8_t *id, size_t len);
static void tell_ref(struct git *g, const void *name, size_t len);
static void take_agent(struct git *g, enum side from, const uint8_t *line, size_t len);
static const uint8_t *find(const uint8_t *line, size_t len, const char *word);
static void content(struct git *g, enum side from, const uint8_t *bytes, size_t len);
static void end(struct git *g, enum transfer_state state);
static int hex_len(const uint8_t *bytes);

static const char *const verbs[] = {"", "git-upload-pack", "git-receive-pack", "git-upload-archive"};

/* The client's first line names its service; nothing else begins so. */
static enum verdict
git_probe(const struct probe *p)
{
	const uint8_t *bytes = p->bytes[SIDE_SOURCE];
	size_t len = p->len[SIDE_SOURCE];

	if (len == 0)
		return p->len[SIDE_DESTINATION] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	for (size_t i = 0; i < 4 && i < len; i++)
		if (!(bytes[i] >= '0' && bytes[i] <= '9') && !(bytes[i] >= 'a' && bytes[i] <= 'f'))
			return VERDICT_NOT_MINE;
	for (enum git_service s = SERVICE_FETCH; len > 4 && s <= SERVICE_ARCHIVE; s++) {
		size_t word = strlen(verbs[s]), n = len - 4 < word ? len - 4 : word;
		if (memcmp(bytes + 4, verbs[s], n) == 0)
			return n < word || len == 4 + word ? VERDICT_MORE : bytes[4 + word] == ' ' ? VERDICT_DONE : VERDICT_NOT_MINE;
	}
	return len <= 4 ? VERDICT_MORE : VERDICT_NOT_MINE;
}

static void *
git_open(struct session *s)
{
	struct git *g = calloc(1, sizeof *g);
	if (g == NULL)
		return NULL;
	g->session = s;
	session_client_end(s, SIDE_SOURCE);
	return g;
}

static enum verdict
git_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct git *g = state;
	struct half *half = &g->half[from];

	if (half->step != STEP_OVER && feed_bytes(&half->feed, step, g, from, bytes, len, NULL) != FEED_MORE) {
		half->step = STEP_OVER;
		if ((from == SIDE_SOURCE) == (g->service == SERVICE_PUSH))
			end(g, TRANSFER_TRUNCATED);
	}
	return VERDICT_MORE;
}

static enum verdict
git_gap(void *state, enum side from, uint64_t len)
{
	struct git *g = state;
	struct half *half = &g->half[from];

	feed_gap(&half->feed);
	if (half->step == STEP_PACK) {
		transfer_skip(g->transfer, len);
	} else if ((half->step == STEP_BAND || half->step == STEP_REST) && len <= half->left) {
		if (half->step == STEP_BAND)
			transfer_skip(g->transfer, len);
		half->left -= (uint32_t)len;
		half->step = half->left == 0 ? STEP_HEAD : half->step;
	} else {
		half->step = STEP_OVER;
		if ((from == SIDE_SOURCE) == (g->service == SERVICE_PUSH))
			end(g, TRANSFER_TRUNCATED);
	}
	return VERDICT_MORE;
}

/* A bare pack ends with its side. */
static void
git_end(void *state, enum side from)
{
	struct git *g = state;
	if (g->half[from].step == STEP_PACK)
		end(g, TRANSFER_COMPLETE);
}

static void
git_close(void *state, bool reset)
{
	struct git *g = state;
	end(g, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	feed_clear(&g->half[SIDE_SOURCE].feed);
	feed_clear(&g->half[SIDE_DESTINATION].feed);
	free(g->path);
	free(g->refs);
	free(g);
}

static bool
git_finished(const void *state)
{
	const struct git *g = state;
	return g->transfer == NULL;
}

const struct proto proto_git = {
        .name = "git",
        .transport = IPPROTO_TCP,
        .ports = {9418},
        .reads = "git:// fetch, push and archive: repository, refs fetched or pushed, agents, and the pack as a file with size, "
                 "number of objects and SHA-256",
        .infers = "",
        .misses = "the files inside a pack; Git over HTTP or SSH is told as HTTP or SSH",
        .probe = git_probe,
        .open = git_open,
        .data = git_data,
        .gap = git_gap,
        .end = git_end,
        .close = git_close,
        .finished = git_finished,
};

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct git *g = ctx;
	struct half *half = &g->half[from];
	size_t n;

	switch (half->step) {
	case STEP_HEAD:
		return head_step(g, from, bytes, len);
	case STEP_LINE:
		return line_step(g, from, bytes, len);
	case STEP_PACK:
		content(g, from, bytes, len);
		return len;
	case STEP_REST:
	case STEP_BAND:
		n = len < half->left ? len : half->left;
		if (half->step == STEP_BAND)
			content(g, from, bytes, n);
		half->left -= (uint32_t)n;
		half->step = half->left == 0 ? STEP_HEAD : half->step;
		return n;
	case STEP_OVER:
		break;
	}
	return STEP_LOST;
}

static size_t
head_step(struct git *g, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &g->half[from];

	if (len < 4)
		return STEP_MORE;
	if (memcmp(bytes, "PACK", 4) == 0 && half->flushes > 0 &&
	        (from == SIDE_SOURCE) == (g->service == SERVICE_PUSH)) {
		half->step = STEP_PACK;
		content(g, from, bytes, 4);
		return 4;
	}
	int n = hex_len(bytes);
	if (n < 0 || n == 3 || n > LINE_MAX_LEN || (n < 4 && from == SIDE_SOURCE && !g->requested))
		return STEP_LOST;
	if (n < 4) {
		flush(g, from);
		return 4;
	}
	half->left = (uint32_t)n - 4;
	half->step = half->left > 0 ? STEP_LINE : STEP_HEAD;
	return 4;
}

/* 0000 ends refs, wants, and content. */
static void
flush(struct git *g, enum side from)
{
	g->half[from].flushes++;
	if (from != SIDE_DESTINATION)
		return;
	if (g->in_content)
		end(g, TRANSFER_COMPLETE);
	g->in_content = g->packfile = false;
}

static size_t
line_step(struct git *g, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &g->half[from];

	if (begins_band(g, from, bytes[0])) {
		half->left--;
		half->step = bytes[0] == 1 ? STEP_BAND : STEP_REST;
		if (bytes[0] == 3) /* a fatal error, in words */
			end(g, TRANSFER_ABORTED);
		if (half->left == 0)
			half->step = STEP_HEAD;
		else if (bytes[0] == 1)
			g->in_content = true;
		return 1;
	}
	size_t n = half->left < LINE_KEPT ? half->left : LINE_KEPT;
	if (len < n)
		return STEP_MORE;
	size_t text = n;
	while (text > 0 && (bytes[text - 1] == '\n' || bytes[text - 1] == '\r'))
		text--;
	if (from == SIDE_SOURCE && !g->requested)
		take_request(g, bytes, n);
	else if (from == SIDE_SOURCE)
		take_client(g, bytes, text);
	else
		take_server(g, bytes, text);
	half->left -= (uint32_t)n;
	half->step = half->left > 0 ? STEP_REST : STEP_HEAD;
	return n;
}

/* What a server sends behind its refs: 1 content, 2 progress, 3 an error. */
static bool
begins_band(const struct git *g, enum side from, uint8_t first)
{
	if (from != SIDE_DESTINATION || first < 1 || first > 3 || g->service == SERVICE_PUSH)
		return false;
	return g->version2 ? g->packfile : g->half[from].flushes > 0;
}

/* "git-upload-pack /path\0host=name\0\0version=2\0" */
static void
take_request(struct git *g, const uint8_t *line, size_t len)
{
	const uint8_t *space = memchr(line, ' ', len), *zero = memchr(line, '\0', len), *end_of = line + len;
	size_t path_end = zero != NULL ? (size_t)(zero - line) : len;

	g->requested = true;
	for (enum git_service s = SERVICE_FETCH; s <= SERVICE_ARCHIVE; s++)
		if (space != NULL && text_equal_nocase(line, (size_t)(space - line), verbs[s]))
			g->service = s;
	if (g->service == SERVICE_NONE || (size_t)(space + 1 - line) > path_end)
		return;
	while (path_end > 0 && line[path_end - 1] == '\n')
		path_end--;
	size_t at = (size_t)(space + 1 - line);
	g->path = malloc(path_end - at + 1);
	if (g->path != NULL)
		memcpy(g->path, line + at, g->path_len = path_end - at);
	session_detail(g->session, "git.repository", line + at, path_end - at);
	static const char *const kinds[] = {"", "fetch", "push", "archive"};
	session_detail(g->session, "git.request", kinds[g->service], strlen(kinds[g->service]));
	while (zero != NULL && zero + 1 < end_of) {
		const uint8_t *word = zero + 1;
		zero = memchr(word, '\0', (size_t)(end_of - word));
		size_t n = zero != NULL ? (size_t)(zero - word) : (size_t)(end_of - word);
		if (text_prefix_nocase(word, n, "host="))
			session_service(g->session, word + 5, n - 5);
	}
}

/* Fetch: "want ID capabilities"; push: "OLD NEW REF\0capabilities"; version 2: "command=fetch". */
static void
take_client(struct git *g, const uint8_t *line, size_t len)
{
	const uint8_t *zero = memchr(line, '\0', len), *space = memchr(line, ' ', len);

	take_agent(g, SIDE_SOURCE, line, len);
	if (g->service == SERVICE_PUSH) {
		size_t id = space != NULL ? (size_t)(space - line) : 0, n = zero != NULL ? (size_t)(zero - line) : len;
		if (id >= 40 && n > 2 * id + 2 && line[2 * id + 1] == ' ')
			tell_ref(g, line + 2 * id + 2, n - 2 * id - 2);
	} else if (text_prefix_nocase(line, len, "want-ref ")) {
		tell_ref(g, line + 9, len - 9);
	} else if (text_prefix_nocase(line, len, "want ")) {
		space = memchr(line + 5, ' ', len - 5);
		want(g, line + 5, space != NULL ? (size_t)(space - line) - 5 : len - 5);
	} else if (g->service == SERVICE_ARCHIVE && text_prefix_nocase(line, len, "argument ")) {
		session_detail(g->session, "git.argument", line + 9, len - 9);
	}
}

static void
take_server(struct git *g, const uint8_t *line, size_t len)
{
	take_agent(g, SIDE_DESTINATION, line, len);
	if (len > 4 && memcmp(line, "ERR ", 4) == 0)
		session_detail(g->session, "git.error", line + 4, len - 4);
	else if (len == 9 && memcmp(line, "version 2", 9) == 0)
		g->version2 = true;
	else if (len == 8 && memcmp(line, "packfile", 8) == 0)
		g->packfile = g->version2;
	else if (g->service == SERVICE_PUSH && g->half[SIDE_DESTINATION].flushes > 0)
		take_report(g, line, len);
	else
		keep_ref(g, line, len);
	if (len > 8 && memcmp(line, "version ", 8) == 0)
		session_detail(g->session, "git.version", line + 8, len - 8);
}

/* What became of a push, plain or in a band. */
static void
take_report(struct git *g, const uint8_t *line, size_t len)
{
	if (find(line, len, "unpack ok") != NULL)
		end(g, TRANSFER_COMPLETE);
	else if (find(line, len, "unpack ") != NULL)
		end(g, TRANSFER_ABORTED);
}

/* "ID NAME", behind the first one its capabilities. */
static void
keep_ref(struct git *g, const uint8_t *line, size_t len)
{
	const uint8_t *space = memchr(line, ' ', len);
	size_t id = space != NULL ? (size_t)(space - line) : 0, n = 0;

	if (id != 40 && id != 64)
		return;
	while (n < len && (n <= id || (line[n] != '\0' && line[n] != ' ' && line[n] != '\n')))
		n++;
	if (n <= id + 1 || n + 1 > REFS_KEPT - g->refs_len || line[n - 1] == '}') /* what a tag stands for */
		return;
	char *larger = realloc(g->refs, g->refs_len + n + 1);
	if (larger == NULL)
		return;
	g->refs = larger;
	memcpy(g->refs + g->refs_len, line, n);
	g->refs[g->refs_len + n] = '\n';
	g->refs_len += n + 1;
}

/* Names of what is wanted, by number; HEAD only where nothing else has it. */
static void
want(struct git *g, const uint8_t *id, size_t len)
{
	if (g->refs == NULL)
		return;
	const char *at = g->refs, *stop = g->refs + g->refs_len;
	while (len >= 40 && at < stop) {
		const char *newline = memchr(at, '\n', (size_t)(stop - at));
		size_t n = (size_t)(newline - at);
		if (n > len + 1 && memcmp(at, id, len) == 0 && n - len - 1 != 4)
			tell_ref(g, at + len + 1, n - len - 1);
		at = newline + 1;
	}
}

static void
tell_ref(struct git *g, const void *name, size_t len)
{
	if (g->refs_told++ < REFS_TOLD)
		session_detail(g->session, "git.ref", name, len);
}

static void
take_agent(struct git *g, enum side from, const uint8_t *line, size_t len)
{
	const uint8_t *agent = find(line, len, "agent=");
	size_t n = 0, left;

	if (agent == NULL)
		return;
	agent += 6;
	left = len - (size_t)(agent - line);
	while (n < left && agent[n] > ' ')
		n++;
	if (from == SIDE_SOURCE)
		session_client(g->session, agent, n);
	else
		session_server(g->session, agent, n);
}

static const uint8_t *
find(const uint8_t *line, size_t len, const char *word)
{
	return memmem(line, len, word, strlen(word));
}

static void
content(struct git *g, enum side from, const uint8_t *bytes, size_t len)
{
	if (g->transfer == NULL && g->head_len == 0) {
		g->transfer = transfer_begin(g->session, &(struct transfer_start){.sender = from,
		                                                 .method = verbs[g->service],
		                                                 .path = g->path,
		                                                 .path_len = g->path_len});
	}
	if (g->head_len < sizeof g->head) {
		size_t n = sizeof g->head - g->head_len;
		n = n < len ? n : len;
		memcpy(g->head + g->head_len, bytes, n);
		g->head_len += n;
		struct reader r = reader_init(g->head, g->head_len);
		const uint8_t *sign = reader_take(&r, 4);
		uint32_t version = reader_be32(&r), objects = reader_be32(&r);
		if (reader_ok(&r) && memcmp(sign, "PACK", 4) == 0) {
			transfer_detail_number(g->transfer, "git.pack_version", version);
			transfer_detail_number(g->transfer, "git.objects", objects);
		}
	}
	transfer_append(g->transfer, bytes, len);
}

static void
end(struct git *g, enum transfer_state state)
{
	transfer_end(g->transfer, state);
	g->transfer = NULL;
	g->head_len = 0;
}

/* Four hexadecimal digits; -1: they are not. */
static int
hex_len(const uint8_t *bytes)
{
	int n = 0;
	for (size_t i = 0; i < 4; i++) {
		int c = bytes[i] | 0x20;
		int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
		if (digit < 0)
			return -1;
		n = n << 4 | digit;
	}
	return n;
}
