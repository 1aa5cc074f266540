/*
 * Files that stand in the text of a mail or article: uuencode (POSIX uuencode, both alphabets) and yEnc (draft 1.3,
 * www.yenc.org). Each is a transfer of its own.
 */
#ifndef WAYBILL_PROTO_MAIL_TEXT_H
#define WAYBILL_PROTO_MAIL_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "proto/mail.h"

struct mail_text;

/* NULL: out of memory; the functions below take that. */
struct mail_text *mail_text_create(struct mail *m);
void mail_text_data(struct mail_text *t, const uint8_t *bytes, size_t len);
void mail_text_gap(struct mail_text *t, uint64_t len);
/* A file that is open ends so, or as truncated. Frees t. */
void mail_text_close(struct mail_text *t, enum transfer_state state);

#endif
