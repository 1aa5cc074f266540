/* FTP replies (RFC 959 section 4.2): one line, or several up to one that begins with the same code and a space. */
#ifndef WAYBILL_PROTO_FTP_REPLY_H
#define WAYBILL_PROTO_FTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ftp_replies { /* embedded; all zero is the initial state */
	unsigned open;    /* code of the reply of several lines at hand, or 0 */
	size_t lines;     /* of it so far */
	bool interrupted; /* a command came meanwhile: the server may have forgotten the last line */
};

struct ftp_reply {
	unsigned code;       /* 100 to 659 */
	bool last;           /* the reply is whole with this line */
	const uint8_t *text; /* behind the code, borrowed; of lines between, all of it */
	size_t len;
};

/* Takes a line. False when it is none of a reply. */
bool ftp_replies_line(struct ftp_replies *r, const uint8_t *line, size_t len, struct ftp_reply *out);

/* The client sent a command. */
void ftp_replies_command(struct ftp_replies *r);

/* A gap: the reply at hand may have ended in it. */
void ftp_replies_gap(struct ftp_replies *r);

/* Does the line begin as a reply does? Its code, or 0. */
unsigned ftp_reply_code(const uint8_t *line, size_t len);

/* "(39695 bytes)" in the words of a 150 reply. 0, or -1. */
int ftp_reply_size(const uint8_t *text, size_t len, uint64_t *out);

/* The name behind "FILE: " (RFC 1123 section 4.1.2.9) or "file name:". False when there is none. */
bool ftp_reply_unique_name(const uint8_t *text, size_t len, const uint8_t **name, size_t *name_len);

/* The name between " for " and " (", without quotation marks. False when there is none. */
bool ftp_reply_name(const uint8_t *text, size_t len, const uint8_t **name, size_t *name_len);

/* The words of a 150 reply that announce a listing. */
bool ftp_reply_lists(const uint8_t *text, size_t len);

#endif
