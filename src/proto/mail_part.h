/* One node of a mail's tree: the mail itself, a part of it, or a mail in it. Between mail.c and mail_part.c only. */
#ifndef WAYBILL_PROTO_MAIL_PART_H
#define WAYBILL_PROTO_MAIL_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/mail.h"
#include "proto/mime_header.h"

struct mail_part;

/* The fields of a header that say what its content is; name NULL: not there. Borrowed. */
struct mail_fields {
	struct mime_field type, encoding, disposition;
};

/* A mail whose header comes first. NULL: out of memory. */
struct mail_part *mail_part_message(struct mail *m, unsigned depth);
/* Content whose header is known. */
struct mail_part *mail_part_content(struct mail *m, unsigned depth, const struct mail_fields *f, bool in_digest);
/* All take NULL. */
void mail_part_data(struct mail_part *p, const uint8_t *bytes, size_t len);
void mail_part_skip(struct mail_part *p, uint64_t len);
/* It is over; what is open in it ends so. Frees p. */
void mail_part_close(struct mail_part *p, enum transfer_state state);

/* ---- what the parts tell their mail ---- */

struct mail_file {
	const struct mime_text *name;  /* or NULL */
	const struct mime_field *type; /* or NULL */
	const char *encoding;          /* undone: "base64"; or NULL */
	const char *container;         /* it holds files of its own: "tnef"; or NULL */
	bool part;                     /* of a file that comes in several mails: joined by its name and size */
	uint64_t offset, size;         /* of the part in the file, and of that; with part alone */
};

/* The mail's own header, at the top of the tree. */
void mail_header(struct mail *m, const uint8_t *block, size_t len);
struct transfer *mail_file_begin(struct mail *m, const struct mail_file *file);
/* It was none. */
void mail_file_discard(struct mail *m, struct transfer *t);
void mail_file_end(struct mail *m, struct transfer *t, enum transfer_state state);

#endif
