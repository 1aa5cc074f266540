/* The list of services as loaded: rows found by a host's name, by the network of an address, by the network's owner. */
#ifndef WAYBILL_ATTRIBUTION_SERVICES_H
#define WAYBILL_ATTRIBUTION_SERVICES_H

#include "attribution/prefix.h"
#include "attribution/rows.h"
#include "base/table.h"

struct services {
	struct arena *arena;        /* rows and their text; the snapshot's */
	struct service_row **row;
	size_t count, size;
	struct table *names;        /* rows by domain, lower case */
	struct table *owners;       /* rows by AS number */
	struct prefix_table *networks;
	const struct service_row **network_rows; /* by node */
	const char *path, *digest;  /* path NULL: the copy in the program */
};

/* Reads the file, or the copy in the program where path is NULL or can't be used (noted). 0; -1: memory is out. */
int services_load(struct services *s, const char *path, const struct notes *notes);
void services_clear(struct services *s);

/* The row of the longest domain that name is or is below of; or NULL. */
const struct service_row *services_by_name(const struct services *s, const char *name, size_t len);

/* The row of the smallest network around addr, else that of its owner's number; or NULL. */
const struct service_row *services_by_place(const struct services *s, const struct addr *addr, uint32_t asn);

#endif
