#include "config.h"

/*
 * The assembly against a model that keeps a whole file and a flag for each byte: random pieces in random orders with
 * overlaps that differ, from fixed seeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transfer/assembly.h"

enum { FILE_MAX = 40000, ROUNDS = 400 };

struct model {
	uint8_t bytes[FILE_MAX];
	bool seen[FILE_MAX];
	uint64_t base, end, count, conflicts;
};

struct rig {
	struct sha256_pool hashes;
	struct assembly_pool pool;
	struct assembly a;
	struct model m;
	uint64_t seed;
};

static uint32_t
roll(struct rig *r, uint32_t below)
{
	r->seed = r->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(r->seed >> 33) % below;
}

static void
rig_start(struct rig *r, uint64_t seed, size_t memory, uint64_t base, bool refill)
{
	memset(&r->m, 0, sizeof r->m);
	r->seed = seed;
	r->m.base = r->m.end = base;
	assert_int_equal(sha256_pool_init(&r->hashes), 0);
	r->pool = (struct assembly_pool){.limit = memory, .each = memory, .hashes = &r->hashes,
	        .random = (uint32_t)seed | 1};
	assembly_init(&r->a, &r->pool, base, refill);
}

static void
rig_stop(struct rig *r)
{
	assembly_clear(&r->a);
	assert_int_equal(r->pool.held, 0);
	sha256_pool_clear(&r->hashes);
}

/* The piece in a heap copy of its exact size, so that a read past it is found. */
static void
give(struct rig *r, uint64_t offset, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len);
	memcpy(copy, bytes, len);
	assembly_data(&r->a, offset, copy, len);
	free(copy);
	for (size_t i = 0; i < len; i++) {
		uint64_t at = offset + i;
		if (at < r->m.base || r->m.seen[at])
			continue;
		r->m.seen[at] = true;
		r->m.bytes[at] = bytes[i];
		r->m.count++;
	}
	if (offset + len > r->m.end)
		r->m.end = offset + len;
}

static uint64_t
model_run(const struct model *m)
{
	uint64_t next = m->base;
	while (next < FILE_MAX && m->seen[next])
		next++;
	return next;
}

static void
check_sizes(const struct rig *r)
{
	assert_int_equal(r->a.seen, r->m.count);
	assert_int_equal(r->a.end, r->m.end);
	assert_int_equal(r->a.next, model_run(&r->m));
	assert_true(r->pool.held == r->a.held);
}

static void
check_hash(struct rig *r)
{
	uint8_t got[SHA256_BYTES], want[SHA256_BYTES];
	uint64_t next = r->a.next;
	assert_int_equal(assembly_finish(&r->a, got), 0);
	if (next == r->m.base) /* the run is the first stretch that was seen */
		while (r->m.count > 0 && !r->m.seen[r->m.base])
			r->m.base++;
	assert_int_equal(r->a.base, r->m.base);
	assert_true(r->a.hashed <= model_run(&r->m));
	assert_int_equal(EVP_Digest(r->m.bytes + r->m.base, r->a.hashed - r->m.base, want, NULL,
	                         r->hashes.sha256, NULL), 1);
	assert_memory_equal(got, want, sizeof want);
}

static size_t
piece(struct rig *r, uint8_t *bytes, uint64_t *offset, size_t file, size_t most)
{
	size_t len = 1 + roll(r, (uint32_t)most);
	*offset = roll(r, (uint32_t)(file - len));
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)roll(r, 256);
	return len;
}

static void
test_random(void **state)
{
	(void)state;
	struct rig *r = malloc(sizeof *r);
	uint8_t bytes[4096];
	uint64_t offset;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		bool based = seed % 5 == 0;
		rig_start(r, seed, (size_t)1 << 30, based ? 1000 : 0, seed % 2 == 0);
		size_t file = 2000 + roll(r, FILE_MAX - 2000 - 1);
		size_t most = 1 + roll(r, 1500), pieces = roll(r, 300);
		for (size_t i = 0; i < pieces; i++) {
			size_t len = piece(r, bytes, &offset, file, most);
			if (roll(r, 4) == 0) /* where the run ends, as most bytes come */
				offset = r->a.next + len <= file ? r->a.next : offset;
			give(r, offset, bytes, len);
			check_sizes(r);
		}
		assert_int_equal(r->pool.dropped + r->pool.blinded, 0);
		check_hash(r);
		assert_true(r->a.hashed == model_run(&r->m));
		rig_stop(r);
	}
	free(r);
}

/* Every piece exactly once, shuffled: the whole hash must come out. */
static void
test_shuffled(void **state)
{
	(void)state;
	struct rig *r = malloc(sizeof *r);
	uint8_t file[FILE_MAX];
	for (uint64_t seed = 1; seed <= 50; seed++) {
		rig_start(r, seed, (size_t)1 << 30, 0, false);
		const size_t size = 100, count = FILE_MAX / size;
		uint16_t turn[FILE_MAX / 100];
		for (size_t i = 0; i < FILE_MAX; i++)
			file[i] = (uint8_t)roll(r, 256);
		for (size_t i = 0; i < count; i++)
			turn[i] = (uint16_t)i;
		for (size_t i = count - 1; i > 0; i--) {
			size_t j = seed == 1 ? i - 1 : roll(r, (uint32_t)i + 1);
			uint16_t t = turn[i];
			turn[i] = turn[j];
			turn[j] = t;
		}
		for (size_t i = 0; i < count; i++)
			give(r, turn[i] * size, file + turn[i] * size, size);
		check_sizes(r);
		assert_int_equal(r->a.hashed, FILE_MAX);
		assert_int_equal(r->a.head_len, ASSEMBLY_HEAD);
		assert_memory_equal(r->a.head, file, ASSEMBLY_HEAD);
		assert_int_equal(r->pool.conflicts, 0);
		check_hash(r);
		rig_stop(r);
	}
	free(r);
}

/* With little memory hashes are lost, sizes stay right, and the limit holds. */
static void
test_memory(void **state)
{
	(void)state;
	struct rig *r = malloc(sizeof *r);
	uint8_t bytes[4096];
	uint64_t offset;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		size_t memory = 6000 + seed * 20;
		rig_start(r, seed, memory, 0, seed % 2 == 0);
		for (size_t i = 0; i < 200; i++) {
			size_t len = piece(r, bytes, &offset, FILE_MAX, 1500);
			if (roll(r, 2) == 0)
				offset = r->a.next + len <= FILE_MAX ? r->a.next : offset;
			give(r, offset, bytes, len);
			if (r->pool.dropped > 0)
				break; /* the model knows no such thing */
			check_sizes(r);
			assert_true(r->pool.held <= memory + memory / 8);
		}
		rig_stop(r);
	}
	free(r);
}

static void
test_skip(void **state)
{
	(void)state;
	static const uint8_t bytes[1000];
	struct rig *r = malloc(sizeof *r);

	/* For good: what comes behind the hole is counted in one interval and not kept. */
	rig_start(r, 1, (size_t)1 << 20, 0, false);
	give(r, 0, bytes, 1000);
	assembly_skip(&r->a, 1000, 500);
	for (uint64_t at = 1500; at < 20000; at += 500)
		give(r, at, bytes, 500);
	assert_int_equal(assembly_missing(&r->a), 500);
	assert_int_equal(r->a.seen, 19500);
	assert_int_equal(r->a.hashed, 1000);
	assert_int_equal(r->a.held, r->a.head_room + sizeof(struct extent));
	give(r, 900, bytes, 700); /* it came after all */
	assert_int_equal(assembly_missing(&r->a), 0);
	assert_int_equal(r->a.next, 20000);
	rig_stop(r);

	/* Refilled by another session: nothing is lost. */
	rig_start(r, 1, (size_t)1 << 20, 0, true);
	give(r, 0, bytes, 1000);
	assembly_skip(&r->a, 1000, 500);
	give(r, 1500, bytes, 500);
	give(r, 1000, bytes, 500);
	assert_int_equal(assembly_missing(&r->a), 0);
	assert_int_equal(r->a.hashed, 2000);
	check_hash(r);
	rig_stop(r);
	free(r);
}

/* Positions at the end of what 64 bits can say. */
static void
test_far(void **state)
{
	(void)state;
	static const uint8_t bytes[100];
	uint8_t sha256[SHA256_BYTES];
	struct rig *r = malloc(sizeof *r);
	rig_start(r, 1, (size_t)1 << 20, 0, true);
	assembly_data(&r->a, UINT64_MAX - 50, bytes, 100);
	assembly_data(&r->a, UINT64_MAX, bytes, 100);
	assembly_skip(&r->a, UINT64_MAX - 10, UINT64_MAX);
	assembly_skip(&r->a, 0, UINT64_MAX);
	assert_int_equal(r->a.seen, 50);
	assert_true(r->a.end == UINT64_MAX);
	assert_true(assembly_missing(&r->a) == UINT64_MAX - 50);
	assert_int_equal(assembly_finish(&r->a, sha256), 0);
	assert_true(r->a.base == UINT64_MAX - 50 && r->a.hashed == UINT64_MAX);
	rig_stop(r);
	free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_shuffled),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_far),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
