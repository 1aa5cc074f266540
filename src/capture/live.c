#include "config.h"

#include "capture/live.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <pcap/pcap.h>

#include "base/clock.h"

enum {
	SNAPLEN_DEFAULT = 65600,
	BLOCK_TIMEOUT = 1,       /* ms: a block of the ring that is not full is handed over after it */
	LINKTYPE_RAW = 101,
};
static const int64_t reopen_after = CLOCK_SECOND;

struct interface {
	const char *name;
	pcap_t *pcap;                  /* NULL: it is gone, */
	int64_t again;                 /* and tried again at this time (monotonic) */
	bool down;                     /* told so; the handle stays */
	uint16_t link;
	struct pcap_stat seen;         /* of pcap, which counts modulo 2^32 */
	uint64_t dropped_ring, dropped_interface;
};

struct live {
	struct live_conf conf;         /* no member is 0 */
	struct capture_ops ops;
	void *ctx;
	char *filter;
	struct interface interfaces[LIVE_INTERFACES_MAX];
	size_t count, next;            /* next: whose turn it is */
	uint64_t frames, bytes;
};

struct taking { /* one live_batch */
	struct live *live;
	struct interface *interface;
	struct frame *frames;
	size_t count;
	uint8_t *bytes;
	size_t used;
};

static int interface_open(const struct live *l, struct interface *i, char *error, size_t size);
static int set_up(const struct live *l, pcap_t *pcap, char *error, size_t size);
static void say_why(const struct interface *i, int status, char *error, size_t size);
static int interface_filter(const struct live *l, const struct interface *i, char *error, size_t size);
static void interface_count(struct interface *i);
static void interface_gone(struct live *l, struct interface *i);
static void look_down(struct live *l, struct interface *i);
static void interface_retry(struct live *l, struct interface *i);
static void take_from(struct taking *t, struct live *l, size_t max);
static void on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes);
static void wait_for_any(struct live *l, int64_t patience);
static void tell(const struct live *l, const struct interface *i, const char *what);

struct live *
live_open(const struct live_conf *conf, const char *const *interfaces, size_t count, const char *filter,
          const struct capture_ops *ops, void *ctx, char *error, size_t size)
{
	char why[PCAP_ERRBUF_SIZE + 64];
	struct live *l = count <= LIVE_INTERFACES_MAX ? calloc(1, sizeof *l) : NULL;
	if (l == NULL) {
		snprintf(error, size, "%zu interfaces are too many", count);
		return NULL;
	}
	l->conf = *conf;
	l->conf.ring = conf->ring > 0 ? conf->ring : LIVE_RING_DEFAULT;
	l->conf.snaplen = conf->snaplen > 0 ? conf->snaplen : SNAPLEN_DEFAULT;
	l->ops = *ops;
	l->ctx = ctx;
	l->filter = filter != NULL ? strdup(filter) : NULL;
	for (; l->count < count; l->count++) {
		l->interfaces[l->count].name = interfaces[l->count];
		if (interface_open(l, &l->interfaces[l->count], why, sizeof why) == 0)
			continue;
		snprintf(error, size, "%s: %s", interfaces[l->count], why);
		live_close(l);
		return NULL;
	}
	return l;
}

void
live_close(struct live *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		if (l->interfaces[i].pcap != NULL)
			pcap_close(l->interfaces[i].pcap);
	free(l->filter);
	free(l);
}

size_t
live_room(const struct live *l, size_t frames)
{
	return frames * l->conf.snaplen;
}

size_t
live_batch(struct live *l, struct frame *frames, size_t max, uint8_t *bytes, int64_t patience)
{
	struct taking t = {.live = l, .frames = frames, .bytes = bytes};
	take_from(&t, l, max);
	if (t.count > 0)
		return t.count;
	wait_for_any(l, patience);
	take_from(&t, l, max);
	return t.count;
}

void
live_counts(struct live *l, struct live_counts *out)
{
	*out = (struct live_counts){.frames = l->frames, .bytes = l->bytes};
	for (size_t i = 0; i < l->count; i++) {
		interface_count(&l->interfaces[i]);
		out->dropped_ring += l->interfaces[i].dropped_ring;
		out->dropped_interface += l->interfaces[i].dropped_interface;
	}
}

/* 0, or -1 and why. */
static int
interface_open(const struct live *l, struct interface *i, char *error, size_t size)
{
	char why[PCAP_ERRBUF_SIZE];
	i->pcap = pcap_create(i->name, why);
	if (i->pcap == NULL) {
		snprintf(error, size, "%s", why);
		return -1;
	}
	i->seen = (struct pcap_stat){0};
	const int status = set_up(l, i->pcap, why, sizeof why);
	if (status < 0)
		say_why(i, status, error, size);
	if (status < 0 || interface_filter(l, i, error, size) < 0) {
		pcap_close(i->pcap);
		i->pcap = NULL;
		return -1;
	}
	const int link = pcap_datalink(i->pcap);
	i->link = link == DLT_RAW ? LINKTYPE_RAW : (uint16_t)link; /* the only one of those met here whose LINKTYPE differs */
	return 0;
}

/* pcap_activate's status. */
static int
set_up(const struct live *l, pcap_t *pcap, char *error, size_t size)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_set_snaplen(pcap, (int)l->conf.snaplen);
	pcap_set_promisc(pcap, !l->conf.no_promiscuous);
	pcap_set_timeout(pcap, BLOCK_TIMEOUT);
	pcap_set_immediate_mode(pcap, l->conf.immediate);
	pcap_set_buffer_size(pcap, (int)l->conf.ring);
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO); /* microseconds where it has no others */
	const int status = pcap_activate(pcap);
	if (status >= 0 && pcap_setnonblock(pcap, 1, why) < 0) {
		snprintf(error, size, "%s", why);
		return PCAP_ERROR;
	}
	return status;
}

static void
say_why(const struct interface *i, int status, char *error, size_t size)
{
	if (status == PCAP_ERROR_PERM_DENIED)
		snprintf(error, size, "no permission to capture there: that needs root or CAP_NET_RAW");
	else if (status == PCAP_ERROR_NO_SUCH_DEVICE)
		snprintf(error, size, "there is no such interface");
	else if (status == PCAP_ERROR_IFACE_NOT_UP)
		snprintf(error, size, "the interface is down");
	else
		snprintf(error, size, "%s", *pcap_geterr(i->pcap) != '\0' ? pcap_geterr(i->pcap) : pcap_statustostr(status));
}

static int
interface_filter(const struct live *l, const struct interface *i, char *error, size_t size)
{
	struct bpf_program program;
	if (l->filter == NULL)
		return 0;
	if (pcap_compile(i->pcap, &program, l->filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		snprintf(error, size, "filter '%s': %s", l->filter, pcap_geterr(i->pcap));
		return -1;
	}
	const int status = pcap_setfilter(i->pcap, &program);
	if (status < 0)
		snprintf(error, size, "filter '%s': %s", l->filter, pcap_geterr(i->pcap));
	pcap_freecode(&program);
	return status;
}

/* Adds what was dropped since it was last asked. */
static void
interface_count(struct interface *i)
{
	struct pcap_stat now;
	if (i->pcap == NULL || pcap_stats(i->pcap, &now) < 0)
		return;
	i->dropped_ring += now.ps_drop - i->seen.ps_drop;
	i->dropped_interface += now.ps_ifdrop - i->seen.ps_ifdrop;
	i->seen = now;
}

/* It disappeared, or capturing there failed. */
static void
interface_gone(struct live *l, struct interface *i)
{
	char what[PCAP_ERRBUF_SIZE + 64];
	snprintf(what, sizeof what, "%s; it is tried again each second", pcap_geterr(i->pcap));
	interface_count(i);
	pcap_close(i->pcap);
	i->pcap = NULL;
	i->again = clock_monotonic() + reopen_after;
	tell(l, i, what);
}

static void
interface_retry(struct live *l, struct interface *i)
{
	char why[PCAP_ERRBUF_SIZE + 64];
	if (clock_monotonic() < i->again)
		return;
	i->again = clock_monotonic() + reopen_after;
	if (interface_open(l, i, why, sizeof why) == 0)
		tell(l, i, "it is back");
}

/* The socket has an error to tell: libpcap keeps to itself that an interface went down, and goes on when it is up again. */
static void
look_down(struct live *l, struct interface *i)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (getsockopt(pcap_fileno(i->pcap), SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error != ENETDOWN || i->down)
		return;
	i->down = true;
	tell(l, i, "it went down; frames are taken as soon as it is up again");
}

/* Whatever waits, from one interface after the other; each call begins with another one. */
static void
take_from(struct taking *t, struct live *l, size_t max)
{
	for (size_t n = 0; n < l->count && t->count < max; n++) {
		struct interface *i = &l->interfaces[(l->next + n) % l->count];
		if (i->pcap == NULL)
			interface_retry(l, i);
		if (i->pcap == NULL)
			continue;
		t->interface = i;
		if (pcap_dispatch(i->pcap, (int)(max - t->count), on_frame, (u_char *)t) < 0)
			interface_gone(l, i);
	}
	l->next = (l->next + 1) % l->count;
}

static void
on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct taking *t = (struct taking *)user;
	struct interface *i = t->interface;
	if (i->down)
		tell(t->live, i, "it is back");
	i->down = false;
	const uint32_t caplen = h->caplen < t->live->conf.snaplen ? h->caplen : t->live->conf.snaplen;
	uint8_t *data = t->bytes + t->used;
	memcpy(data, bytes, caplen);
	t->used += caplen;
	t->frames[t->count++] = (struct frame){
	        .time = h->ts.tv_sec * CLOCK_SECOND +
	                h->ts.tv_usec * (pcap_get_tstamp_precision(i->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000),
	        .data = data, .caplen = caplen, .len = h->len, .number = ++t->live->frames,
	        .interface = (uint32_t)(i - t->live->interfaces), .link = i->link};
	t->live->bytes += h->len;
}

static void
wait_for_any(struct live *l, int64_t patience)
{
	struct pollfd fds[LIVE_INTERFACES_MAX];
	for (size_t i = 0; i < l->count; i++) /* poll passes over -1 */
		fds[i] = (struct pollfd){.events = POLLIN,
		        .fd = l->interfaces[i].pcap != NULL ? pcap_get_selectable_fd(l->interfaces[i].pcap) : -1};
	if (poll(fds, l->count, (int)(patience / CLOCK_MILLISECOND)) <= 0)
		return;
	for (size_t i = 0; i < l->count; i++)
		if ((fds[i].revents & POLLERR) != 0)
			look_down(l, &l->interfaces[i]);
}

static void
tell(const struct live *l, const struct interface *i, const char *what)
{
	l->ops.problem(l->ctx, &(struct capture_problem){.path = i->name, .what = what});
}
