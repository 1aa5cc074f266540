/* libpcap compiles and runs the filter; it reads no packets here. */
#include "config.h"

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/filter.h"

enum {
	FILTER_PROGRAMS_MAX = 64, /* link types of one run; frames of any more are turned away */
	FILTER_SNAPLEN = 262144,
	LINK_RAW_OPENBSD = 14,
	LINK_ATM_RFC1483 = 100,
	LINK_RAW = 101,
};

struct program {
	uint16_t link;
	bool usable;
	struct bpf_program code;
};

struct filter {
	char *expression;
	struct program programs[FILTER_PROGRAMS_MAX];
	size_t count;
	size_t last; /* the program used last */
};

static struct program *filter_program(struct filter *f, uint16_t link, bool *fresh);
static bool
program_compile(struct program *p, uint16_t link, const char *expression, char *error, size_t size);
static int link_to_dlt(uint16_t link);

struct filter *
filter_create(const char *expression, char *error, size_t error_size)
{
	/* Ethernet tells whether the syntax is right; some primitives exist on other links only. */
	static const uint16_t links[] = {
		DLT_EN10MB, DLT_LINUX_SLL2, DLT_IEEE802_11_RADIO, DLT_PFLOG};
	char later[PCAP_ERRBUF_SIZE];

	struct filter *f = calloc(1, sizeof *f);
	char *copy = strdup(expression);
	if (f == NULL || copy == NULL) {
		snprintf(error, error_size, "out of memory");
		free(copy);
		free(f);
		return NULL;
	}
	f->expression = copy;
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		struct program *p = &f->programs[0];
		bool first = i == 0;
		if (program_compile(p, links[i], copy, first ? error : later,
			    first ? error_size : sizeof later)) {
			f->count = 1;
			return f;
		}
	}
	filter_destroy(f);
	return NULL;
}

void
filter_destroy(struct filter *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->count; i++)
		if (f->programs[i].usable)
			pcap_freecode(&f->programs[i].code);
	free(f->expression);
	free(f);
}

enum filter_answer
filter_frame(struct filter *f, const struct frame *frame)
{
	bool fresh = false;
	struct program *p = filter_program(f, frame->link, &fresh);

	if (p == NULL)
		return FILTER_REJECT;
	if (!p->usable)
		return fresh ? FILTER_CANNOT : FILTER_REJECT;
	struct pcap_pkthdr header = {
		.ts = {.tv_sec = (time_t)(frame->time / CLOCK_SECOND),
			.tv_usec = (suseconds_t)(frame->time % CLOCK_SECOND / 1000)},
		.caplen = frame->caplen,
		.len = frame->len,
	};
	return pcap_offline_filter(&p->code, &header, frame->data) != 0 ? FILTER_PASS
									: FILTER_REJECT;
}

/*
 * The program for a link type, compiled (fresh) when it is the first frame of it. NULL: no room for
 * one.
 */
static struct program *
filter_program(struct filter *f, uint16_t link, bool *fresh)
{
	char error[PCAP_ERRBUF_SIZE];

	if (f->programs[f->last].link == link)
		return &f->programs[f->last];
	for (f->last = 0; f->last < f->count; f->last++)
		if (f->programs[f->last].link == link)
			return &f->programs[f->last];
	if (f->count == FILTER_PROGRAMS_MAX) {
		f->last = 0;
		return NULL;
	}
	struct program *p = &f->programs[f->count++];
	p->usable = program_compile(p, link, f->expression, error, sizeof error);
	*fresh = true;
	return p;
}

static bool
program_compile(struct program *p, uint16_t link, const char *expression, char *error, size_t size)
{
	p->link = link;
	pcap_t *dead = pcap_open_dead(link_to_dlt(link), FILTER_SNAPLEN);
	if (dead == NULL) {
		snprintf(error, size, "out of memory");
		return false;
	}
	p->usable = pcap_compile(dead, &p->code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!p->usable)
		snprintf(error, size, "%s", pcap_geterr(dead));
	pcap_close(dead);
	return p->usable;
}

/* Files hold LINKTYPE_ values, libpcap compiles for DLT_ ones; they differ for a few. */
static int
link_to_dlt(uint16_t link)
{
	switch (link) {
	case LINK_RAW:
	case LINK_RAW_OPENBSD: return DLT_RAW;
	case LINK_ATM_RFC1483: return DLT_ATM_RFC1483;
	default: return link;
	}
}
