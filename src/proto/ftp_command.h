/* The commands of FTP: RFC 959, 1639, 2228, 2389, 2428, 3659, 7151 and what is in use beside. */
#ifndef WAYBILL_PROTO_FTP_COMMAND_H
#define WAYBILL_PROTO_FTP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ftp_action {
	FTP_OTHER,   /* known and of no consequence here */
	FTP_USER,
	FTP_LOGIN,   /* PASS, ACCT: never looked at, never kept */
	FTP_CWD,
	FTP_CDUP,
	FTP_PWD,
	FTP_MKD,
	FTP_REIN,
	FTP_PORT,
	FTP_EPRT,
	FTP_LPRT,
	FTP_PASV,
	FTP_EPSV,
	FTP_LPSV,
	FTP_TYPE,
	FTP_MODE,
	FTP_REST,
	FTP_RENAME,  /* RNFR */
	FTP_SIZE,
	FTP_RETR,    /* the server sends a file */
	FTP_STOR,    /* the client sends one: STOR, APPE */
	FTP_STOU,    /* the same, and the server names it */
	FTP_LIST,    /* a listing over a data connection: no file */
	FTP_ABOR,
	FTP_AUTH,
	FTP_ADAT,
	FTP_SEALED,  /* MIC, CONF, ENC: the command is inside, encrypted or encoded */
	FTP_CLIENT,  /* CLNT: the client's name */
	FTP_HOST,
};

struct ftp_verb {
	char word[5];
	uint8_t action;   /* enum ftp_action */
	bool tells;       /* no other protocol has it: knows FTP without a greeting */
};

struct ftp_command {
	const struct ftp_verb *verb; /* NULL: not a known one */
	const uint8_t *arg;          /* borrowed; without the one space before it */
	size_t arg_len;
};

/* Splits a line. False when it can't be a command: no word of 3 or 4 letters in front. */
bool ftp_command_parse(const uint8_t *line, size_t len, struct ftp_command *out);

/* May this code answer that command? */
enum ftp_fit {
	FTP_FIT_NO,    /* it belongs to another command */
	FTP_FIT_MAYBE, /* it says nothing of the command */
	FTP_FIT_YES,   /* it is an answer to just such a command */
};
enum ftp_fit ftp_command_fits(const struct ftp_verb *verb, unsigned code);

static inline bool
ftp_is_file(const struct ftp_verb *verb)
{
	return verb->action == FTP_RETR || verb->action == FTP_STOR || verb->action == FTP_STOU;
}

/* Moves bytes over a data connection. */
static inline bool
ftp_moves(const struct ftp_verb *verb)
{
	return ftp_is_file(verb) || verb->action == FTP_LIST;
}

#endif
