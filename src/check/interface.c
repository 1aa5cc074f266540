#include "config.h"

#include "check/interface.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

enum { FEATURES_MAX = 1024 }; /* a kernel has some 60 */

const struct interface_offload interface_offloads[INTERFACE_OFFLOADS] = {
	{"rx-gro", "gro", true},
	{"rx-lro", "lro", true},
	{"rx-gro-hw", "rx-gro-hw", true},
	{"rx-gro-list", "rx-gro-list", true},
	{"rx-udp-gro-forwarding", "rx-udp-gro-forwarding", true},
	{"tx-generic-segmentation", "gso", false},
	{"tx-tcp-segmentation", "tso", false},
	{"tx-tcp6-segmentation", "tso", false},
	{"tx-udp-segmentation", "tx-udp-segmentation", false},
};

static int ask(int fd, struct interface_facts *i, void *request);
static void look_link(int fd, struct interface_facts *i);
static void look_ring(int fd, struct interface_facts *i);
static void look_features(int fd, struct interface_facts *i);
static uint32_t feature_count(int fd, struct interface_facts *i);
static void take_features(struct interface_facts *i, const struct ethtool_gstrings *names,
        const struct ethtool_gfeatures *features, uint32_t count);
static void look_addresses(struct interface_facts *i);

int
interface_look(const char *name, struct interface_facts *out)
{
	struct ifreq request = {0};
	*out = (struct interface_facts){0};
	if (strlen(name) >= sizeof out->name) {
		errno = ENODEV;
		return -1;
	}
	strcpy(out->name, name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	strcpy(request.ifr_name, name);
	int result = ioctl(fd, SIOCGIFFLAGS, &request);
	const int reason = errno;
	if (result == 0) {
		out->up = (request.ifr_flags & IFF_UP) != 0;
		out->carrier = (request.ifr_flags & IFF_RUNNING) != 0;
		out->loopback = (request.ifr_flags & IFF_LOOPBACK) != 0;
		if (ioctl(fd, SIOCGIFMTU, &request) == 0)
			out->mtu = request.ifr_mtu;
		look_link(fd, out);
		look_ring(fd, out);
		look_features(fd, out);
		look_addresses(out);
	}
	close(fd);
	errno = reason;
	return result;
}

/* request: one of the structures of linux/ethtool.h, with its command. 0, or -1: the driver has no answer. */
static int
ask(int fd, struct interface_facts *i, void *request)
{
	struct ifreq r = {0};
	strcpy(r.ifr_name, i->name);
	r.ifr_data = request;
	return ioctl(fd, SIOCETHTOOL, &r);
}

static void
look_link(int fd, struct interface_facts *i)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ethtool_cmd link = {.cmd = ETHTOOL_GSET};
	if (ask(fd, i, &driver) == 0)
		memcpy(i->driver, driver.driver, sizeof i->driver - 1);
	if (ask(fd, i, &link) != 0)
		return;
	const uint32_t speed = (uint32_t)link.speed_hi << 16 | link.speed; /* Mbit/s */
	if (speed != (uint32_t)SPEED_UNKNOWN && speed != UINT16_MAX)       /* as drivers of 16 bits say it */
		i->speed = speed;
}

static void
look_ring(int fd, struct interface_facts *i)
{
	struct ethtool_ringparam ring = {.cmd = ETHTOOL_GRINGPARAM};
	if (ask(fd, i, &ring) != 0)
		return;
	i->ring = ring.rx_pending;
	i->ring_max = ring.rx_max_pending;
}

/* The kernel tells names and states of features in two arrays of one order. */
static void
look_features(int fd, struct interface_facts *i)
{
	const uint32_t count = feature_count(fd, i);
	const uint32_t blocks = (count + 31) / 32;
	if (count == 0 || count > FEATURES_MAX)
		return;
	struct ethtool_gstrings *names = calloc(1, sizeof *names + (size_t)count * ETH_GSTRING_LEN);
	struct ethtool_gfeatures *features = calloc(1, sizeof *features + blocks * sizeof features->features[0]);
	if (names != NULL && features != NULL) {
		*names = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = count};
		*features = (struct ethtool_gfeatures){.cmd = ETHTOOL_GFEATURES, .size = blocks};
		if (ask(fd, i, names) == 0 && ask(fd, i, features) == 0)
			take_features(i, names, features, count);
	}
	free(names);
	free(features);
}

static uint32_t
feature_count(int fd, struct interface_facts *i)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t count;
	} request = {.info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = UINT64_C(1) << ETH_SS_FEATURES}};
	if (ask(fd, i, &request) != 0 || request.info.sset_mask == 0)
		return 0;
	return request.count;
}

static void
take_features(struct interface_facts *i, const struct ethtool_gstrings *names,
        const struct ethtool_gfeatures *features, uint32_t count)
{
	for (uint32_t n = 0; n < count; n++) {
		const struct ethtool_get_features_block *block = &features->features[n / 32];
		const uint32_t bit = UINT32_C(1) << n % 32;
		for (size_t k = 0; k < INTERFACE_OFFLOADS; k++) {
			const char *name = (const char *)names->data + (size_t)n * ETH_GSTRING_LEN;
			if (strncmp(name, interface_offloads[k].feature, ETH_GSTRING_LEN) != 0)
				continue;
			i->active[k] = (block->active & bit) != 0;
			i->fixed[k] = (block->available & bit) == 0 || (block->never_changed & bit) != 0;
		}
	}
}

/* Link-local IPv6 addresses come by themselves and don't count. */
static void
look_addresses(struct interface_facts *i)
{
	struct ifaddrs *all;
	if (getifaddrs(&all) != 0)
		return;
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next) {
		if (a->ifa_addr == NULL || strcmp(a->ifa_name, i->name) != 0)
			continue;
		struct sockaddr_in6 v6;
		if (a->ifa_addr->sa_family == AF_INET6) {
			memcpy(&v6, a->ifa_addr, sizeof v6);
			i->addressed |= !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
		}
		i->addressed |= a->ifa_addr->sa_family == AF_INET;
	}
	freeifaddrs(all);
}
