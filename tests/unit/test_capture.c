/* Captures as a whole: lists of files and directories, compression, filter, problems. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/capture.h"

enum { FRAME = 60, FRAMES = 500, FILE_MAX = 24 + FRAMES * (16 + FRAME) };

struct told {
	unsigned problems;
	uint64_t packet, offset;
	char what[128], path[256];
};

static char folder[] = "/tmp/test_capture.XXXXXX";

static void
problem(void *ctx, const struct capture_problem *p)
{
	struct told *t = ctx;
	t->problems++;
	t->packet = p->packet;
	t->offset = p->offset;
	snprintf(t->what, sizeof t->what, "%s", p->what);
	snprintf(t->path, sizeof t->path, "%s", p->path);
}

static const struct capture_ops ops = {.problem = problem};

static void
put32(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
	to[2] = (uint8_t)(value >> 16);
	to[3] = (uint8_t)(value >> 24);
}

/* A pcap file of count frames, one a second from first on; every other is IPv4, the rest ARP. */
static size_t
make_pcap(uint8_t *out, uint32_t first, uint32_t count, uint32_t link)
{
	size_t at = 24;

	memset(out, 0, 24);
	put32(out, 0xa1b2c3d4);
	put32(out + 4, 2 | 4 << 16);
	put32(out + 16, 65535);
	put32(out + 20, link);
	for (uint32_t i = 0; i < count; i++) {
		put32(out + at, first + i);
		put32(out + at + 4, 0);
		put32(out + at + 8, FRAME);
		put32(out + at + 12, FRAME);
		uint8_t *frame = memset(out + at + 16, (int)(i & 0xff), FRAME);
		frame[12] = 0x08;
		frame[13] = i % 2 == 0 ? 0x00 : 0x06;
		frame[14] = 0x45;
		at += 16 + FRAME;
	}
	return at;
}

static void
save(const char *name, const void *bytes, size_t len)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static const char *
named(const char *name, char path[300])
{
	snprintf(path, 300, "%s/%s", folder, name);
	return path;
}

/* Reads one path to its end; the number of frames. */
static uint64_t
count_frames(const char *path, struct told *told)
{
	char error[256];
	struct frame f;
	uint64_t count = 0;

	struct capture *c = capture_open(&path, 1, &ops, told, error, sizeof error);
	assert_non_null(c);
	while (capture_batch(c, &f, 1) == 1)
		count++;
	assert_int_equal(capture_incomplete(c), told->problems != 0);
	struct capture_progress progress;
	capture_progress(c, &progress);
	assert_int_equal(progress.frames, count);
	assert_int_equal(progress.bytes_read, progress.bytes_total);
	capture_close(c);
	return count;
}

/* gzip in two members, with zeros behind them. */
static size_t
gzip_twice(uint8_t *out, size_t room, const uint8_t *bytes, size_t len)
{
	size_t at = 0, half = len / 2;

	for (int part = 0; part < 2; part++) {
		z_stream z = {0};
		assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
		z.next_in = (uint8_t *)(uintptr_t)(part == 0 ? bytes : bytes + half);
		z.avail_in = (uInt)(part == 0 ? half : len - half);
		z.next_out = out + at;
		z.avail_out = (uInt)(room - at);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		at = room - z.avail_out;
		deflateEnd(&z);
	}
	memset(out + at, 0, 64);
	return at + 64;
}

/* zstd in two frames with a skippable one first. */
static size_t
zstd_twice(uint8_t *out, size_t room, const uint8_t *bytes, size_t len)
{
	const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 0xaa, 0xbb};
	size_t at = sizeof skippable, half = len / 2;

	memcpy(out, skippable, sizeof skippable);
	at += ZSTD_compress(out + at, room - at, bytes, half, 1);
	at += ZSTD_compress(out + at, room - at, bytes + half, len - half, 1);
	return at;
}

static void
test_compressed(void **state)
{
	static uint8_t plain[FILE_MAX], packed[FILE_MAX * 2];
	struct told told = {.problems = 0};
	char path[300];
	size_t len = make_pcap(plain, 1, FRAMES, 1);
	(void)state;

	save("plain", plain, len);
	assert_int_equal(count_frames(named("plain", path), &told), FRAMES);
	size_t gzip = gzip_twice(packed, sizeof packed, plain, len);
	save("gzip", packed, gzip);
	assert_int_equal(count_frames(named("gzip", path), &told), FRAMES);
	assert_int_equal(told.problems, 0);
	save("gzip", packed, (gzip - 64) / 2);
	assert_in_range(count_frames(named("gzip", path), &told), 1, FRAMES - 1);
	assert_string_equal(told.what, "compressed data are cut off");
	packed[gzip - 64] = 'x';
	told.problems = 0;
	save("gzip", packed, gzip);
	assert_int_equal(count_frames(named("gzip", path), &told), FRAMES);
	assert_string_equal(told.what, "compressed data are damaged");

	told.problems = 0;
	size_t zstd = zstd_twice(packed, sizeof packed, plain, len);
	save("zstd", packed, zstd);
	assert_int_equal(count_frames(named("zstd", path), &told), FRAMES);
	assert_int_equal(told.problems, 0);
	save("zstd", packed, zstd - 1);
	count_frames(named("zstd", path), &told);
	assert_string_equal(told.what, "compressed data are cut off");
	for (const char *const *name = (const char *const[]){"plain", "gzip", "zstd", NULL};
		*name != NULL; name++)
		unlink(named(*name, path));
}

/*
 * A directory's captures, and those in folders below it, come by the time of their first frame,
 * whatever their names. A link that leads round in a circle is not followed. What is named as a
 * capture and is none is told of; the rest is left out.
 */
static void
test_directory(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct told told = {.problems = 0};
	char path[300], error[256];
	const char *paths[] = {folder};
	struct frame f;
	int64_t last = 0;
	(void)state;

	assert_int_equal(mkdir(named("below", path), 0700), 0);
	assert_int_equal(symlink("..", named("below/round", path)), 0);
	save("a", bytes, make_pcap(bytes, 300, 2, 1));
	save("b", bytes, make_pcap(bytes, 100, 2, 1));
	save("c.txt", "not a capture", 13);
	save("c.pcap.gz", "not a capture", 13);
	save("below/d", bytes, make_pcap(bytes, 200, 2, 1));
	struct capture *c = capture_open(paths, 1, &ops, &told, error, sizeof error);
	assert_non_null(c);
	while (capture_batch(c, &f, 1) == 1) {
		assert_true(f.time > last);
		last = f.time;
	}
	assert_int_equal(told.problems, 1);
	assert_int_equal(f.file, 2);
	assert_string_equal(capture_path(c, 0), named("b", path));
	assert_string_equal(capture_path(c, 1), named("below/d", path));
	assert_int_equal(capture_frames(c, 0), 2);
	assert_string_equal(capture_path(c, 3), named("c.pcap.gz", path));
	assert_null(capture_path(c, 4));
	capture_close(c);
	for (const char *const *name = (const char *const[]){"a", "b", "c.pcap.gz", "below/d", "below/round", NULL};
		*name != NULL; name++)
		unlink(named(*name, path));
	rmdir(named("below", path));
	assert_null(capture_open(paths, 1, &ops, &told, error, sizeof error));
	assert_non_null(strstr(error, "there is no capture in this directory"));
	unlink(named("c.txt", path));
}

/* A bad file in the middle is told of with packet and offset; the next one is read all the same. */
static void
test_problems(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct told told = {.problems = 0};
	char path[3][300], error[256];
	struct frame f;
	uint64_t count = 0;
	(void)state;

	size_t len = make_pcap(bytes, 1, 5, 1);
	save("cut", bytes, len - 10);
	save("whole", bytes, len);
	const char *paths[] = {
		named("cut", path[0]), named("missing", path[1]), named("whole", path[2])};
	struct capture *c = capture_open(paths, 3, &ops, &told, error, sizeof error);
	assert_non_null(c);
	assert_int_equal(told.problems, 1); /* the missing one */
	while (capture_batch(c, &f, 1) == 1)
		count++;
	assert_int_equal(count, 9);
	assert_int_equal(told.problems, 2);
	assert_int_equal(told.packet, 5);
	assert_int_equal(told.offset, 24 + 4 * (16 + FRAME));
	assert_string_equal(told.path, paths[0]);
	assert_true(capture_incomplete(c));
	capture_close(c);
	assert_null(capture_open(&paths[1], 1, &ops, &told, error, sizeof error));
	assert_non_null(strstr(error, "No such file"));
	unlink(paths[0]);
	unlink(paths[2]);
}

static void
test_filter(void **state)
{
	static uint8_t bytes[FILE_MAX];
	struct told told = {.problems = 0};
	char path[2][300], error[256];
	struct frame f;
	uint64_t count = 0;
	(void)state;

	save("ethernet", bytes, make_pcap(bytes, 1, 10, 1));
	save("serial", bytes, make_pcap(bytes, 1, 10, 147)); /* a link type of nobody's */
	const char *paths[] = {named("ethernet", path[0]), named("serial", path[1])};
	struct capture *c = capture_open(paths, 2, &ops, &told, error, sizeof error);
	assert_int_equal(capture_filter(c, "tcp port and", error, sizeof error), -1);
	assert_true(strlen(error) > 0);
	assert_int_equal(capture_filter(c, "arp", error, sizeof error), 0);
	while (capture_batch(c, &f, 1) == 1) {
		assert_int_equal(f.data[13], 0x06);
		count++;
	}
	assert_int_equal(count, 5);
	assert_int_equal(told.problems, 1);
	struct capture_progress progress;
	capture_progress(c, &progress);
	assert_int_equal(progress.filtered, 15);
	capture_close(c);
	unlink(paths[0]);
	unlink(paths[1]);
}

/* What is read of frames: a digest of all, and whether each batch kept what was promised. */
struct reading {
	uint64_t frames, digest;
	size_t longest;
};

static struct reading
read_in_batches(const char *const *paths, size_t count, size_t max)
{
	char error[256];
	struct frame frames[100];
	struct reading r = {.frames = 0};
	size_t got;

	struct capture *c = capture_open(paths, count, NULL, NULL, error, sizeof error);
	assert_non_null(c);
	while ((got = capture_batch(c, frames, max)) > 0) {
		assert_true(got <= max);
		if (got > r.longest)
			r.longest = got;
		for (size_t i = 0; i < got; i++) {
			assert_int_equal(frames[i].file, frames[0].file);
			assert_int_equal(frames[i].number, frames[0].number + i);
			r.frames++;
			r.digest = r.digest * 31 + (uint64_t)frames[i].time;
			for (uint32_t b = 0; b < frames[i].caplen; b++)
				r.digest = r.digest * 31 + frames[i].data[b];
		}
	}
	assert_false(capture_incomplete(c));
	capture_close(c);
	return r;
}

/* The same frames come in batches of any length, out of files much longer than what is held of them. */
static void
test_batches(void **state)
{
	enum { MANY = 20000, LONG_FILE = 24 + MANY * (16 + FRAME) };
	char path[2][300];
	uint8_t *bytes = malloc(LONG_FILE);
	(void)state;

	assert_non_null(bytes);
	save("first", bytes, make_pcap(bytes, 1, MANY, 1));
	save("second", bytes, make_pcap(bytes, 100000, 7, 1));
	free(bytes);
	const char *paths[] = {named("first", path[0]), named("second", path[1])};
	struct reading single = read_in_batches(paths, 2, 1);
	assert_int_equal(single.frames, MANY + 7);
	for (size_t max = 2; max <= 100; max += 7) {
		struct reading r = read_in_batches(paths, 2, max);
		assert_int_equal(r.frames, single.frames);
		assert_int_equal(r.digest, single.digest);
		assert_int_equal(r.longest, max);
	}
	unlink(paths[0]);
	unlink(paths[1]);
}

/* A pipe that gives a few bytes at a time. */
static void
test_drops(void **state)
{
	static uint8_t bytes[FILE_MAX];
	char path[2][300];
	size_t len = make_pcap(bytes, 1, FRAMES, 1);
	(void)state;

	save("file", bytes, len);
	const char *file = named("file", path[0]), *fifo = named("fifo", path[1]);
	struct reading want = read_in_batches(&file, 1, 1);
	for (size_t drop = 1; drop < 3000; drop = drop * 3 + 1) {
		assert_int_equal(mkfifo(fifo, 0600), 0);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			int fd = open(fifo, O_WRONLY);
			for (size_t at = 0; at < len; at += drop)
				if (write(fd, bytes + at, at + drop < len ? drop : len - at) < 0)
					_exit(1);
			_exit(0);
		}
		struct reading r = read_in_batches(&fifo, 1, 64);
		int status;
		waitpid(child, &status, 0);
		assert_int_equal(status, 0);
		assert_int_equal(r.frames, want.frames);
		assert_int_equal(r.digest, want.digest);
		unlink(fifo);
	}
	unlink(file);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_drops),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
