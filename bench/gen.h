/*
 * What the parts of the generator share: the run at hand, random numbers, frames with right
 * checksums, and conversations that write themselves one packet at a time. All of a run
 * follows from its arguments, so the same arguments give the same bytes.
 */
#ifndef WAYBILL_BENCH_GEN_H
#define WAYBILL_BENCH_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NOISE_SIZE = 65536,
	NOISE_SLACK = 2048, /* so that a segment's worth can be had from anywhere in it */
	MSS = 1448,         /* with the timestamp option on */
	HEAD_MAX = 1536,
};

#define LISTED_HOST 0xaf2db237u /* 175.45.178.55; only ever written into a file: what is sent has another one, by --listed */

/* A run. */
struct gen {
	uint64_t random;
	int64_t time; /* of the next packet, in microseconds since 1970 */
	uint64_t bytes, packets; /* written so far */
	double scale;
	uint32_t listed;   /* the address of the host that some conversations are with; */
	uint32_t listed_in; /* one in so many of them */
	uint32_t at_once; /* conversations; 0: as the kind has it */
	const char *seeds; /* folder of the sample captures */
	bool count;        /* tell how many packets there were */
	uint8_t noise[NOISE_SIZE + NOISE_SLACK];
};

/* ---- random numbers (generate.c) */

uint32_t random_below(struct gen *g, uint32_t n);
uint32_t random_between(struct gen *g, uint32_t low, uint32_t high); /* both may come */
uint32_t mixed(uint32_t n); /* a number that looks random, always the same for n */

/* ---- frames (gen_packet.c) */

struct address {
	bool v6;
	uint8_t bytes[16];
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_PSH = 8, TCP_ACK = 16 };

struct tcp {
	uint16_t from_port, to_port;
	uint32_t seq, ack;
	uint8_t flags;
	const uint8_t *options;
	size_t options_len; /* a multiple of 4 */
};

/* The file's header. */
void packet_file(struct gen *g);

/* Writes a frame at g->time. */
void packet_tcp(struct gen *g, const struct address *from, const struct address *to, const struct tcp *t,
        const void *payload, size_t len);
void packet_udp(struct gen *g, const struct address *from, const struct address *to, uint16_t from_port, uint16_t to_port,
        const void *payload, size_t len);

/* Puts right checksums into an IP packet (TCP or UDP at l4) and writes it; it is not a fragment. */
void packet_ip(struct gen *g, uint8_t *ip, size_t len, size_t l4);

/* The address of a host number: IPv4 as it is, IPv6 in 2001:db8:0:1::/96. */
struct address address_of(uint32_t host, bool v6);

void put16(uint8_t *p, uint32_t v);
void put32(uint8_t *p, uint32_t v);
uint32_t get16(const uint8_t *p);
uint32_t get32(const uint8_t *p);

/* ---- conversations (gen_talk.c); small, because a million may be under way */

enum plot_id {
	PLOT_DNS,
	PLOT_QUIC,
	PLOT_TLS,
	PLOT_TLS_RESUMED,
	PLOT_API,
	PLOT_UNKNOWN,
	PLOT_SMALL_FILES,
	PLOT_HTTP_PUT,
	PLOT_HTTP_GET,
	PLOT_FTP_STOR, /* the control channels; PLOT_FTP_DATA goes with them */
	PLOT_FTP_RETR,
	PLOT_FTP_DATA_UP,
	PLOT_FTP_DATA_DOWN,
	PLOT_SMB2,
	PLOT_SSH,
};

enum talk_state { TALK_SYN, TALK_SYN_ACK, TALK_ACK, TALK_SAY, TALK_FIN, TALK_FIN_ACK, TALK_LAST_ACK, TALK_OVER };

/* What its path does to the segments of a conversation. */
enum path {
	PATH_CLEAN,
	PATH_REORDERS, /* some come late */
	PATH_LOSES,    /* so do these, and some are lost and sent again */
	PATH_UNSEEN,   /* some come late, and some arrive but are missing in the capture */
};

struct talk {
	uint32_t host[2], seq[2]; /* client's, server's; sequence numbers of the next byte */
	uint32_t salt;            /* random: what is said follows from it */
	uint32_t size;            /* what the plot makes of it: a file's bytes, an answer's */
	uint32_t turn, offset;    /* the message at hand, and how much of it was sent */
	uint32_t held_offset;     /* the segment that comes late */
	uint16_t port[2];
	uint8_t plot, state, path;
	uint8_t exchanges;        /* questions and answers */
	uint8_t held;             /* segments to send before the late one; 0: none is late */
	uint8_t unacked;
	bool v6, plain; /* plain: without TCP timestamps */
};

/* One message of a conversation: first bytes as composed, then body bytes of noise. */
struct message {
	bool from_server;
	bool records; /* the body is TLS records of application data */
	uint32_t body;
	size_t head_len;
	uint8_t head[HEAD_MAX];
};

/* What a kind of conversation says. */
struct plot {
	bool udp;           /* a message is a datagram */
	bool ack_each;      /* the end of a message is acknowledged by itself, not by the answer */
	bool server_closes;
	uint16_t port;
	/* Message number t->turn, into *m that is all zero; false: all was said. */
	bool (*say)(const struct gen *g, const struct talk *t, struct message *m);
};
extern const struct plot plots[];

/* What talk_step did. */
enum pace {
	PACE_OVER,    /* nothing: the conversation is over */
	PACE_SEGMENT, /* wrote a packet; the next one follows at once */
	PACE_TURN,    /* wrote a packet; the other end has to answer it */
	PACE_THINK,   /* wrote the end of an exchange */
};

/* Fills *t for a conversation of this kind, between hosts of 198.18.0.0/15, IPv6 now and then. */
void talk_begin(struct gen *g, struct talk *t, enum plot_id plot);
enum pace talk_step(struct gen *g, struct talk *t);

void message_text(struct message *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
void message_bytes(struct message *m, const void *bytes, size_t len);
void message_noise(const struct gen *g, struct message *m, uint32_t salt, size_t len);

/* What is said: gen_say.c, gen_tls.c, gen_files.c, gen_smb2.c, gen_ssh.c */
bool say_dns(const struct gen *g, const struct talk *t, struct message *m);
bool say_quic(const struct gen *g, const struct talk *t, struct message *m);
bool say_api(const struct gen *g, const struct talk *t, struct message *m);
bool say_unknown(const struct gen *g, const struct talk *t, struct message *m);
bool say_small_files(const struct gen *g, const struct talk *t, struct message *m);
bool say_tls(const struct gen *g, const struct talk *t, struct message *m);
bool say_http_put(const struct gen *g, const struct talk *t, struct message *m);
bool say_http_get(const struct gen *g, const struct talk *t, struct message *m);
bool say_ftp(const struct gen *g, const struct talk *t, struct message *m);
bool say_ftp_data(const struct gen *g, const struct talk *t, struct message *m);
bool say_smb2(const struct gen *g, const struct talk *t, struct message *m);
bool say_ssh(const struct gen *g, const struct talk *t, struct message *m);

enum { FTP_TURN_OPEN = 9, FTP_TURN_CLOSE = 11 }; /* the data connection stands before, is over before */

uint16_t ftp_data_port(const struct talk *control);

/* ---- conversations of the sample captures (gen_seeds.c, gen_copy.c) */

struct seeds; /* what was said, and when */
struct seed_talk; /* a copy of one under way */

/* Reads DIR's .pcap files in order of their names; ends the program when there is nothing to be had. */
struct seeds *seeds_load(const char *folder);
void seeds_free(struct seeds *s);

/* A copy of a conversation picked by random, beginning at g->time. NULL: out of memory. */
struct seed_talk *seed_begin(struct gen *g, const struct seeds *s, bool listed);
/* When its next packet is due, or -1: it is over. */
int64_t seed_due(const struct seed_talk *t);
void seed_step(struct gen *g, struct seed_talk *t);
void seed_free(struct seed_talk *t); /* takes NULL */

/* ---- the kinds; 0, or -1 with a message written */

int gen_mix(struct gen *g);
int gen_bulk(struct gen *g);
int gen_many(struct gen *g);
int gen_files(struct gen *g);
int gen_synflood(struct gen *g);

#endif
