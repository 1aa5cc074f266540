/*
 * One IP packet with its transport header, as the decode stage hands it down.
 * A tunnelled frame gives one packet for every IP header, outermost first.
 */
#ifndef WAYBILL_BASE_PACKET_H
#define WAYBILL_BASE_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum { /* struct packet: flags */
	PACKET_MAC = 1u << 0,          /* src_mac and dst_mac are set */
	PACKET_CUT = 1u << 1,          /* snap length: captured < payload_len */
	PACKET_REASSEMBLED = 1u << 2,  /* payload was put together from fragments */
	PACKET_FRAGMENT = 1u << 3,     /* a fragment that is not (yet) the whole: no ports, counts only */
	PACKET_BAD_CHECKSUM = 1u << 4, /* transport checksum is wrong; see decode.h on offload */
};

enum { /* struct packet: tcp_flags (RFC 9293 section 3.1) */
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

struct packet {
	int64_t time;           /* ns */
	uint64_t frame;         /* frame number in its file */
	struct addr src, dst;
	uint16_t src_port, dst_port; /* TCP, UDP, SCTP; ICMP: type and code; else 0 */
	uint8_t ip_version;     /* 4 or 6 */
	uint8_t transport;      /* IPPROTO_* of the upper layer */
	uint8_t depth;          /* 0: outermost IP header */
	uint8_t tcp_flags;
	uint16_t flags;         /* PACKET_* */
	uint16_t tcp_window;
	uint32_t tcp_seq, tcp_ack;
	uint16_t vlan[2];       /* outer, inner VID; 0: none */
	uint8_t src_mac[6], dst_mac[6];
	uint8_t fragments;      /* frames this packet was put together from, 255 at most; else 1 */
	uint32_t ip_bytes;      /* IP header and all behind it, as the header says */
	const uint8_t *payload; /* transport payload, borrowed for the call */
	uint32_t payload_len;   /* as the headers say */
	uint32_t captured;      /* bytes of it that are there, <= payload_len */
};

#endif
