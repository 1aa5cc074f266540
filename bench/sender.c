/*
 * sender IFACE FILE RATE SECONDS: sends the frames of a capture from one end of a link, RATE in a second, over and over, in as
 * many frames at once as keep to it. Each round has other hosts: the last 16 bits of 198.18.0.0/16 and 198.19.0.0/16 (and
 * 2001:db8:0:1::/96) turn against each other, so that every checksum stays right. Tells on standard output how many frames
 * it sent and in how many seconds.
 *
 * It is for a link between network namespaces of the measuring script's own: a capture with any address other than those for
 * benchmarks and documentation (RFC 2544, 5737, 3849) is refused.
 */
#define _GNU_SOURCE /* sendmmsg */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <pcap/pcap.h>

enum { AT_ONCE = 64, MTU_FRAME = 1514, SHIFT = 257 };

struct sent {
	uint8_t *bytes;
	uint32_t len;
	uint16_t low[2]; /* where the last 16 bits of the client's and the server's address are; 0: it stays as it is */
};

struct frames {
	struct sent *frame;
	size_t count, room;
};

static int read_frames(const char *path, struct frames *out);
static int add_frame(struct frames *out, const uint8_t *bytes, uint32_t len);
static bool look_at(struct sent *s);
static bool is_for_tests(const uint8_t *address, bool v6);
static int open_link(const char *name);
static uint64_t send_all(int fd, struct frames *f, double rate, double seconds, double *took);
static void turn(struct frames *f);
static double now(void);

int
main(int argc, char **argv)
{
	struct frames frames = {.count = 0};
	if (argc != 5) {
		fprintf(stderr, "usage: sender IFACE FILE RATE SECONDS\n");
		return 2;
	}
	const double rate = strtod(argv[3], NULL), seconds = strtod(argv[4], NULL);
	const int fd = open_link(argv[1]);
	if (fd < 0 || !(rate >= 1) || !(seconds > 0 && seconds <= 600) || read_frames(argv[2], &frames) < 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF) /* the script is ready, too */
		return 1;
	double took;
	const uint64_t count = send_all(fd, &frames, rate, seconds, &took);
	printf("%" PRIu64 " %.3f\n", count, took);
	for (size_t i = 0; i < frames.count; i++)
		free(frames.frame[i].bytes);
	free(frames.frame);
	return 0;
}

/* Frames that the link takes; longer ones, as an offload makes them, are left out. */
static int
read_frames(const char *path, struct frames *out)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int status, failed = 0;
	pcap_t *file = pcap_open_offline(path, error);
	if (file == NULL || pcap_datalink(file) != DLT_EN10MB) {
		fprintf(stderr, "sender: %s: %s\n", path, file == NULL ? error : "not of an Ethernet");
		return -1;
	}
	while (failed == 0 && (status = pcap_next_ex(file, &header, &bytes)) == 1)
		if (header->caplen == header->len && header->len <= MTU_FRAME && header->len >= ETH_HLEN)
			failed = add_frame(out, bytes, header->len);
	pcap_close(file);
	return failed == 0 && out->count > 0 ? 0 : -1;
}

static int
add_frame(struct frames *out, const uint8_t *bytes, uint32_t len)
{
	if (out->count == out->room) {
		const size_t room = out->room > 0 ? out->room * 2 : 65536;
		struct sent *grown = realloc(out->frame, room * sizeof *grown);
		if (grown == NULL)
			return -1;
		out->frame = grown;
		out->room = room;
	}
	struct sent *s = &out->frame[out->count];
	*s = (struct sent){.bytes = malloc(len), .len = len};
	if (s->bytes == NULL)
		return -1;
	memcpy(s->bytes, bytes, len);
	out->count++;
	if (!look_at(s)) {
		fprintf(stderr, "sender: frame %zu has an address that is not for tests: nothing is sent\n", out->count);
		return -1;
	}
	return 0;
}

/* Finds the addresses. False: it must not be sent. */
static bool
look_at(struct sent *s)
{
	const bool v6 = s->bytes[12] == 0x86 && s->bytes[13] == 0xdd, v4 = s->bytes[12] == 0x08 && s->bytes[13] == 0x00;
	const uint32_t first = ETH_HLEN + (v6 ? 8 : 12), size = v6 ? 16 : 4;
	if ((!v4 && !v6) || s->len < first + 2 * size || !is_for_tests(s->bytes + first, v6) || !is_for_tests(s->bytes + first + size, v6))
		return false;
	for (unsigned k = 0; k < 2; k++) {
		const uint8_t *end = s->bytes + first + (k + 1) * size; /* of this address */
		if (end[-4] == 198 && (end[-3] & 0xfe) == 18)
			s->low[end[-3] & 1] = (uint16_t)(end - 2 - s->bytes);
	}
	if (s->low[0] == 0 || s->low[1] == 0)
		s->low[0] = s->low[1] = 0;
	return true;
}

static bool
is_for_tests(const uint8_t *address, bool v6)
{
	static const uint8_t documentation[4] = {0x20, 0x01, 0x0d, 0xb8};
	if (v6)
		return memcmp(address, documentation, sizeof documentation) == 0;
	return (address[0] == 198 && (address[1] & 0xfe) == 18) || (address[0] == 203 && address[1] == 0 && address[2] == 113) ||
	        (address[0] == 198 && address[1] == 51 && address[2] == 100);
}

/* A packet(7) socket that sends and receives nothing; or -1. */
static int
open_link(const char *name)
{
	const int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(name)};
	if (fd < 0 || to.sll_ifindex == 0 || bind(fd, (const struct sockaddr *)&to, sizeof to) < 0) {
		fprintf(stderr, "sender: %s: %s\n", name, strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
	return fd;
}

static uint64_t
send_all(int fd, struct frames *f, double rate, double seconds, double *took)
{
	struct mmsghdr messages[AT_ONCE] = {0};
	struct iovec parts[AT_ONCE];
	uint64_t count = 0;
	size_t at = 0;
	const double begin = now();
	while (now() - begin < seconds) {
		const double due = (now() - begin) * rate - (double)count;
		if (due < 1) {
			nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
			continue;
		}
		unsigned n = 0;
		for (; n < AT_ONCE && n < due && at + n < f->count; n++) {
			parts[n] = (struct iovec){f->frame[at + n].bytes, f->frame[at + n].len};
			messages[n].msg_hdr = (struct msghdr){.msg_iov = &parts[n], .msg_iovlen = 1};
		}
		const int done = sendmmsg(fd, messages, n, 0);
		if (done < 0 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
			fprintf(stderr, "sender: %s\n", strerror(errno));
			break;
		}
		count += done > 0 ? (uint64_t)done : 0;
		at += done > 0 ? (size_t)done : 0;
		if (at == f->count) {
			turn(f);
			at = 0;
		}
	}
	*took = now() - begin;
	return count;
}

/* Other hosts, the same sum in ones' complement. */
static void
turn(struct frames *f)
{
	for (size_t i = 0; i < f->count; i++)
		for (unsigned k = 0; k < 2 && f->frame[i].low[0] != 0; k++) {
			uint8_t *p = f->frame[i].bytes + f->frame[i].low[k];
			const uint32_t turned = ((uint32_t)p[0] << 8 | p[1]) + (k == 0 ? SHIFT : 0xffff - SHIFT), low = turned % 0xffff;
			p[0] = (uint8_t)(low >> 8);
			p[1] = (uint8_t)low;
		}
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
