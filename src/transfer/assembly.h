/*
 * The bytes of one file, given at any offset in any order, each counted once; the first copy wins.
 * The run of bytes from `base` on is hashed as it grows and not kept, but for its first bytes, by
 * which the type is known. What lies beyond the run waits in memory within limits;
 * when they are reached only the intervals are kept: sizes stay right and the hash is lost.
 */
#ifndef WAYBILL_TRANSFER_ASSEMBLY_H
#define WAYBILL_TRANSFER_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transfer/sha256.h"
#include "transfer/extent.h"

enum { ASSEMBLY_HEAD = 4096 };

/* Shared by all assemblies of one tracker. */
struct assembly_pool {
	size_t limit;             /* bytes held by all */
	size_t each;              /* bytes held by one */
	size_t held;
	struct sha256_pool *hashes;  /* NULL: no hashes are wanted */
	uint32_t random;          /* for the shape of the treaps; not 0 */
	uint64_t conflicts;       /* times that bytes came again and differed from the first copy */
	uint64_t blinded;         /* assemblies that lost their content for want of memory */
	uint64_t dropped;         /* times that not even the interval could be kept */
};

struct assembly {
	struct assembly_pool *pool;
	uint64_t base;    /* where the run begins; bytes before it are not looked at */
	uint64_t hashed;  /* end of the hashed part of the run */
	uint64_t next;    /* end of the run: each byte of [base, next) was seen */
	uint64_t end;     /* end of all that was seen or skipped */
	uint64_t seen;    /* bytes seen, each once */
	uint64_t skipped; /* bytes told to have moved unseen */
	size_t held;
	bool refill;      /* what was skipped may still come (another session) */
	bool blind;       /* bytes beyond the run are of no more use */
	bool again;       /* bytes came a second time, and weren't seen to be the same */
	bool cut;
	struct extent *waiting; /* beyond the run; its first begins after next */
	EVP_MD_CTX *digest;
	uint8_t *head;    /* the first bytes of the file, where base is 0 */
	size_t head_len, head_room;
};

/* Allocates nothing. */
void assembly_init(struct assembly *a, struct assembly_pool *pool, uint64_t base, bool refill);
void assembly_clear(struct assembly *a);

/* Moves the base; only while nothing was seen. */
void assembly_rebase(struct assembly *a, uint64_t base);

void assembly_data(struct assembly *a, uint64_t offset, const uint8_t *bytes, size_t len);

/* len bytes from offset on moved, but were not seen. */
void assembly_skip(struct assembly *a, uint64_t offset, uint64_t len);

/* The file ends at end, whatever was given beyond it. */
void assembly_cut(struct assembly *a, uint64_t end);

/*
 * Bytes whose place in the file is not known yet: they wait at a position that no file reaches, and count as seen. place:
 * those that wait within span bytes of from stand at offset. drop: they never will; counts: they are the file's, and make it
 * longer.
 */
void assembly_aside(struct assembly *a, uint64_t position, const uint8_t *bytes, size_t len);
void assembly_place(struct assembly *a, uint64_t from, uint64_t span, uint64_t offset);
void assembly_drop(struct assembly *a, uint64_t from, uint64_t span, bool counts);

/* What was seen may not be what the file has: it has no hash. */
void assembly_spoil(struct assembly *a);

/* Bytes told to have moved and not seen since. */
uint64_t assembly_missing(const struct assembly *a);

/*
 * No more bytes will come. Where nothing was seen at the base, the run becomes the first stretch that was
 * seen and a->base its beginning. Ends the hash of [base, hashed): 0, or -1 where there is none.
 */
int assembly_finish(struct assembly *a, uint8_t sha256[SHA256_BYTES]);

#endif
