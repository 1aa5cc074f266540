/* Names of SMB as UTF-8 in fixed room: UTF-16LE (MS-SMB2 2.1, MS-CIFS 2.2.1.1) or a code page's bytes. */
#ifndef WAYBILL_PROTO_SMB_TEXT_H
#define WAYBILL_PROTO_SMB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

enum { SMB_TEXT_MAX = 2048 };

struct smb_text {
	size_t len;
	bool wide;            /* it was UTF-16; else the bytes are of an unknown code page */
	char bytes[SMB_TEXT_MAX];
};

/* All of r, up to a zero character; what is beyond SMB_TEXT_MAX is cut. A lone surrogate becomes U+FFFD. */
void smb_text_wide(struct smb_text *t, struct reader r);
void smb_text_narrow(struct smb_text *t, struct reader r);

/*
 * A zero-terminated string at r's beginning, and r behind it. wide: as UTF-16. One without an end goes to
 * the end of r. Where it has to be aligned (MS-CIFS 2.2.1.1) is the caller's affair.
 */
void smb_text_take(struct smb_text *t, struct reader *r, bool wide);

/* Appends as far as there is room. */
void smb_text_add(struct smb_text *t, const void *bytes, size_t len);

/* ASCII letters of either case are the same. */
bool smb_text_equal(const struct smb_text *t, const char *word);

#endif
