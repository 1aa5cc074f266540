#include "config.h"

#include "proto/ftp_line.h"

#include <stdlib.h>

enum { /* RFC 854 */
	TELNET_IP = 244,
	TELNET_DM = 242,
	TELNET_FIRST = 240, /* the lowest command */
	TELNET_WILL = 251,
	TELNET_IAC = 255,
};

enum { LINE_FIRST_SIZE = 128 };

static void take_byte(struct ftp_lines *l, uint8_t byte);
static void take_telnet(struct ftp_lines *l, uint8_t byte);
static void keep(struct ftp_lines *l, uint8_t byte);
static bool reserve(struct ftp_lines *l);

void
ftp_lines_clear(struct ftp_lines *l)
{
	free(l->bytes);
	*l = (struct ftp_lines){0};
}

size_t
ftp_lines_take(struct ftp_lines *l, const uint8_t *bytes, size_t len, struct ftp_line *line, bool *whole)
{
	/* The line before was borrowed until now. */
	if (l->total == 0)
		l->len = 0;
	*whole = false;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != '\n') {
			take_byte(l, bytes[i]);
			continue;
		}
		*whole = true;
		l->telnet = FTP_TELNET_PLAIN;
		l->total = 0;
		while (l->len > 0 && (l->bytes[l->len - 1] == '\r' || l->bytes[l->len - 1] == '\0'))
			l->len--;
		*line = (struct ftp_line){.bytes = l->bytes, .len = l->len, .torn = l->torn};
		l->torn = false;
		return i + 1;
	}
	return len;
}

void
ftp_lines_gap(struct ftp_lines *l)
{
	l->len = l->total = 0;
	l->telnet = FTP_TELNET_PLAIN;
	l->torn = true;
}

bool
ftp_lines_at_start(const struct ftp_lines *l)
{
	return l->total == 0;
}

static void
take_byte(struct ftp_lines *l, uint8_t byte)
{
	l->total++;
	if (l->telnet != FTP_TELNET_PLAIN)
		take_telnet(l, byte);
	else if (byte == TELNET_IAC)
		l->telnet = FTP_TELNET_IAC;
	else if (l->len == 0 && (byte == TELNET_IP || byte == TELNET_DM))
		; /* of IAC IP, IAC DM before ABOR, sent as urgent data: the IAC got lost on the way */
	else
		keep(l, byte);
}

/*
 * Behind an IAC. Clients that send names in an 8-bit charset forget to double 0xff:
 * what is no Telnet command is kept as it came.
 */
static void
take_telnet(struct ftp_lines *l, uint8_t byte)
{
	enum ftp_telnet was = l->telnet;

	l->telnet = FTP_TELNET_PLAIN;
	if (was == FTP_TELNET_OPTION)
		return;
	if (byte == TELNET_IAC) {
		keep(l, byte);
	} else if (byte >= TELNET_WILL) {
		l->telnet = FTP_TELNET_OPTION;
	} else if (byte < TELNET_FIRST) {
		keep(l, TELNET_IAC);
		keep(l, byte);
	}
}

static void
keep(struct ftp_lines *l, uint8_t byte)
{
	if (l->len < FTP_LINE_MAX && reserve(l))
		l->bytes[l->len++] = byte;
}

/* Room for one more. */
static bool
reserve(struct ftp_lines *l)
{
	if (l->len < l->size)
		return true;
	size_t size = l->size > 0 ? l->size * 2 : LINE_FIRST_SIZE;
	uint8_t *bytes = realloc(l->bytes, size);
	if (bytes == NULL)
		return false;
	l->bytes = bytes;
	l->size = size;
	return true;
}
