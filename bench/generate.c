/*
 * generate KIND [--scale X] [--seed N] [--at-once N] [--seeds DIR] [--listed ADDRESS] [--listed-in N] [--count] > FILE: a capture for
 * measuring, the same for the same arguments. What each kind is made of: bench/README.md. --count: how many packets,
 * on standard error. Nothing is sent anywhere.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen.h"

static const struct kind {
	const char *name;
	int (*make)(struct gen *g);
} kinds[] = {
        {"mix", gen_mix},
        {"bulk", gen_bulk},
        {"many", gen_many},
        {"files", gen_files},
        {"synflood", gen_synflood},
};

static int usage(void);
static const struct kind *kind_named(const char *name);
static int read_options(struct gen *g, int argc, char **argv);

int
main(int argc, char **argv)
{
	static struct gen g = {.time = INT64_C(1705282200000000), .scale = 1, .random = 1, .seeds = "pcaps", .listed = LISTED_HOST,
	        .listed_in = 20000};
	static char buffer[1 << 20];

	const struct kind *kind = argc > 1 ? kind_named(argv[1]) : NULL;
	if (kind == NULL || read_options(&g, argc - 1, argv + 1) != 0)
		return usage();
	if (isatty(STDOUT_FILENO)) {
		fprintf(stderr, "generate: standard output is a terminal\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof g.noise; i++)
		g.noise[i] = i < NOISE_SIZE ? (uint8_t)random_below(&g, 256) : g.noise[i - NOISE_SIZE];
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	packet_file(&g);
	int failed = kind->make(&g);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("generate");
		failed = -1;
	}
	if (g.count)
		fprintf(stderr, "%llu packets\n", (unsigned long long)g.packets);
	return failed == 0 ? 0 : 1;
}

static int
usage(void)
{
	fprintf(stderr, "usage: generate KIND [--scale X] [--seed N] [--at-once N] [--seeds DIR] [--listed ADDRESS] [--listed-in N]\n"
	        "       [--count] > FILE\n  KIND is one of:");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		fprintf(stderr, " %s", kinds[i].name);
	fprintf(stderr, "\n");
	return 2;
}

static const struct kind *
kind_named(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static int
read_options(struct gen *g, int argc, char **argv)
{
	static const struct option options[] = {
	        {"scale", required_argument, NULL, 's'},
	        {"seed", required_argument, NULL, 'n'},
	        {"at-once", required_argument, NULL, 'a'},
	        {"seeds", required_argument, NULL, 'd'},
	        {"listed", required_argument, NULL, 'l'},
	        {"listed-in", required_argument, NULL, 'i'},
	        {"count", no_argument, NULL, 'c'},
	        {NULL, 0, NULL, 0},
	};
	struct in_addr listed;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		char nothing = 0, *end = &nothing;
		switch (option) {
		case 's': g->scale = strtod(optarg, &end); break;
		case 'n': g->random = strtoull(optarg, &end, 10); break;
		case 'a': g->at_once = (uint32_t)strtoul(optarg, &end, 10); break;
		case 'd': g->seeds = optarg; break;
		case 'l':
			if (inet_pton(AF_INET, optarg, &listed) != 1)
				return -1;
			g->listed = ntohl(listed.s_addr);
			break;
		case 'i':
			g->listed_in = (uint32_t)strtoul(optarg, &end, 10);
			if (g->listed_in == 0)
				return -1;
			break;
		case 'c': g->count = true; break;
		default: return -1;
		}
		if (*end != '\0')
			return -1;
	}
	return optind == argc && isfinite(g->scale) && g->scale > 0 && g->scale <= 1000 ? 0 : -1;
}

/* xorshift64* by G. Marsaglia and S. Vigna. */
uint32_t
random_below(struct gen *g, uint32_t n)
{
	if (g->random == 0)
		g->random = UINT64_C(0x9e3779b97f4a7c15);
	g->random ^= g->random >> 12;
	g->random ^= g->random << 25;
	g->random ^= g->random >> 27;
	uint64_t high = (g->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32;
	return (uint32_t)(high * n >> 32);
}

uint32_t
random_between(struct gen *g, uint32_t low, uint32_t high)
{
	return low + random_below(g, high - low + 1);
}

uint32_t
mixed(uint32_t n)
{
	uint64_t m = (n + UINT64_C(0x9e3779b9)) * UINT64_C(0xbf58476d1ce4e5b9);
	m = (m ^ m >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(m >> 32);
}
