/* Bencoding (BEP 3): integers, strings, lists, dictionaries. Nothing is copied. */
#ifndef WAYBILL_PROTO_BENCODE_H
#define WAYBILL_PROTO_BENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

struct bencode { /* a value, borrowed; kind 0: there is none */
	char kind;   /* 'i', 's', 'l', 'd' */
	const uint8_t *bytes; /* of a string; of a list or dictionary, its items; with an integer, its digits */
	size_t len;
	const uint8_t *all;   /* the value as it was written */
	size_t all_len;
};

/* Takes a value from the front. kind 0: it is none, or not whole; *r is bad then. */
struct bencode bencode_take(struct reader *r);
/* The value with this key; kind 0: there is none, or d is no dictionary. */
struct bencode bencode_get(const struct bencode *d, const char *key);
/* A number that is not negative: 0, or -1. */
int bencode_number(const struct bencode *v, uint64_t *out);

#endif
