/*
 * The nouns that travel through the house from the flow stage on: an endpoint
 * and its place, a flow, a transfer (the waybill itself), an alert, coverage.
 * They are plain values: the stage that hands one down owns all that it points to, and
 * whoever receives it borrows it for the call.
 */
#ifndef WAYBILL_BASE_RECORD_H
#define WAYBILL_BASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/detail.h"
#include "base/text.h"

#define RECORD_ID_MAX 24 /* an identifier's text with the closing zero */

/* The two ends of a flow. Also tells who sent bytes. */
enum side {
	SIDE_SOURCE = 0,      /* the initiator */
	SIDE_DESTINATION = 1, /* the responder */
};

static inline enum side
side_other(enum side s)
{
	return s == SIDE_SOURCE ? SIDE_DESTINATION : SIDE_SOURCE;
}

enum confidence {
	CONFIDENCE_NONE,
	CONFIDENCE_INFO,
	CONFIDENCE_LOW,
	CONFIDENCE_MEDIUM,
	CONFIDENCE_HIGH,
	CONFIDENCE_CONFIRMED,
};

enum severity { /* event.severity is 0, 21, 47, 73, 99 */
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
};

enum listing_basis {
	LISTING_RANGE,   /* a listed network */
	LISTING_ASN,     /* origin AS by a database */
	LISTING_COUNTRY, /* a country database says so */
};

/* One row of a sanctions list, as loaded; lives as long as the attribution snapshot. */
struct listing_row {
	struct addr network;
	unsigned bits;
	const char *network_text; /* "175.45.176.0/22" */
	const char *jurisdiction; /* "KP" */
	const char *programme;    /* or NULL */
	const char *holder;       /* or NULL */
	const char *source;       /* where the row is from, or NULL */
	const char *list;         /* the list's name */
	const char *list_digest;  /* SHA-256 of the list, hexadecimal */
	enum listing_basis basis;
	enum confidence confidence; /* at best */
	bool false_positive;        /* a known false range: caps everything else at info */
	int64_t valid_from, valid_until; /* ns; INT64_MIN / INT64_MAX: open. until is exclusive */
};

enum { LISTING_REASONS_MAX = 8 };

enum { NAME_MAX_LEN = 253 }; /* of a host's name as text (RFC 1035 section 2.3.4) */

/* An address that a DNS answer gave for a name. */
struct resolution {
	struct addr client; /* who asked; all zero: everybody was told (mDNS) */
	struct addr addr;
	const char *name;   /* what was asked for, lower case: not terminated */
	size_t len;
	uint32_t ttl;       /* seconds */
	int64_t time;       /* of the answer */
};

/* Who says what an end is called, the surest first. */
enum name_basis {
	NAME_NONE,
	NAME_SNI,         /* the client, in its TLS or QUIC hello */
	NAME_HOST,        /* the client, in its HTTP request */
	NAME_DNS,         /* a DNS answer that this client was given */
	NAME_DNS_OTHER,   /* one that somebody else was given */
	NAME_CERTIFICATE, /* the server, in its certificate: tells whose service it is, and no name of the end */
};

/* What the destination of a flow is called. Borrowed of its facts; text NULL: not known. */
struct end_name {
	const char *text; /* not terminated */
	size_t len;
	enum name_basis basis;
};

enum service_match { SERVICE_NAME, SERVICE_NETWORK, SERVICE_ASN };

/* One row of the list of services, as loaded; lives as long as the attribution snapshot. */
struct service_row {
	const char *match;  /* "dropbox.com", "203.0.113.0/24", "AS19679" */
	const char *name;   /* "dropbox" */
	const char *kind;   /* "cloud-drive" */
	const char *source; /* where the row is from, or NULL */
	const char *bulk;   /* services, or kinds of them, that its users' bulk goes straight to, "amazon-s3", or ports, "udp/49221"; NULL: its own hosts */
	enum confidence confidence;
	enum service_match by;
};

/* Who may have led a flow to a store. row NULL: nobody is known. */
struct service_lead {
	const struct service_row *row;
	int64_t before; /* ns from its last packet to the flow's first; 0: it went on */
	bool by_port;   /* the flow's own port is one that the service uses: of one that nothing else is known of */
};

/* A flow to a store that one of this service's may have led there. */
struct service_led {
	char flow[RECORD_ID_MAX];
	const struct service_row *store;
};

/* Whose service an end is. row NULL: none that is known. */
struct service {
	const struct service_row *row;
	enum name_basis basis;      /* of the name, where row->by is one */
	enum confidence confidence; /* the row's, or less where the name is less sure */
	enum side side;
	struct service_lead lead;
	const struct service_led *led; /* borrowed for the call */
	size_t led_count;
};

/* One address held against the lists at one time. row NULL: not listed. */
struct listing {
	const struct listing_row *row;
	enum confidence confidence;
	const char *reasons[LISTING_REASONS_MAX]; /* static or snapshot text */
	size_t reason_count;
};

enum { /* struct place: flags */
	PLACE_PRIVATE = 1u << 0,     /* not routed publicly (addr_is_private) */
	PLACE_MULTICAST = 1u << 1,
	PLACE_ANONYMOUS = 1u << 2,   /* a database flags a VPN, proxy or relay */
	PLACE_SATELLITE = 1u << 3,
	PLACE_ANYCAST = 1u << 4,
	PLACE_HOME = 1u << 5,        /* in the configured home networks */
};

/* Where an address is, and whose: three facts, never merged. Empty strings and 0: unknown. */
struct place {
	char country[3];    /* ISO 3166-1 alpha-2 */
	char registered[3]; /* registered_country where the database has it */
	uint32_t asn;
	const char *org;    /* the AS's name, or NULL; lives as long as the snapshot */
	unsigned flags;     /* PLACE_* */
};

struct endpoint {
	struct addr addr;
	uint16_t port;
	bool has_mac;
	uint8_t mac[6];
	uint64_t packets;
	uint64_t bytes;   /* IP packets with headers */
	uint64_t payload; /* transport payload as seen, retransmissions included */
	uint64_t missing; /* stream bytes that were never seen (TCP gaps) */
	struct place place;
	struct listing listing;
};

enum flow_end {
	FLOW_END_NONE,    /* still open */
	FLOW_END_FIN,     /* closed both ways */
	FLOW_END_RST,
	FLOW_END_TIMEOUT, /* idle */
	FLOW_END_REUSE,   /* the port pair began again */
	FLOW_END_SHED,    /* shed to stay within memory */
	FLOW_END_CAPTURE, /* the capture ended */
};

enum { FLOW_HISTORY_MAX = 24 };

/* What a session said of itself. Strings live in its arena; NULL or empty: unknown. */
struct facts {
	const char *protocol;    /* network.protocol: static, "ftp" */
	const char *method;      /* how it was known: static, "content", "expected", "port" */
	struct text user;        /* the account */
	struct text service;     /* SNI, Host, share */
	struct text client;      /* user agent, banner */
	struct text server;      /* server's banner */
	const char *resolved;    /* what a DNS answer called the destination before it was spoken to */
	bool resolved_other;     /* an answer that was given to another client */
	const char *client_language; /* Accept-Language */
	struct {
		const char *server_name; /* SNI */
		const char *ja3, *ja4;   /* of the client */
		const char *ja3s;        /* of the server */
		const char *cipher;
		const char *alpn;
		const char *version;
		bool established;        /* application data was seen */
	} tls;
	struct {
		const char *hassh, *hassh_server; /* MD5 of the key exchange offer */
	} ssh;
	const struct details *details; /* all else; or NULL */
};

/* The flow whose packets carry those of another one, and between whom: a tunnel's ends, or a span port and who listens to it. */
struct flow_outer {
	char id[RECORD_ID_MAX]; /* of its own record; empty: there is none, or it was not known any more */
	struct addr addr[2];    /* who sends what the carried flow's source says, and who receives it */
	uint16_t port[2];
	uint8_t transport;
};

struct flow_record {
	char id[RECORD_ID_MAX];
	char community_id[40];   /* Community ID v1; empty where it has none */
	int64_t start, end;      /* packet time of the first and last packet */
	uint64_t first_frame, last_frame;
	struct endpoint side[2]; /* [SIDE_SOURCE], [SIDE_DESTINATION] */
	uint8_t ip_version;
	uint8_t transport;       /* IPPROTO_* */
	uint8_t depth;           /* inside so many tunnels */
	struct flow_outer outer; /* depth > 0: the nearest one, by the first packet */
	uint8_t icmp_type, icmp_code;
	uint16_t vlan[2];        /* outer, inner; 0: none */
	bool midstream;          /* TCP seen without its beginning */
	bool handshake;          /* SYN and SYN-ACK and the ACK were seen */
	char history[FLOW_HISTORY_MAX];
	enum flow_end end_reason;
	struct end_name name;    /* the destination's; set with the places, as the next */
	struct service service;
	const struct facts *facts; /* never NULL: an empty one where nothing is known */
};

/* TCP that nobody took part in but its sender: every packet of it was answered by a reset. */
bool flow_record_refused(const struct flow_record *r);

/* The other end is the initiator after all. */
void flow_record_turn(struct flow_record *r);

enum transfer_state {
	TRANSFER_OPEN,
	TRANSFER_COMPLETE,
	TRANSFER_TRUNCATED, /* it went on, or may have, but not all was seen */
	TRANSFER_ABORTED,   /* one end broke it off */
};

enum transfer_basis {
	TRANSFER_READ,
	TRANSFER_INFERRED,
};

/* One file that crossed the network. */
struct transfer_record {
	char id[RECORD_ID_MAX];
	const struct flow_record *flow; /* the session it belongs to (FTP: the control connection) */
	const struct flow_record *data; /* its data connection where that is another flow, else NULL */
	enum side sender;               /* an end of flow */
	enum transfer_state state;
	enum transfer_basis basis;
	int64_t start, end;             /* packet time of its first and last byte, or of its command */
	const char *protocol;           /* static: "ftp", "http" ... */
	const char *method;             /* static or arena: "STOR", "PUT", "volume" ... */
	struct text name;               /* the last component */
	struct text path;               /* as the protocol names it */
	struct text user;
	const char *declared_mime;      /* what the protocol said, or NULL */
	const char *mime;               /* what the first bytes say (libmagic), or NULL */
	const char *kind;               /* libmagic's or our own word for it, or NULL */
	bool size_known;
	uint64_t size;                  /* of the whole file, when known; else seen so far */
	uint64_t offset;                /* where the first byte seen lies in the file */
	uint64_t seen, missing;         /* bytes of it seen; known to have moved and not seen */
	uint64_t copied;                /* of missing: the server put them there itself, they crossed no network here */
	bool has_sha256;                /* every byte from 0 to size was seen */
	uint8_t sha256[32];
	const char *hash_covers;        /* static or arena, when partial: "bytes 0-1048575"; else NULL */
	bool has_partial_sha256;        /* partial_sha256 is of hash_covers */
	uint8_t partial_sha256[32];
	const char *content_encoding;   /* undone: "gzip"; NULL: none */
	const char *still_encoded;      /* not undone: "br"; name, size and hashes are of what was sent; NULL: none */
	bool has_sent_sha256;           /* of what was sent, where an encoding was undone */
	uint8_t sent_sha256[32];
	bool listing;                   /* an open directory listing, told as such */
	bool form;                      /* the body of a form whose files have records of their own; it has no name */
	const char *reasons[4];         /* for an inferred one: how it was told; NULL ends */
	const struct details *details;  /* of this file alone; or NULL */
	struct {
		const char *url;        /* full, as valid UTF-8 */
		const char *method;
		unsigned status;        /* 0: no answer seen */
		const char *referrer;
	} http;
};

enum alert_action {
	ALERT_OPEN,
	ALERT_UPDATE,
	ALERT_CLOSE,
};

struct alert {
	char id[RECORD_ID_MAX]; /* the same at open and close */
	const char *rule;       /* "sanctioned-transfer" */
	const char *summary;    /* one sentence for a person */
	enum severity severity;
	enum confidence confidence;
	enum alert_action action;
	int64_t packet_time;    /* of the packet that proves it, or the last one at close */
	enum side listed;       /* the end of flow that is listed, where listing is set */
	const struct listing *listing;          /* NULL: the rule needs none */
	const struct flow_record *flow;         /* never NULL; data flow's place is in transfer->data */
	const struct transfer_record *transfer; /* NULL: no transfer */
	uint64_t count;         /* flows or transfers folded into this one, this one included */
	uint64_t bytes;         /* payload of them all, both ways */
	uint64_t files;         /* transfers folded into it */
};

/* What a run saw and did not see. Counters have fixed names, in order. */
struct coverage_counter {
	const char *name; /* static: "checksum_ip" */
	const char *help; /* static: a person's words */
	uint64_t count;
};

/* A copy that the tap made of a packet: what differs between it and the first one. */
enum duplicate_kind {
	DUPLICATE_SAME,   /* nothing */
	DUPLICATE_VLAN,   /* VLAN tags */
	DUPLICATE_LINK,   /* MAC addresses, or the interface that it came by */
	DUPLICATE_ROUTED, /* TTL or hop limit */
	DUPLICATE_KINDS,
};

struct coverage {
	int64_t start, end;    /* packet time */
	uint64_t packets, bytes, dropped, duplicates;
	uint64_t duplicate_kinds[DUPLICATE_KINDS];
	uint64_t flows, transfers, alerts;
	const struct coverage_counter *unread; /* reasons for not using a packet or its bytes */
	size_t unread_count;
	const char *const *notes; /* sentences: "capture has checksum offload", "database is 400 days old" */
	size_t note_count;
};

/* A list or a database that differs from the one before it. Text is borrowed, as in all of these. */
struct reload_change {
	const char *kind;             /* static: "list", "services" or "database" */
	const char *name, *path;      /* path NULL: the copy in the program */
	const char *digest, *before;  /* SHA-256, hexadecimal; NULL: it is gone; it is new */
	int64_t built, built_before;  /* databases; 0: not known */
	uint64_t rows, rows_before;   /* of lists; networks of databases */
};

/* Lists, databases and configuration were read again. */
struct reload_record {
	int64_t time;                 /* wall clock */
	bool taken;                   /* false: what was in use before still is */
	const struct reload_change *changes;
	size_t change_count;
	const char *const *reasons;   /* why it was refused: sentences */
	size_t reason_count;
	const char *const *restart;   /* parts of the configuration that differ from those at the start, and need another one */
	size_t restart_count;
};

/* How a sensor is, at one moment. */
struct stats_record {
	int64_t time, started;        /* wall clock */
	uint64_t frames, bytes, filtered, dropped_ring, dropped_interface;
	uint64_t flows_open, flows, transfers, alerts; /* flows_open: now; the others so far */
	uint64_t memory;              /* bytes of the process that are in memory */
	uint64_t undelivered;         /* alerts that wait to be sent */
	bool asked;                   /* by a signal: to be told whatever kinds of events are wanted */
};

#endif
