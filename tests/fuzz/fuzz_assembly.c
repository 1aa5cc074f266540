/*
 * The assembly of one file under any order of pieces, held against a flag for each byte. The input is a row
 * of pieces: a byte (skip or data), two bytes of offset, one byte of length in units of 16, content repeated.
 */
#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "transfer/assembly.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 0x10000 + 256 * 16 };

struct model {
	uint8_t bytes[FILE_MAX];
	bool seen[FILE_MAX];
	uint64_t count;
};

static void
model_data(struct model *m, uint64_t offset, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (m->seen[offset + i])
			continue;
		m->seen[offset + i] = true;
		m->bytes[offset + i] = bytes[i];
		m->count++;
	}
}

static void
check(bool held)
{
	if (!held)
		abort();
}

static void
play(struct reader *r, struct assembly *a, struct model *m)
{
	uint8_t bytes[256 * 16];
	while (r->left >= 4) {
		bool skip = (reader_u8(r) & 7) == 7;
		uint64_t offset = reader_be16(r);
		size_t len = ((size_t)reader_u8(r) + 1) * 16;
		if (skip) {
			assembly_skip(a, offset, len);
			continue;
		}
		memset(bytes, (int)(offset ^ r->left), len);
		assembly_data(a, offset, bytes, len);
		if (a->pool->dropped > 0)
			return;
		model_data(m, offset, bytes, len);
		check(a->seen == m->count);
	}
}

static void
check_end(struct assembly *a, const struct model *m, const struct sha256_pool *hashes)
{
	uint8_t got[SHA256_BYTES], want[SHA256_BYTES];
	uint64_t next = 0;
	while (next < FILE_MAX && m->seen[next])
		next++;
	check(a->next == next);
	if (next == 0)
		return;
	check(assembly_finish(a, got) == 0 && a->base == 0 && a->hashed <= next);
	check(EVP_Digest(m->bytes, a->hashed, want, NULL, hashes->sha256, NULL) == 1);
	check(memcmp(got, want, sizeof want) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = {.next = data, .left = size};
	uint8_t setup = reader_u8(&r);
	size_t memory = setup & 2 ? (size_t)1 << 24 : 16384;
	struct model *m = calloc(1, sizeof *m);
	struct sha256_pool hashes;
	if (m == NULL || sha256_pool_init(&hashes) != 0)
		abort();
	struct assembly_pool pool = {.limit = memory, .each = memory, .hashes = &hashes, .random = 1};
	struct assembly a;

	assembly_init(&a, &pool, 0, setup & 1);
	play(&r, &a, m);
	check(pool.held == a.held && pool.held <= memory + memory / 8);
	if (pool.dropped == 0)
		check_end(&a, m, &hashes);
	assembly_clear(&a);
	check(pool.held == 0);
	sha256_pool_clear(&hashes);
	free(m);
	return 0;
}
