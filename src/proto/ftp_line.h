/*
 * The lines of an FTP control connection, each way: bytes up to LF, with the
 * Telnet commands that may stand among them taken out (RFC 959 section 4.1.3, RFC 854).
 */
#ifndef WAYBILL_PROTO_FTP_LINE_H
#define WAYBILL_PROTO_FTP_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FTP_LINE_MAX = 4096,   /* bytes of a line that are kept */
	FTP_LINE_STRAY = 65536, /* a "line" longer than this is none */
};

enum ftp_telnet {
	FTP_TELNET_PLAIN,
	FTP_TELNET_IAC,    /* behind an IAC */
	FTP_TELNET_OPTION, /* behind IAC WILL, WONT, DO or DONT */
};

struct ftp_lines { /* embedded; all zero is the initial state */
	uint8_t *bytes;
	size_t len, size;
	size_t total;      /* bytes of this line so far, also those not kept */
	enum ftp_telnet telnet;
	bool torn;         /* behind a gap: perhaps the rest of a line whose beginning is lost */
};

struct ftp_line {
	const uint8_t *bytes; /* without CR LF; borrowed until the next call */
	size_t len;
	bool torn; /* the first behind a gap: its beginning may be lost */
};

void ftp_lines_clear(struct ftp_lines *l);

/*
 * Takes bytes up to the end of the line: how many, and whether *line is whole now. A line
 * over FTP_LINE_MAX is cut to it.
 */
size_t ftp_lines_take(struct ftp_lines *l, const uint8_t *bytes, size_t len, struct ftp_line *line,
        bool *whole);

/* Bytes were not seen: the line at hand is lost. */
void ftp_lines_gap(struct ftp_lines *l);

/* No byte of the line at hand has come. */
bool ftp_lines_at_start(const struct ftp_lines *l);

#endif
