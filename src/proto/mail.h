/*
 * A mail that streams by (RFC 5322, RFC 2045 to 2049), over whatever protocol: each attachment of it, however deep,
 * becomes a transfer that knows the mail's sender, recipients and subject. The mail as such is none.
 */
#ifndef WAYBILL_PROTO_MAIL_H
#define WAYBILL_PROTO_MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "proto/mime_header.h"
#include "transfer/transfer.h"

struct mail;

enum { MAIL_DETAILS_MAX = 60 };

struct mail_detail {
	const char *key;  /* static */
	const char *utf8;
};

/* What a session's mails said, told when the session ends, so that no file gets it from a mail that is not its own. */
struct mail_log { /* embedded; all zero is the initial state */
	struct arena arena;
	struct mail_detail *detail; /* on the heap, MAIL_DETAILS_MAX; NULL: none yet */
	size_t count;
	uint64_t mails, files;
};

void mail_log_tell(const struct mail_log *log, struct session *s);
void mail_log_clear(struct mail_log *log);

struct mail_start {
	enum side sender;
	const char *method;   /* static: "DATA", "RETR" */
	struct mail_log *log; /* outlives the mail; NULL: none */
	bool answered;        /* its receiver will say whether it takes it: files are told then */
};

/* NULL: out of memory; all functions below take that. */
struct mail *mail_open(struct session *s, const struct mail_start *start);
/* What is known of it from elsewhere (the envelope); before its first byte. key: static. */
void mail_detail(struct mail *m, const char *key, const void *bytes, size_t len, const char *charset);
/* So many more values were known, and not told. */
void mail_left_out(struct mail *m, uint64_t count);
/* It is a part alone, whose header is known from elsewhere: any field may be NULL. Before its first byte. */
void mail_bare(struct mail *m, const struct mime_field *type, const struct mime_field *encoding,
        const struct mime_field *disposition);

void mail_data(struct mail *m, const uint8_t *bytes, size_t len);
void mail_skip(struct mail *m, uint64_t len);
/* No more of it comes. Files still open end so. */
void mail_end(struct mail *m, enum transfer_state state);
/* The receiver's answer, 0 for none; files that waited for it are told. Ends the mail as truncated if it was not. Frees m. */
void mail_close(struct mail *m, unsigned status);
/* Is a file of it open, or waiting? */
bool mail_holds(const struct mail *m);

#endif
