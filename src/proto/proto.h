/*
 * The proto stage: what a conversation says. One file a protocol, one const
 * struct proto each, one table protos[]. A protocol is known by what it says, on any
 * port; it sees bytes, who sent them, packet time and the transfer API, nothing else.
 */
#ifndef WAYBILL_PROTO_PROTO_H
#define WAYBILL_PROTO_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/record.h"
#include "base/verdict.h"
#include "transfer/transfer.h"

enum { PROTO_PORTS_MAX = 4, PROTO_NUMBER_MAX = 127, PROBE_BYTES_MAX = 2048 };

/* The first bytes each way, as far as they have come; len 0: none yet. */
struct probe {
	const uint8_t *bytes[2]; /* [SIDE_SOURCE], [SIDE_DESTINATION] */
	size_t len[2];
	uint16_t port[2];
	bool midstream; /* the beginning of the conversation may be missing; of datagrams it always may */
	struct session *session; /* to look for notes; NULL: there is none yet, and MORE asks for one */
};

/* A look at a datagram of a flow that has no session. */
struct glance {
	struct transfer_tracker *tracker;
	struct session_ends ends;
	enum side from;
	int64_t time; /* as struct packet's */
	const uint8_t *bytes;
	size_t len; /* as far as it was captured */
	bool turned; /* told: it is the destination that asks */
};

struct proto {
	const char *name;      /* network.protocol */
	uint8_t transport;     /* IPPROTO_TCP, IPPROTO_UDP, or another one that carries datagrams: IPPROTO_ESP */
	uint16_t ports[PROTO_PORTS_MAX]; /* hints: break a tie, never decide alone */
	const char *reads;     /* for doc: what is read */
	const char *infers;    /* what is inferred */
	const char *misses;    /* what is not seen */

	/* VERDICT_DONE: it is this one. VERDICT_MORE: can't tell yet. VERDICT_NOT_MINE. Pure. */
	enum verdict (*probe)(const struct probe *p);

	/*
	 * Datagrams that stand for themselves, one by one: VERDICT_DONE: it is read, and nothing but the protocol's name is
	 * left to tell. VERDICT_MORE: this one needs a conversation, which is given it again. NULL: all do.
	 */
	enum verdict (*glance)(struct glance *g);

	/* State for one conversation, or NULL (counted). */
	void *(*open)(struct session *s);
	/*
	 * TCP: bytes in order. All others: one datagram a call, as it came and as far as it was captured (a gap follows
	 * where it was cut); its ICMP header is not a part of it. All bytes of the conversation are given, those probed included. VERDICT_SWITCH
	 * hands the rest to another protocol (AUTH TLS, CONNECT, upgrade), see session_switch.
	 */
	enum verdict (*data)(void *state, enum side from, const uint8_t *bytes, size_t len);
	/* len bytes from this side were not seen. */
	enum verdict (*gap)(void *state, enum side from, uint64_t len);
	/* This side sends nothing more (FIN). May be NULL. */
	void (*end)(void *state, enum side from);
	/* The flow ended. Ends transfers it holds; frees state. */
	void (*close)(void *state, bool reset);
	/*
	 * Both sides have ended: is there nothing left that close would tell, and that must wait until
	 * the flow's end? Then close comes now. NULL: never.
	 */
	bool (*finished)(const void *state);
};

extern const struct proto *const protos[]; /* NULL-terminated, most specific first; numbered from 1 on */

extern const struct proto proto_ftp;
extern const struct proto proto_http;
extern const struct proto proto_http2;
extern const struct proto proto_websocket;
extern const struct proto proto_tls;
extern const struct proto proto_ssh;
extern const struct proto proto_dns;
extern const struct proto proto_dns_tcp;
extern const struct proto proto_mdns;
extern const struct proto proto_llmnr;
extern const struct proto proto_smb;
extern const struct proto proto_nfs;
extern const struct proto proto_nfs_udp;
extern const struct proto proto_tftp;
extern const struct proto proto_ninep;
extern const struct proto proto_afp;
extern const struct proto proto_rsync;
extern const struct proto proto_perforce;
extern const struct proto proto_xmpp;
extern const struct proto proto_msrp;
extern const struct proto proto_sip_udp;
extern const struct proto proto_sip;
extern const struct proto proto_directconnect;
extern const struct proto proto_directconnect_udp;
extern const struct proto proto_edonkey;
extern const struct proto proto_gnutella;
extern const struct proto proto_syncthing;
extern const struct proto proto_resilio;
extern const struct proto proto_bittorrent_udp;
extern const struct proto proto_bittorrent;
extern const struct proto proto_aim;
extern const struct proto proto_irc;
extern const struct proto proto_svn;
extern const struct proto proto_git;
extern const struct proto proto_udt;
extern const struct proto proto_uftp;
extern const struct proto proto_tsunami;
extern const struct proto proto_fasp;
extern const struct proto proto_filecatalyst;
extern const struct proto proto_proxy;
extern const struct proto proto_socks;
extern const struct proto proto_rdp;
extern const struct proto proto_vnc;
extern const struct proto proto_x11;
extern const struct proto proto_ica;
extern const struct proto proto_spice;
extern const struct proto proto_teamviewer;
extern const struct proto proto_telnet;
extern const struct proto proto_ldap;
extern const struct proto proto_kerberos;
extern const struct proto proto_mysql;
extern const struct proto proto_pgsql;
extern const struct proto proto_pptp;
extern const struct proto proto_openvpn_tcp;
extern const struct proto proto_stun_tcp;
extern const struct proto proto_wireguard;
extern const struct proto proto_tailscale;
extern const struct proto proto_openvpn;
extern const struct proto proto_ike;
extern const struct proto proto_l2tp;
extern const struct proto proto_stun;
extern const struct proto proto_nbns;
extern const struct proto proto_nbdgm;
extern const struct proto proto_dhcp;
extern const struct proto proto_dhcpv6;
extern const struct proto proto_snmp;
extern const struct proto proto_syslog;
extern const struct proto proto_ssdp;
extern const struct proto proto_cldap;
extern const struct proto proto_kerberos_udp;
extern const struct proto proto_dropbox_lan;
extern const struct proto proto_ntp;
extern const struct proto proto_rip;
extern const struct proto proto_rdp_udp;
extern const struct proto proto_rtcp;
extern const struct proto proto_esp_udp;
extern const struct proto proto_rtp;
extern const struct proto proto_esp;
extern const struct proto proto_icmp;
extern const struct proto proto_icmpv6;
extern const struct proto proto_smtp;
extern const struct proto proto_pop3;
extern const struct proto proto_imap;
extern const struct proto proto_nntp;
extern const struct proto proto_quic;
extern const struct proto proto_dtls;

/* The name of a protocol by its number; NULL for 0. */
const char *proto_name(unsigned number);

/* What all conversations share, and where they are taken from. */
struct conversations;

struct conversations *conversations_create(void); /* NULL: out of memory */
void conversations_destroy(struct conversations *all); /* takes NULL; after all of them were closed */

/*
 * One flow's conversation: finds the protocol by the first bytes, then feeds
 * it; or feeds a carrier, where a control channel expected this flow.
 */
struct conversation;

enum { CONVERSATION_COST = 768 }; /* bytes that one and its protocol's state hold, about */

/*
 * Could a flow between these ends, which has none yet, be a conversation, going by this datagram? Most are nobody's, and
 * cost nothing but the question. *known: the number of whose it is, or 0 where that needs more of it.
 */
bool conversation_wanted(const struct conversations *all, const struct glance *g, unsigned *known);

/* Was that datagram, whose it is, all that there is to read? Else a conversation is wanted. known: may be 0. */
bool conversation_glance(struct glance *g, unsigned known);

/* NULL: out of memory. midstream: see struct probe. */
struct conversation *conversation_open(struct conversations *all, struct session *s, bool midstream);
/* Before the first bytes: whose it is is known already (conversation_wanted). 0: it is not. */
void conversation_known(struct conversation *c, unsigned known);
/* The number of the protocol that has it, or had it last; 0: none did. */
unsigned conversation_protocol(const struct conversation *c);
/*
 * VERDICT_DONE: nothing more is wanted of either side, and nothing is left to be told at the flow's end;
 * it may be closed now. Others: go on.
 */
enum verdict conversation_data(struct conversation *c, enum side from, const uint8_t *bytes, size_t len);
enum verdict conversation_gap(struct conversation *c, enum side from, uint64_t len);
enum verdict conversation_end(struct conversation *c, enum side from, bool reset);
/* Takes NULL. Before session_close. */
void conversation_close(struct conversation *c, bool reset);

#endif
