#include "config.h"

#include "capture/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <pcap/pcap.h>

#include "base/clock.h"

enum {
	SNAPLEN_DEFAULT = 65600,
	LINKTYPE_RAW = 101,
	NO_PROTOCOL = 0x88b5,          /* an EtherType for experiments: a socket of it is handed nothing by a host's own loopback */
};
const char *const live_clock_words[LIVE_CLOCKS] = {
	[LIVE_CLOCK_HOST] = "host",
	[LIVE_CLOCK_ADAPTER] = "adapter",
	[LIVE_CLOCK_ADAPTER_UNSYNCED] = "adapter_unsynced",
};
static const int tstamp_types[LIVE_CLOCKS] = {
	[LIVE_CLOCK_HOST] = PCAP_TSTAMP_HOST,
	[LIVE_CLOCK_ADAPTER] = PCAP_TSTAMP_ADAPTER,
	[LIVE_CLOCK_ADAPTER_UNSYNCED] = PCAP_TSTAMP_ADAPTER_UNSYNCED,
};
static const int64_t reopen_after = CLOCK_SECOND, count_after = 100 * CLOCK_MILLISECOND;

struct interface {
	const char *name;
	pcap_t *pcap;                  /* NULL: it must be opened again */
	bool gone;                     /* pcap is NULL, or its socket is tied to nothing: */
	int64_t again;                 /* tried again at this time (monotonic) */
	unsigned short hardware;       /* ARPHRD_* of it when it was opened */
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
	int64_t count_again;           /* monotonic */
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
static int interface_await(const struct live *l, struct interface *i, char *error, size_t size);
static int set_up(const struct live *l, pcap_t *pcap, int protocol, char *error, size_t size);
static void say_clocks(const struct interface *i, enum live_clock wanted, char *error, size_t size);
static void say_why(const struct interface *i, int status, char *error, size_t size);
static int interface_filter(const struct live *l, const struct interface *i, char *error, size_t size);
static uint16_t link_type(int dlt);
static void interface_count(struct interface *i);
static uint32_t counted_since(uint32_t now, uint32_t seen);
static void interface_gone(struct live *l, struct interface *i, const char *why);
static void look_down(struct live *l, struct interface *i);
static void interface_retry(struct live *l, struct interface *i);
static int interface_rebind(const struct live *l, const struct interface *i);
static int packet_socket(const struct interface *i, int *ifindex);
static int ask(const struct interface *i, unsigned long what, struct ifreq *out);
static void take_from(struct taking *t, struct live *l, size_t max);
static void on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes);
static void wait_for_any(struct live *l, int64_t patience);
static void tell(const struct live *l, const struct interface *i, const char *what);

struct live *
live_open(const struct live_conf *conf, const char *const *interfaces, size_t count, const char *filter,
          const struct capture_ops *ops, void *ctx, enum live_refusal *refusal, char *error, size_t size)
{
	char why[PCAP_ERRBUF_SIZE + 64];
	*refusal = LIVE_REFUSED;
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
		int status = interface_open(l, &l->interfaces[l->count], why, sizeof why);
		if (status == PCAP_ERROR_IFACE_NOT_UP && l->conf.clock == LIVE_CLOCK_HOST) /* a handle of another one's has no adapter */
			status = interface_await(l, &l->interfaces[l->count], why, sizeof why);
		if (status == 0)
			continue;
		if (status == PCAP_ERROR_NO_SUCH_DEVICE || status == PCAP_ERROR_IFACE_NOT_UP)
			*refusal = LIVE_NOT_YET;
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
live_counts(struct live *l, bool exactly, struct live_counts *out)
{
	const int64_t now = clock_monotonic();
	const bool due = exactly || now >= l->count_again;
	if (due)
		l->count_again = now + count_after;
	*out = (struct live_counts){.frames = l->frames, .bytes = l->bytes};
	for (size_t i = 0; i < l->count; i++) {
		if (due)
			interface_count(&l->interfaces[i]);
		out->dropped_ring += l->interfaces[i].dropped_ring;
		if (l->conf.share.index == 0)
			out->dropped_interface += l->interfaces[i].dropped_interface;
	}
}

/* 0; or why, and one of libpcap's errors. */
static int
interface_open(const struct live *l, struct interface *i, char *error, size_t size)
{
	char why[PCAP_ERRBUF_SIZE];
	i->pcap = pcap_create(i->name, why);
	if (i->pcap == NULL) {
		snprintf(error, size, "%s", why);
		return PCAP_ERROR;
	}
	i->seen = (struct pcap_stat){0};
	if (l->conf.clock != LIVE_CLOCK_HOST && pcap_set_tstamp_type(i->pcap, tstamp_types[l->conf.clock]) != 0) {
		say_clocks(i, l->conf.clock, error, size);
		pcap_close(i->pcap);
		i->pcap = NULL;
		return PCAP_ERROR;
	}
	int status = set_up(l, i->pcap, ETH_P_ALL, why, sizeof why);
	if (status < 0)
		say_why(i, status, error, size);
	else if (interface_filter(l, i, error, size) < 0)
		status = PCAP_ERROR;
	if (status < 0) {
		pcap_close(i->pcap);
		i->pcap = NULL;
		return status;
	}
	struct ifreq about;
	i->hardware = ask(i, SIOCGIFHWADDR, &about) == 0 ? about.ifr_hwaddr.sa_family : 0;
	i->link = link_type(pcap_datalink(i->pcap));
	return 0;
}

/*
 * The interface is down. libpcap opens none that is, and once it is up the privilege to is gone: so a handle of the loopback's is
 * opened, which has frames of the same form, and tied to the interface. From there on it is one that went down. As interface_open.
 */
static int
interface_await(const struct live *l, struct interface *i, char *error, size_t size)
{
	char why[PCAP_ERRBUF_SIZE];
	struct ifreq about;
	int status = PCAP_ERROR_IFACE_NOT_UP;
	i->pcap = pcap_create("lo", why);
	i->hardware = ARPHRD_ETHER;
	i->link = DLT_EN10MB;
	if (i->pcap == NULL || set_up(l, i->pcap, NO_PROTOCOL, why, sizeof why) < 0 || pcap_datalink(i->pcap) != DLT_EN10MB ||
	        ask(i, SIOCGIFHWADDR, &about) < 0 || about.ifr_hwaddr.sa_family != i->hardware)
		goto failed;
	if (interface_filter(l, i, error, size) < 0) {
		status = PCAP_ERROR;
		goto failed;
	}
	if (interface_rebind(l, i) < 0)
		goto failed;
	i->down = true;
	tell(l, i, "the interface is down; frames are taken as soon as it is up");
	return 0;
failed:
	if (i->pcap != NULL)
		pcap_close(i->pcap);
	i->pcap = NULL;
	return status;
}

/* pcap_activate's status. */
static int
set_up(const struct live *l, pcap_t *pcap, int protocol, char *error, size_t size)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_set_snaplen(pcap, (int)l->conf.snaplen);
	pcap_set_promisc(pcap, !l->conf.no_promiscuous);
	pcap_set_protocol_linux(pcap, protocol);
	pcap_set_timeout(pcap, LIVE_BLOCK_TIME);
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
say_clocks(const struct interface *i, enum live_clock wanted, char *error, size_t size)
{
	char offered[LIVE_CLOCKS_TEXT];
	live_clocks(i->name, offered);
	snprintf(error, size, "it has no timestamps of the kind %s (capture.timestamps), but: %s", live_clock_words[wanted], offered);
}

void
live_clocks(const char *interface, char text[LIVE_CLOCKS_TEXT])
{
	char why[PCAP_ERRBUF_SIZE];
	int *types = NULL;
	pcap_t *pcap = pcap_create(interface, why);
	const int count = pcap != NULL ? pcap_list_tstamp_types(pcap, &types) : 0;
	size_t used = (size_t)snprintf(text, LIVE_CLOCKS_TEXT, "%s", live_clock_words[LIVE_CLOCK_HOST]); /* any has it */
	for (int i = 0; i < count; i++)
		for (size_t k = LIVE_CLOCK_HOST + 1; k < LIVE_CLOCKS; k++)
			if (types[i] == tstamp_types[k] && used < LIVE_CLOCKS_TEXT)
				used += (size_t)snprintf(text + used, LIVE_CLOCKS_TEXT - used, ", %s", live_clock_words[k]);
	pcap_free_tstamp_types(types);
	if (pcap != NULL)
		pcap_close(pcap);
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

/* What the user asked for, of this reader's share. */
static int
interface_filter(const struct live *l, const struct interface *i, char *error, size_t size)
{
	struct bpf_insn everything = BPF_STMT(BPF_RET | BPF_K, LIVE_SNAPLEN_MAX);
	struct bpf_insn share[SHARE_ROOM];
	struct bpf_program asked = {.bf_len = 1, .bf_insns = &everything}, whole = {0};
	const int link = pcap_datalink(i->pcap);
	const size_t count = share_program(&l->conf.share, link_type(link), share);
	const char *what = l->filter != NULL ? l->filter : "";
	int status = -1;
	if (l->filter == NULL && count == 0)
		return 0;
	if (l->filter != NULL && pcap_compile(i->pcap, &asked, l->filter, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		snprintf(error, size, "filter '%s': %s", l->filter, pcap_geterr(i->pcap));
		return -1;
	}
	whole.bf_insns = calloc(count + asked.bf_len, sizeof *whole.bf_insns);
	if (whole.bf_insns != NULL) {
		memcpy(whole.bf_insns, share, count * sizeof *share);
		memcpy(whole.bf_insns + count, asked.bf_insns, asked.bf_len * sizeof *asked.bf_insns);
		whole.bf_len = (unsigned)count + asked.bf_len;
		status = pcap_setfilter(i->pcap, &whole);
	}
	if (status < 0)
		snprintf(error, size, "filter '%s': %s", what, whole.bf_insns != NULL ? pcap_geterr(i->pcap) : "out of memory");
	free(whole.bf_insns);
	if (l->filter != NULL)
		pcap_freecode(&asked);
	return status;
}

static uint16_t
link_type(int dlt)
{
	return dlt == DLT_RAW ? LINKTYPE_RAW : (uint16_t)dlt; /* the only one of those met here whose LINKTYPE differs */
}

/* Adds what was dropped since it was last asked. */
static void
interface_count(struct interface *i)
{
	struct pcap_stat now;
	if (i->pcap == NULL || pcap_stats(i->pcap, &now) < 0)
		return;
	i->dropped_ring += counted_since(now.ps_drop, i->seen.ps_drop);
	i->dropped_interface += counted_since(now.ps_ifdrop, i->seen.ps_ifdrop);
	i->seen = now;
}

/* Modulo 2^32; 0 where it went back, as an interface's own count does when it is made anew. */
static uint32_t
counted_since(uint32_t now, uint32_t seen)
{
	return now - seen <= INT32_MAX ? now - seen : 0;
}

/* It disappeared, or capturing there failed. */
static void
interface_gone(struct live *l, struct interface *i, const char *why)
{
	char what[PCAP_ERRBUF_SIZE + 64];
	int ifindex;
	snprintf(what, sizeof what, "%s; it is tried again each second", why);
	interface_count(i);
	if (packet_socket(i, &ifindex) < 0) {
		pcap_close(i->pcap);
		i->pcap = NULL;
	}
	i->gone = true;
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
	const int status = i->pcap != NULL ? interface_rebind(l, i) : interface_open(l, i, why, sizeof why);
	if (status < 0)
		return;
	i->gone = i->down = false;
	tell(l, i, "it is back");
}

/*
 * The privilege to open another socket is gone by now: the one there is gets tied to the interface that has the name now.
 * Ring, filter and all else stay with it (packet(7)). 0; or -1: there is none, or not of that kind.
 */
static int
interface_rebind(const struct live *l, const struct interface *i)
{
	const int fd = pcap_fileno(i->pcap);
	struct ifreq about;
	int error;
	socklen_t len = sizeof error;
	if (ask(i, SIOCGIFHWADDR, &about) < 0 || about.ifr_hwaddr.sa_family != i->hardware || ask(i, SIOCGIFINDEX, &about) < 0)
		return -1;
	const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	        .sll_ifindex = about.ifr_ifindex};
	const struct packet_mreq all = {.mr_ifindex = about.ifr_ifindex, .mr_type = PACKET_MR_PROMISC};
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len); /* that it went away is told once */
	if (bind(fd, (const struct sockaddr *)&to, sizeof to) < 0)
		return -1;
	if (!l->conf.no_promiscuous)
		setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all);
	return 0;
}

/*
 * Most have one, other than USB, Bluetooth and cards with a library of their own: 0, and what it is tied to (-1: nothing any
 * more); or -1.
 */
static int
packet_socket(const struct interface *i, int *ifindex)
{
	struct sockaddr_ll at = {.sll_family = AF_UNSPEC};
	socklen_t len = sizeof at;
	if (getsockname(pcap_fileno(i->pcap), (struct sockaddr *)&at, &len) < 0 || at.sll_family != AF_PACKET)
		return -1;
	*ifindex = at.sll_ifindex;
	return 0;
}

/* 0, or -1. what: SIOCGIFINDEX, SIOCGIFHWADDR or SIOCGIFFLAGS (netdevice(7)). */
static int
ask(const struct interface *i, unsigned long what, struct ifreq *out)
{
	*out = (struct ifreq){0};
	if (snprintf(out->ifr_name, sizeof out->ifr_name, "%s", i->name) >= (int)sizeof out->ifr_name)
		return -1;
	return ioctl(pcap_fileno(i->pcap), what, out);
}

/*
 * The socket has an error to tell, or nothing else. libpcap keeps to itself that an interface went down, goes on when it is up
 * again, and takes the error with it where it reads first: so a quiet interface is asked as well.
 */
static void
look_down(struct live *l, struct interface *i)
{
	int error = 0, ifindex;
	socklen_t len = sizeof error;
	struct ifreq about;
	getsockopt(pcap_fileno(i->pcap), SOL_SOCKET, SO_ERROR, &error, &len);
	if (packet_socket(i, &ifindex) < 0)
		return;
	if (ifindex < 0) {
		interface_gone(l, i, "the interface disappeared");
		return;
	}
	const bool known = ask(i, SIOCGIFFLAGS, &about) == 0;
	const bool up = known && (about.ifr_flags & IFF_UP) != 0;
	if (!i->down && (error == ENETDOWN || (known && !up))) {
		tell(l, i, "it went down; frames are taken as soon as it is up again");
		i->down = true;
	} else if (error == 0 && i->down && up && (about.ifr_flags & IFF_RUNNING)) {
		tell(l, i, "it is back"); /* the first frame may be another reader's */
		i->down = false;
	}
}

/* Whatever waits, from one interface after the other; each call begins with another one. */
static void
take_from(struct taking *t, struct live *l, size_t max)
{
	for (size_t n = 0; n < l->count && t->count < max; n++) {
		struct interface *i = &l->interfaces[(l->next + n) % l->count];
		if (i->gone)
			interface_retry(l, i);
		if (i->gone)
			continue;
		t->interface = i;
		if (pcap_dispatch(i->pcap, (int)(max - t->count), on_frame, (u_char *)t) < 0)
			interface_gone(l, i, pcap_geterr(i->pcap));
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
		        .fd = !l->interfaces[i].gone ? pcap_get_selectable_fd(l->interfaces[i].pcap) : -1};
	if (poll(fds, l->count, (int)(patience / CLOCK_MILLISECOND)) < 0)
		return;
	for (size_t i = 0; i < l->count; i++) {
		struct interface *one = &l->interfaces[i];
		if (!one->gone && (fds[i].revents == 0 || (fds[i].revents & POLLERR) != 0 || one->down))
			look_down(l, one);
	}
}

static void
tell(const struct live *l, const struct interface *i, const char *what)
{
	if (l->conf.share.index == 0)
	l->ops.problem(l->ctx, &(struct capture_problem){.path = i->name, .what = what});
}
