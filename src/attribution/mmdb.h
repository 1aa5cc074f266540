/*
 * A MaxMind DB file: opened through libmaxminddb, which finds addresses in it, after a look of our own that the file
 * is what it claims. The file is copied into memory first, so that whatever happens to it on disk
 * afterwards, look-ups go on as before.
 */
#ifndef WAYBILL_ATTRIBUTION_MMDB_H
#define WAYBILL_ATTRIBUTION_MMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attribution/mmdb_data.h"
#include "base/addr.h"

struct mmdb;

struct mmdb_about {
	const char *type;  /* metadata database_type; lives as long as the database */
	uint64_t built;    /* build_epoch, seconds; 0: not stated */
	char digest[65];   /* SHA-256 of the file */
};

/* NULL and *reason (static, or by strerror) when it cannot be read or is not a sound database. */
struct mmdb *mmdb_open(const char *path, const char **reason);
struct mmdb *mmdb_open_bytes(const void *bytes, size_t len, const char **reason);
void mmdb_close(struct mmdb *m); /* takes NULL */

void mmdb_describe(const struct mmdb *m, struct mmdb_about *out);

/* The data section, for reading a record. steps is set for one record. */
struct mmdb_data mmdb_section(const struct mmdb *m);

/*
 * Finds a's record: true, and where it lies in the section. bits is the prefix length of its network in a's family;
 * where there is none, of a network around a that has none.
 */
bool mmdb_find(const struct mmdb *m, const struct addr *a, size_t *record, unsigned *bits);

/* A network in the tree, while it is walked. */
struct mmdb_network {
	uint8_t at[16]; /* its first address, in the tree's own form */
	unsigned bits;  /* of those */
};
struct addr mmdb_network_addr(const struct mmdb_network *n, unsigned *bits);

/*
 * Shows every network with its record, in ascending order; aliases of the IPv4 part only once.
 * 0; -1 and *reason when the search tree is broken or fn returned -1.
 */
typedef int mmdb_network_fn(void *ctx, const struct mmdb_network *network, size_t record);
int mmdb_walk(const struct mmdb *m, mmdb_network_fn *fn, void *ctx, const char **reason);

#endif
