/* NNTP, shared by its files: its verbs and how it begins. */
#ifndef WAYBILL_PROTO_NNTP_H
#define WAYBILL_PROTO_NNTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/proto.h"

enum nntp_verb {
	NNTP_OTHER,
	NNTP_ARTICLE,
	NNTP_POST,      /* also IHAVE: the article comes after the answer */
	NNTP_TAKETHIS,  /* the article comes at once */
	NNTP_USER,
	NNTP_SASL,
	NNTP_STARTTLS,
	NNTP_COMPRESS,
	NNTP_LISTGROUP, /* 211 is an answer of many lines here, and of one elsewhere */
};

enum verdict nntp_probe(const struct probe *p);
/* The verb that begins a client's line, with what follows it; false: none that is known. */
bool nntp_command(const uint8_t *line, size_t len, enum nntp_verb *verb, const uint8_t **arg, size_t *arg_len);
/* An answer's code, 0: it is none. */
unsigned nntp_code(const uint8_t *line, size_t len);

#endif
