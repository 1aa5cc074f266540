/*
 * Every capture of a folder, named by WAYBILL_CORPUS, through capture and
 * decode: the number of frames is what stands in the file's oracle beside it
 * (dev/X and oracle/X.json), and no frame vanishes without a packet or a counter.
 */
#include "config.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "decode/decode.h"

enum { EXIT_SKIPPED = 77, OPEN_FILES = 16 };

struct tally {
	unsigned files, wrong;
};

static struct tally tally; /* nftw() passes no context */
static const char *corpus;

static void
count_packet(void *ctx, const struct packet *p)
{
	(void)p;
	(*(uint64_t *)ctx)++;
}

static uint64_t
counted(struct decoder *d)
{
	size_t count;
	uint64_t sum = 0;
	const struct coverage_counter *counters = decoder_counters(d, &count);

	for (size_t i = 0; i < count; i++)
		sum += counters[i].count;
	return sum;
}

/* Frames in a file; those that neither gave a packet nor were counted are added to *silent. */
static uint64_t
read_capture(const char *path, uint64_t *silent)
{
	char error[256];
	struct frame f;
	uint64_t frames = 0, packets = 0;

	struct capture *c = capture_open(&path, 1, NULL, NULL, error, sizeof error);
	if (c == NULL)
		return 0;
	struct decoder *d = decoder_create(NULL, count_packet, &packets);
	while (capture_batch(c, &f, 1) == 1) {
		uint64_t packets_before = packets, counted_before = counted(d);
		frames++;
		decoder_frame(d, &f);
		*silent += packets == packets_before && counted(d) == counted_before;
	}
	decoder_destroy(d);
	capture_close(c);
	return frames;
}

/* capture.packets of an oracle, which is the first member of that name; -1 where there is none. */
static long
oracle_packets(const char *path)
{
	static const char name[] = "\"packets\":";
	char *text = NULL;
	size_t size = 0;
	long packets = -1;

	FILE *f = fopen(path, "r");
	if (f == NULL)
		return -1;
	if (getdelim(&text, &size, '\0', f) > 0) {
		const char *at = strstr(text, name);
		if (at != NULL)
			packets = strtol(at + strlen(name), NULL, 10);
	}
	free(text);
	fclose(f);
	return packets;
}

static int
check_file(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	char oracle[4096];
	uint64_t silent = 0;
	(void)st;
	(void)ftw;

	if (kind != FTW_F)
		return 0;
	snprintf(oracle, sizeof oracle, "%s/oracle/%s.json", corpus,
		path + strlen(corpus) + strlen("/dev/"));
	long want = oracle_packets(oracle);
	if (want < 0)
		return 0;
	tally.files++;
	uint64_t have = read_capture(path, &silent);
	if (have != (uint64_t)want || silent != 0) {
		printf("%s: %llu frames instead of %ld, %llu silent\n", path,
			(unsigned long long)have, want, (unsigned long long)silent);
		tally.wrong++;
	}
	return 0;
}

int
main(void)
{
	char dev[4096];

	corpus = getenv("WAYBILL_CORPUS");
	if (corpus == NULL) {
		printf("WAYBILL_CORPUS names no folder of captures: skipped\n");
		return EXIT_SKIPPED;
	}
	snprintf(dev, sizeof dev, "%s/dev", corpus);
	if (nftw(dev, check_file, OPEN_FILES, FTW_PHYS) != 0 || tally.files == 0) {
		printf("%s holds no captures with oracles\n", corpus);
		return 1;
	}
	printf("%u captures, %u wrong\n", tally.files, tally.wrong);
	return tally.wrong == 0 ? 0 : 1;
}
