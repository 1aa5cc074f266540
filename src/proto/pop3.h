/* POP3, shared by its files: its verbs and how it begins. */
#ifndef WAYBILL_PROTO_POP3_H
#define WAYBILL_PROTO_POP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/proto.h"

enum pop3_verb {
	POP3_OTHER,
	POP3_USER,
	POP3_APOP,
	POP3_AUTH,
	POP3_STLS,
	POP3_RETR,
	POP3_TOP,
	POP3_LIST,       /* with a number: one line */
	POP3_LIST_ALL,   /* an answer of many lines that is no mail: also CAPA, UIDL, AUTH alone */
};

enum verdict pop3_probe(const struct probe *p);
/* The verb that begins a client's line, with what follows it; false: none that is known. */
bool pop3_command(const uint8_t *line, size_t len, enum pop3_verb *verb, const uint8_t **arg, size_t *arg_len);

/* Does a server's line say that it is a greeting? Others may be one too. */
bool pop3_greets(const uint8_t *line, size_t len);

enum pop3_status { POP3_NONE, POP3_OK, POP3_ERR, POP3_CHALLENGE };

/* What a server's line says. */
enum pop3_status pop3_status(const uint8_t *line, size_t len);

#endif
