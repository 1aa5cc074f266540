/*
 * The attribution stage: where an address is, and whose. Country (MMDB), network
 * owner (ASN, MMDB) and listing (a sanctioned network) are three facts, never
 * merged. Loaded whole into an immutable snapshot; a reload makes another beside it.
 */
#ifndef WAYBILL_ATTRIBUTION_ATTRIBUTION_H
#define WAYBILL_ATTRIBUTION_ATTRIBUTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/record.h"

struct attribution;

enum list_format {
	LIST_AUTO,      /* told by its first lines */
	LIST_CSV,       /* network,jurisdiction,programme,holder,confidence,valid_from,valid_until,source */
	LIST_CIDR,      /* one network a line, # comments */
	LIST_DELEGATED, /* RIR delegated-extended; jurisdictions names the country codes wanted */
};

struct list_conf {
	const char *path;
	const char *name;           /* NULL: the file's name */
	enum list_format format;
	const char *jurisdiction;   /* for CIDR lists: what its rows mean; for delegated: country code */
	/* Of rows that don't say. NONE: medium; rows that a registry itself has for the country: confirmed. */
	enum confidence confidence;
};

struct attribution_conf {
	const char *const *databases;    /* MMDB paths; a user's win over found ones, found ones over the embedded one */
	size_t database_count;
	bool no_auto_detect;             /* don't look in the usual places */
	bool no_embedded;                /* don't use the one that was built with waybill */
	const char *embedded_database;   /* where that is, or NULL */
	const char *sanctioned;          /* the product's sanctioned.csv; NULL: the compiled-in copy */
	const char *services;            /* a list of services in the product's place; NULL: the compiled-in copy */
	const struct list_conf *lists;   /* further lists */
	size_t list_count;
	const char *const *jurisdictions; /* rows that count, "KP"; default {"KP"} */
	size_t jurisdiction_count;
	const uint32_t *asns;            /* origin ASNs that count as listed, with the country they stand for */
	const char *const *asn_jurisdictions;
	size_t asn_count;                /* AS131279 for KP is in by default */
	const char *const *home;         /* home networks; default: private ranges */
	size_t home_count;
	int64_t now;                     /* wall clock: databases much older are noted; 0: ages are not looked at */
};

/* A note for the user while loading: a refused database, an old one, a bad row (file and line). */
typedef void attribution_note_fn(void *ctx, bool error, const char *note);

/*
 * Loads everything. A bad database or list is refused by name through note and the rest is
 * used; NULL only when nothing at all could be built (the KP core rule needs no file). conf is not kept.
 */
struct attribution *attribution_load(const struct attribution_conf *conf, attribution_note_fn *note, void *ctx);
void attribution_destroy(struct attribution *a); /* takes NULL */

/*
 * The database that was built with waybill: beside the program in a build tree, else where it is installed.
 * text receives its path; NULL when there is none (it was built without the data packages).
 */
const char *attribution_default_database(char *text, size_t size);

/* The per-flow check: is a (at any time, by any list) one to look at? Nanoseconds. */
bool attribution_listed(const struct attribution *a, const struct addr *addr);

/*
 * Country, owner and flags, through a cache. An IPv6 address that stands for an IPv4 one (NAT64, 6to4) is
 * looked up as that one, here and in all below. The cache makes it, like all that take a non-const snapshot,
 * a thing of one thread.
 */
void attribution_place(struct attribution *a, const struct addr *addr, struct place *out);

/* Where databases of other software are looked for, one folder after the other; NULL: no more. */
const char *attribution_usual_place(size_t index);

/* What is known of the exchange, for the confidence ladder. */
struct exchange {
	bool two_way;       /* packets both ways */
	bool handshake;     /* TCP handshake completed */
	bool payload;       /* payload moved */
	bool private_link;  /* both ends look like a private interconnect, see attribution_private_link */
};

/*
 * Holds an address against the lists at a time (packet time): the best row valid then, the confidence by the
 * ladder and the reasons for and against. out->row NULL: not listed then. exchange NULL: only the address is
 * known, and the confidence is what an exchange with it could reach.
 */
void attribution_listing(struct attribution *a, const struct addr *addr, const struct place *place,
                         int64_t time, const struct exchange *exchange, struct listing *out);

/*
 * Is a listed address only borrowed for a private interconnect? Documented example configurations use 175.45.176.0/30
 * for a link's two ends, and people copy them. True when nothing between x and y can have been routed: both lie
 * in one /30 (IPv6: /126) of a listed network; or in one listed network, seen on a tagged VLAN; or one is listed and
 * the other is link-local, or a link-local group (RFC 3927, RFC 5771 section 4, RFC 4291 section 2.7). A listed
 * address beside a private one is no proof: a routed packet looks the same. vlan 0: untagged.
 */
bool attribution_private_link(const struct attribution *a, const struct addr *x, const struct addr *y, uint16_t vlan);

/*
 * What the destination is called, by what is surest to be right; and whose service that is, or else the network
 * that an end is in. Both are set in r, whose places must have been. Text is borrowed of r's facts.
 */
void attribution_name(const struct attribution *a, struct flow_record *r);

/* The service of a host by its name alone, or of an address whose place was looked up; or NULL. */
const struct service_row *attribution_service_of_name(const struct attribution *a, const char *name, size_t len);
const struct service_row *attribution_service_of_place(const struct attribution *a, const struct addr *addr,
        const struct place *place);

/* What addresses were called in DNS answers, of late: of fixed size, some 5 MB once there is one. */
struct names;

struct names *names_create(void); /* NULL: out of memory */
void names_destroy(struct names *n); /* takes NULL */
void names_add(struct names *n, const struct resolution *r);

/*
 * What addr was called in the last answer that still holds at a time: to client (*own), or else to anybody. Borrowed
 * until the next answer is added. NULL: nothing.
 */
const char *names_find(struct names *n, const struct addr *client, const struct addr *addr, int64_t time,
        size_t *len, bool *own);

/* What was loaded, for coverage, check and lookup. */
struct attribution_database {
	const char *path;         /* "(embedded)" path too */
	const char *type;         /* metadata database_type */
	int64_t built;            /* build_epoch, ns */
	const char *digest;       /* SHA-256 of the file, hexadecimal */
	bool country, asn, flags; /* what can be read from it */
	size_t networks;
	bool embedded;            /* the one that waybill brings along */
};
struct attribution_list {
	const char *path, *name, *digest;
	size_t rows;
};
/* What was refused or left out while loading, as told by then: sentences. */
size_t attribution_troubles(const struct attribution *a, const char *const **out);
size_t attribution_databases(const struct attribution *a, const struct attribution_database **out);
size_t attribution_lists(const struct attribution *a, const struct attribution_list **out);
struct attribution_list attribution_services(const struct attribution *a);

/* Every row, of any time, that covers addr, most specific first; at most max. For lookup. */
size_t attribution_rows(const struct attribution *a, const struct addr *addr,
                        const struct listing_row **out, size_t max);

/* Each database's own answer, for lookup: disagreement is shown. index < attribution_databases(). */
int attribution_database_place(struct attribution *a, size_t index, const struct addr *addr, struct place *out,
                               unsigned *prefix_bits);

const char *confidence_name(enum confidence c); /* "confirmed" ... */

/* "KP": "North Korea". The code itself when it is not a country's that is known. */
const char *country_name(const char *code);

#endif
