/* SMTP, shared by its files: what a session knows, and how it begins. */
#ifndef WAYBILL_PROTO_SMTP_H
#define WAYBILL_PROTO_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "proto/dots.h"
#include "proto/lines.h"
#include "proto/mail.h"
#include "proto/owed.h"
#include "proto/proto.h"
#include "proto/sasl.h"

enum {
	SMTP_RECIPIENTS_MAX = 64, /* of one mail that are kept */
	SMTP_ENVELOPE_MAX = 64 * 1024,
};

enum smtp_verb {
	SMTP_OTHER,
	SMTP_HELLO,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_BDAT,
	SMTP_BDAT_LAST,
	SMTP_CONTENT, /* no command: the end of a mail's text, which is answered */
	SMTP_RSET,
	SMTP_STARTTLS,
	SMTP_AUTH,
	SMTP_QUIT,
	SMTP_NOOP,    /* and others that change nothing */
};

enum smtp_state { /* of what the client sends */
	SMTP_COMMANDS,
	SMTP_ASKED, /* behind DATA: what comes next is the mail, unless the server refuses */
	SMTP_TEXT,  /* a mail, up to its dot */
	SMTP_CHUNK, /* a mail, chunk_left bytes of it */
};

struct smtp_recipient {
	const uint8_t *address;
	size_t len;
	bool refused;
};

struct smtp_envelope {
	struct arena arena;
	const uint8_t *from;
	size_t from_len;
	struct smtp_recipient to[SMTP_RECIPIENTS_MAX];
	size_t count, answered, accepted;
	uint64_t left_out;
};

struct smtp {
	struct session *session;
	enum side client;
	bool sides_known, lmtp, greeted, heard; /* heard: the server said something */
	enum smtp_state state;
	bool torn;        /* bytes of the mail at hand were not seen, perhaps its end */
	bool wants_tls;   /* STARTTLS was sent */
	bool challenged;  /* the next line answers a challenge of SASL */
	bool broken_off;  /* the client ended within a mail */
	struct lines lines[2];
	struct sasl sasl;
	struct dots dots;
	uint64_t chunk_left;
	bool chunk_last;
	struct owed owed; /* enum smtp_verb */
	struct smtp_envelope *envelope; /* NULL: none */
	struct mail *mail;  /* its content is coming */
	struct mail *sent;  /* it waits for the server's answer */
	struct mail_log log;
};

enum verdict smtp_probe(const struct probe *p);
/* The verb that begins a client's line, with what follows it; false: none that is known. */
bool smtp_command(const uint8_t *line, size_t len, enum smtp_verb *verb, const uint8_t **arg, size_t *arg_len);
/* A reply's code, 0: it is none. *more: other lines follow (RFC 5321 section 4.2.1). */
unsigned smtp_reply_code(const uint8_t *line, size_t len, bool *more);

/* The dialogue: a line of the client, and a reply's last line. */
enum verdict smtp_take_command(struct smtp *s, const struct line *line);
enum verdict smtp_take_reply(struct smtp *s, unsigned code, const uint8_t *text, size_t len);
/* The content is over (its dot, its last chunk), or broken off. */
void smtp_mail_over(struct smtp *s, enum transfer_state state);
void smtp_mail_begin(struct smtp *s, const char *method);
/* A mail begins behind DATA; its dot was seen. */
void smtp_text_begin(struct smtp *s);
void smtp_text_over(struct smtp *s);
void smtp_mail_answered(struct smtp *s, unsigned code);
void smtp_clear(struct smtp *s, enum transfer_state state);

#endif
