/* Where in the server's tree a client stands, as far as the dialogue tells. */
#ifndef WAYBILL_PROTO_FTP_PATH_H
#define WAYBILL_PROTO_FTP_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FTP_PATH_MAX = 1024 };

/* Bytes as the client wrote them; begins with '/' once known, else relative to an unknown place. */
struct ftp_path {
	uint8_t bytes[FTP_PATH_MAX];
	size_t len;
};

/* Goes to arg from here: absolute, relative, "..", ".". A path that grows too long becomes unknown. */
void ftp_path_change(struct ftp_path *p, const uint8_t *arg, size_t len);

/*
 * Takes the path in quotation marks out of a 257 or 250 reply, where "" stands for " (RFC 959
 * appendix II). False when there is none that is absolute.
 */
bool ftp_path_quoted(struct ftp_path *p, const uint8_t *text, size_t len);

#endif
