/* Facts about a network interface that matter to somebody who captures on it. Asks the kernel, changes nothing. */
#ifndef WAYBILL_CHECK_INTERFACE_H
#define WAYBILL_CHECK_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	INTERFACE_NAME_MAX = 16, /* IFNAMSIZ */
	INTERFACE_OFFLOADS = 9,
};

/* Offloads after which a capture no longer holds the frames of the wire. */
struct interface_offload {
	const char *feature; /* the kernel's name, as in ethtool -k */
	const char *word;    /* what ethtool -K takes */
	bool receive;        /* joins frames that come in; else: cuts up what this machine sends */
};
extern const struct interface_offload interface_offloads[INTERFACE_OFFLOADS];

struct interface_facts {
	char name[INTERFACE_NAME_MAX];
	char driver[32];                     /* "" unknown */
	bool up, carrier, loopback, addressed;
	int mtu;
	unsigned speed;                      /* Mbit/s; 0: unknown */
	bool active[INTERFACE_OFFLOADS];     /* switched on, */
	bool fixed[INTERFACE_OFFLOADS];      /* and can't be switched off */
	unsigned ring, ring_max;             /* descriptors for receiving; 0: unknown */
};

/* 0, or -1 and errno (ENODEV: there is none of that name). What can't be asked stays unknown. */
int interface_look(const char *name, struct interface_facts *out);

#endif
