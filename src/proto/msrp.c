/*
 * MSRP (RFC 4975): what messengers over SIP send each other, files among it, in chunks that name their place. A message
 * is a file when SIP announced one for this session (RFC 5547), when it says that it is one, or by its type.
 * Not read: words, reports, message/cpim's inside, relays' authentication; MSRP over TLS.
 */
#include "config.h"

#include "proto/proto.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/feed.h"

enum { MESSAGES_MAX = 8, ID_MAX = 64, TID_MAX = 32, PATH_LEN_MAX = 256 };

struct file {
	uint8_t id[ID_MAX];
	size_t id_len;
	struct transfer *transfer;
};

struct half {
	struct feed feed;
	bool over, body;
	uint8_t end[7 + 2 + TID_MAX]; /* CR LF, seven dashes, the transaction */
	size_t end_len;
	uint64_t at;     /* in the message */
	uint64_t stop;   /* where the chunk ends; 0: not said */
	size_t message;  /* index; MESSAGES_MAX: no file */
	bool after;      /* the body's end line was found: a sign and a line end follow */
	bool begun;      /* the body has begun: before it the end line may stand at once */
};

struct msrp {
	struct session *session;
	struct half half[2];
	struct file file[MESSAGES_MAX];
	size_t files;
};

struct head {
	const uint8_t *id, *to, *from, *range, *type, *disposition;
	size_t id_len, to_len, from_len, range_len, type_len, disposition_len;
};

static size_t step(void *ctx, enum side from, const uint8_t *bytes, size_t len);
static size_t head_step(struct msrp *h, enum side from, const uint8_t *bytes, size_t len);
static size_t body_step(struct msrp *h, enum side from, const uint8_t *bytes, size_t len);
static size_t end_step(struct msrp *h, enum side from, const uint8_t *bytes, size_t len);
static void take_send(struct msrp *h, enum side from, const struct head *head);
static size_t announced(struct msrp *h, const uint8_t *path, size_t len, const uint8_t **name);
static bool is_chat(const struct head *head);
static void read_range(struct half *half, const struct head *head, bool *sized, uint64_t *size);
static enum verdict probe_half(const uint8_t *bytes, size_t len);

static enum verdict
msrp_probe(const struct probe *p)
{
	enum verdict a = probe_half(p->bytes[0], p->len[0]), b = probe_half(p->bytes[1], p->len[1]);
	if (a == VERDICT_DONE || b == VERDICT_DONE)
		return VERDICT_DONE;
	return a == VERDICT_NOT_MINE || b == VERDICT_NOT_MINE ? VERDICT_NOT_MINE : VERDICT_MORE;
}

/* "MSRP TRANSACTION SEND", or a number */
static enum verdict
probe_half(const uint8_t *bytes, size_t len)
{
	size_t text;

	if (len == 0)
		return VERDICT_MORE;
	if (memcmp(bytes, "MSRP ", len < 5 ? len : 5) != 0)
		return VERDICT_NOT_MINE;
	if (feed_line(bytes, len, &text) == 0)
		return len > 128 ? VERDICT_NOT_MINE : VERDICT_MORE;
	const uint8_t *space = text > 5 ? memchr(bytes + 5, ' ', text - 5) : NULL;
	size_t left = space != NULL ? text - (size_t)(space + 1 - bytes) : 0;
	return left >= 3 && space[1] >= '0' && space[1] <= 'Z' ? VERDICT_DONE : VERDICT_NOT_MINE;
}

static void *
msrp_open(struct session *s)
{
	struct msrp *h = calloc(1, sizeof *h);
	if (h != NULL)
		h->session = s;
	return h;
}

static enum verdict
msrp_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct msrp *h = state;
	struct half *half = &h->half[from];
	if (!half->over && feed_bytes(&half->feed, step, h, from, bytes, len, NULL) != FEED_MORE)
		half->over = true;
	return VERDICT_MORE;
}

static enum verdict
msrp_gap(void *state, enum side from, uint64_t len)
{
	struct msrp *h = state;
	struct half *half = &h->half[from];

	/* What was held of the body is lost as well: its place is known, and it is small. */
	uint64_t held = half->feed.len;
	feed_gap(&half->feed);
	if (half->body && half->stop > 0 && half->at + held + len <= half->stop)
		half->at += held + len;
	else
		half->over = true;
	return VERDICT_MORE;
}

static void
msrp_close(void *state, bool reset)
{
	struct msrp *h = state;
	for (size_t i = 0; i < h->files; i++)
		transfer_end(h->file[i].transfer, reset ? TRANSFER_ABORTED : TRANSFER_TRUNCATED);
	feed_clear(&h->half[0].feed);
	feed_clear(&h->half[1].feed);
	free(h);
}

static bool
msrp_finished(const void *state)
{
	const struct msrp *h = state;
	for (size_t i = 0; i < h->files; i++)
		if (h->file[i].transfer != NULL)
			return false;
	return true;
}

const struct proto proto_msrp = {
        .name = "msrp",
        .transport = IPPROTO_TCP,
        .ports = {2855},
        .reads = "files in chunks, with the name that SIP or the message gives them, size and content",
        .infers = "",
        .misses = "words; MSRP over TLS",
        .probe = msrp_probe,
        .open = msrp_open,
        .data = msrp_data,
        .gap = msrp_gap,
        .end = NULL,
        .close = msrp_close,
        .finished = msrp_finished,
};

static size_t
step(void *ctx, enum side from, const uint8_t *bytes, size_t len)
{
	struct msrp *h = ctx;
	struct half *half = &h->half[from];

	if (half->after)
		return end_step(h, from, bytes, len);
	return half->body ? body_step(h, from, bytes, len) : head_step(h, from, bytes, len);
}

/* Headers up to an empty line, behind which a body follows, or up to the end line where there is none. */
static size_t
head_step(struct msrp *h, enum side from, const uint8_t *bytes, size_t len)
{
	static const struct {
		const char *name;
		size_t at, len_at;
	} wanted[] = {
	        {"Message-ID:", offsetof(struct head, id), offsetof(struct head, id_len)},
	        {"To-Path:", offsetof(struct head, to), offsetof(struct head, to_len)},
	        {"From-Path:", offsetof(struct head, from), offsetof(struct head, from_len)},
	        {"Byte-Range:", offsetof(struct head, range), offsetof(struct head, range_len)},
	        {"Content-Type:", offsetof(struct head, type), offsetof(struct head, type_len)},
	        {"Content-Disposition:", offsetof(struct head, disposition), offsetof(struct head, disposition_len)},
	};
	struct half *half = &h->half[from];
	struct head head = {0};
	size_t text, n = feed_line(bytes, len, &text), all = n;

	if (n == 0)
		return STEP_MORE;
	const uint8_t *space = text > 5 && memcmp(bytes, "MSRP ", 5) == 0 ? memchr(bytes + 5, ' ', text - 5) : NULL;
	size_t tid = space != NULL ? (size_t)(space - bytes) - 5 : 0;
	if (tid == 0 || tid > TID_MAX)
		return STEP_LOST;
	bool send = text_equal_nocase(space + 1, text - 6 - tid, "SEND");
	memcpy(half->end, "\r\n-------", 9);
	memcpy(half->end + 9, bytes + 5, tid);
	half->end_len = 9 + tid;
	while ((n = feed_line(bytes + all, len - all, &text)) > 0) {
		const uint8_t *line = bytes + all;
		all += n;
		if (text == 0) {
			half->body = true;
			half->begun = false;
			half->message = MESSAGES_MAX;
			if (send)
				take_send(h, from, &head);
			return all;
		}
		if (text == half->end_len - 2 + 1 && memcmp(line, half->end + 2, half->end_len - 2) == 0)
			return all;
		for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
			size_t word = strlen(wanted[i].name);
			if (!text_prefix_nocase(line, text, wanted[i].name))
				continue;
			const uint8_t *value = line + word;
			size_t value_len = text - word;
			text_trim(&value, &value_len);
			memcpy((char *)&head + wanted[i].at, &value, sizeof value);
			memcpy((char *)&head + wanted[i].len_at, &value_len, sizeof value_len);
		}
	}
	return STEP_MORE;
}

/* Up to the end line. */
static size_t
body_step(struct msrp *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];
	/* An empty body has no line end of its own before the end line. */
	if (!half->begun && half->end_len <= len + 2 && memcmp(bytes, half->end + 2, half->end_len - 2) == 0) {
		half->after = true;
		return half->end_len - 2;
	}
	if (len < half->end_len)
		return STEP_MORE;
	const uint8_t *end = memmem(bytes, len, half->end, half->end_len);
	size_t n = end != NULL ? (size_t)(end - bytes) : len - (half->end_len - 1);
	half->begun = true;
	if (half->message < MESSAGES_MAX)
		transfer_data(h->file[half->message].transfer, half->at, bytes, n);
	half->at += n;
	if (end == NULL)
		return n;
	half->after = true;
	return n + half->end_len;
}

/* $: the message is whole, +: more of it comes, #: it was given up. */
static size_t
end_step(struct msrp *h, enum side from, const uint8_t *bytes, size_t len)
{
	struct half *half = &h->half[from];
	struct file *f = half->message < MESSAGES_MAX ? &h->file[half->message] : NULL;

	if (len < 3)
		return STEP_MORE;
	if (f != NULL && bytes[0] != '+') {
		transfer_end(f->transfer, bytes[0] == '$' ? TRANSFER_COMPLETE : TRANSFER_ABORTED);
		f->transfer = NULL;
		f->id_len = 0;
	}
	half->body = half->after = false;
	return 3;
}

static void
take_send(struct msrp *h, enum side from, const struct head *head)
{
	struct half *half = &h->half[from];
	const uint8_t *name = NULL;
	uint64_t size = 0;
	bool sized = false;
	size_t i, len = announced(h, head->to, head->to_len, &name);

	read_range(half, head, &sized, &size);
	if (name == NULL)
		len = announced(h, head->from, head->from_len, &name);
	const uint8_t *given = head->disposition != NULL ? memmem(head->disposition, head->disposition_len, "filename=\"", 10) : NULL;
	if (name == NULL && given != NULL) {
		name = given + 10;
		const uint8_t *quote = memchr(name, '"', head->disposition_len - (size_t)(name - head->disposition));
		len = quote != NULL ? (size_t)(quote - name) : 0;
	}
	if ((name == NULL && is_chat(head)) || head->type == NULL || head->id == NULL || head->id_len > ID_MAX)
		return;
	for (i = 0; i < h->files; i++)
		if (h->file[i].id_len == head->id_len && memcmp(h->file[i].id, head->id, head->id_len) == 0)
			break;
	for (size_t k = 0; i == h->files && k < h->files; k++)
		if (h->file[k].transfer == NULL)
			i = k;
	if (i == MESSAGES_MAX)
		return;
	half->message = i;
	struct file *f = &h->file[i];
	if (i == h->files)
		h->files++;
	if (f->transfer != NULL)
		return;
	memcpy(f->id, head->id, f->id_len = head->id_len);
	f->transfer = transfer_begin(h->session, &(struct transfer_start){.sender = from,
	                                                 .method = "SEND",
	                                                 .path = name,
	                                                 .path_len = len,
	                                                 .size_known = sized,
	                                                 .size = size});
	transfer_mime(f->transfer, head->type, head->type_len);
}

/* The name of the file that SIP announced for this session: "msrp://HOST:PORT/SESSION;tcp", the last of several. */
static size_t
announced(struct msrp *h, const uint8_t *path, size_t len, const uint8_t **name)
{
	static const char prefix[] = "msrp.path:";
	uint8_t key[sizeof prefix - 1 + PATH_LEN_MAX];
	size_t n = 0, note_len;

	const uint8_t *space = path != NULL && len > 0 ? memrchr(path, ' ', len) : NULL;
	if (space != NULL) {
		len -= (size_t)(space + 1 - path);
		path = space + 1;
	}
	while (n < len && path[n] != ';')
		n++;
	if (n == 0 || n > PATH_LEN_MAX)
		return 0;
	memcpy(key, prefix, sizeof prefix - 1);
	memcpy(key + sizeof prefix - 1, path, n);
	*name = session_noted(h->session, NOTE_ALL, key, sizeof prefix - 1 + n, &note_len);
	return *name != NULL ? note_len : 0;
}

static bool
is_chat(const struct head *head)
{
	static const char *const types[] = {"text/", "message/", "multipart/", "application/im-iscomposing"};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (head->type == NULL || text_prefix_nocase(head->type, head->type_len, types[i]))
			return true;
	return false;
}

/* "1-100/200", each of the last two also "*". */
static void
read_range(struct half *half, const struct head *head, bool *sized, uint64_t *size)
{
	const uint8_t *dash = head->range != NULL ? memchr(head->range, '-', head->range_len) : NULL;
	const uint8_t *slash = dash != NULL ? memchr(dash, '/', head->range_len - (size_t)(dash - head->range)) : NULL;
	uint64_t first = 1;

	half->at = half->stop = 0;
	if (slash == NULL || text_to_u64(head->range, (size_t)(dash - head->range), &first) != 0 || first == 0)
		return;
	half->at = first - 1;
	if (text_to_u64(dash + 1, (size_t)(slash - dash) - 1, &half->stop) != 0 || half->stop < half->at)
		half->stop = 0;
	*sized = text_to_u64(slash + 1, head->range_len - (size_t)(slash + 1 - head->range), size) == 0;
}
