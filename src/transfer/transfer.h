/*
 * The transfer stage: all that a protocol can say. A session is one flow's
 * conversation; a transfer is one file. Protocols begin transfers, give their bytes at offsets, and end
 * them; this stage hashes, types, joins ranges and infers what can't be read.
 */
#ifndef WAYBILL_TRANSFER_TRANSFER_H
#define WAYBILL_TRANSFER_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/record.h"

struct transfer_tracker;
struct session;
struct transfer;

enum { FILE_COST = 2560 };   /* bytes that a file under way holds, about: its record, names, facts and hash */
enum { SESSION_COST = 320 }; /* bytes that a session and what it said of itself hold, about */

#define TRANSFER_MEMORY_DEFAULT ((size_t)256 << 20)
enum { TRANSFER_OPEN_DEFAULT = 65536 };

struct transfer_limits {
	size_t memory;          /* bytes held out of order, all transfers; 0: TRANSFER_MEMORY_DEFAULT */
	size_t per_transfer;    /* 0: default 64 MB */
	size_t open;            /* open transfers at most; 0: TRANSFER_OPEN_DEFAULT */
	int64_t join_timeout;   /* how long a file in ranges waits for the next one; 0: default 60 s */
	uint64_t infer_bytes;   /* payload from one side that makes an inferred transfer; 0: default 64 KB */
	bool no_hash;
	bool no_magic;          /* file types by what this stage knows itself, without libmagic */
};

struct session_ends { /* what a protocol may know of its flow */
	struct addr addr[2]; /* [SIDE_SOURCE], [SIDE_DESTINATION] */
	uint16_t port[2];
	uint8_t transport;
};

struct transfer_ops {
	/*
	 * began: the first byte moved, or the server accepted it; told once, at once. ended: told once, with
	 * everything. Discarded transfers are never told unless they had begun.
	 */
	void (*began)(void *ctx, const struct transfer_record *r);
	void (*ended)(void *ctx, const struct transfer_record *r);
	/*
	 * Does anybody look at transfers of this flow before they end? If not, began is not told of those that are
	 * read. NULL: all are told.
	 */
	bool (*watched)(void *ctx, void *flow);
	/* An inferred one has doubled since it was last told. */
	void (*grew)(void *ctx, const struct transfer_record *r);
	/*
	 * Fills the flow record (with places) of a session's flow, on demand, and never turned
	 * (session_turned). out->facts is set by the caller.
	 */
	void (*flow)(void *ctx, void *flow, struct flow_record *out);
	/* A DNS answer named an address. NULL: nobody wants to know. */
	void (*resolved)(void *ctx, const struct resolution *r);
	/* Files under way hold so many bytes more, or less (below 0). NULL: nobody keeps account. */
	void (*held)(void *ctx, ptrdiff_t bytes);
	/* The ends of a session's flow, never turned either: asked for now and then, and not kept with each session. */
	void (*ends)(void *ctx, void *flow, struct session_ends *out);
};

struct transfer_tracker *transfer_tracker_create(const struct transfer_limits *limits,
                                                 const struct transfer_ops *ops, void *ctx);
void transfer_tracker_destroy(struct transfer_tracker *t); /* takes NULL */

/* Other flows are watched than before (transfer_ops.watched): transfers under way in them are told as if they began now. */
void transfer_tracker_watch(struct transfer_tracker *t);

/* Packet time goes on: joined files that waited long enough are ended. Cheap to call. */
void transfer_tracker_time(struct transfer_tracker *t, int64_t now);

/* Does any control channel wait for a data connection? Cheap to call. */
bool transfer_tracker_expects(const struct transfer_tracker *t);
/* Does one wait for a flow between these ends? */
bool transfer_tracker_awaits(const struct transfer_tracker *t, const struct session_ends *ends, int64_t now);

/*
 * Names were asked for (DNS) between these ends, where no session is, and this one was answered: for flows to come. whom:
 * as session_resolved, below. r's time and client are told by it and need not be there.
 */
enum resolved_for { RESOLVED_FOR_SOURCE = SIDE_SOURCE, RESOLVED_FOR_DESTINATION = SIDE_DESTINATION, RESOLVED_FOR_ALL };
void transfer_tracker_resolved(struct transfer_tracker *t, const struct session_ends *ends, enum resolved_for whom,
                               int64_t now, const struct resolution *r);

/* The end of the input: every transfer still open is ended, as truncated. */
void transfer_tracker_flush(struct transfer_tracker *t, int64_t now);

const struct coverage_counter *transfer_tracker_counters(struct transfer_tracker *t, size_t *count);

/* ---- a session: one flow's conversation ---- */

/*
 * flow: opaque, handed to ops. midstream: its beginning was not seen, and who is the source is a guess. NULL: out
 * of memory.
 */
struct session *session_open(struct transfer_tracker *t, void *flow, bool midstream, int64_t now);

/*
 * The flow ended. Transfers still open in it end as truncated or, after a reset, aborted, but for
 * those whose data connection (transfer_carrier) is still there: they go on until transfer_end, or until that
 * ends as well. Handles stay safe to use, without effect, while anything refers to the session (an
 * expectation, a carrier). An unread session's volume is inferred here at the latest. Frees the
 * session once nothing refers to it.
 */
void session_close(struct session *s, bool reset, int64_t now);

/* Packet time of the bytes now being parsed; set by the pipeline before each call down. */
void session_time(struct session *s, int64_t now);
int64_t session_now(const struct session *s);

struct session_ends session_ends(const struct session *s);
/* Borrowed until facts of this or another session are asked for, or told. */
const struct facts *session_facts(const struct session *s);
/* For fingerprints. */
const struct digests *session_digests(const struct session *s);
/* network.protocol so far, or NULL. */
const char *session_protocol_name(const struct session *s);

/*
 * This end asks, the other one serves. Of a flow whose beginning was not seen it is the initiator, and
 * is told as the source in all records, while SIDE_SOURCE stays here what it was. The first answer stays.
 */
void session_client_end(struct session *s, enum side client);
/* Is the flow to be told the other way round for that (flow_record_turn)? */
bool session_turned(const struct session *s);

enum session_fact {
	SESSION_USER,
	SESSION_SERVICE,
	SESSION_CLIENT,
	SESSION_SERVER,
	SESSION_LANGUAGE,
	SESSION_TLS_NAME,
	SESSION_TLS_JA3,
	SESSION_TLS_JA4,
	SESSION_TLS_JA3S,
	SESSION_TLS_CIPHER,
	SESSION_TLS_ALPN,
	SESSION_TLS_VERSION,
	SESSION_RESOLVED,
	SESSION_SSH_HASSH,
	SESSION_SSH_HASSH_SERVER,
};

#define SESSION_BY_CONTENT "content" /* a protocol known by what it says */

/* Facts. The bytes are decoded and copied; the first non-empty answer stays unless replaces. */
void session_protocol(struct session *s, const char *name, const char *method); /* static strings */
void session_protocol_none(struct session *s); /* it was another one, after all */
void session_account(struct session *s, const void *bytes, size_t len);         /* replaces */
void session_service(struct session *s, const void *bytes, size_t len);
void session_client(struct session *s, const void *bytes, size_t len);
void session_server(struct session *s, const void *bytes, size_t len);
void session_language(struct session *s, const void *bytes, size_t len);
/* For tls.* and ssh.*; replaces. */
void session_fact(struct session *s, enum session_fact which, const void *bytes, size_t len);
/*
 * What has no function of its own. key: static, dotted, lower case: "smb.share". It is told under waybill; where
 * it begins with a field set of ECS ("email.", "tls.", "dns."), by its name there. Several values of a key are all kept,
 * each once; a number replaces the one before. The bytes are decoded and copied. Empty ones are ignored.
 */
void session_detail(struct session *s, const char *key, const void *bytes, size_t len);
void session_detail_number(struct session *s, const char *key, uint64_t number);
/* Was that told? */
bool session_has_fact(const struct session *s, enum session_fact which);
void session_tls_established(struct session *s);

/*
 * What sessions of the same hosts leave for each other: handles, keys, announced names. Bounded in number and size; the
 * oldest go first. key: begin it with the protocol's name, so that no two protocols meet: "nfs.fh:" and the handle.
 */
enum note_scope {
	NOTE_PAIR,        /* sessions between the same two addresses */
	NOTE_SOURCE,      /* all sessions in which this session's source, as an address, is an end, */
	NOTE_DESTINATION, /* or its destination */
	NOTE_ALL,
};
/* A newer note takes the place of the older. 0, or -1: too long (512 bytes, 8 KB), or out of memory. */
int session_note(struct session *s, enum note_scope scope, const void *key, size_t key_len, const void *value, size_t len);
/* Aligned for any type; borrowed until the next note is taken. NULL: there is none. */
const void *session_noted(struct session *s, enum note_scope scope, const void *key, size_t key_len, size_t *len);

/*
 * This session is one in which names are asked for (DNS), and was answered: for flows to come. r's time is the
 * session's, and client the address of this end, or all zero where that is nobody's alone: r need not have them.
 */
void session_resolved(struct session *s, enum resolved_for whom, const struct resolution *r);

/*
 * What a DNS answer called an end, before the first byte of this session; other: an answer that somebody else than the
 * other end was given. Told by the pipeline as the session opens.
 */
void session_called(struct session *s, enum side end, const char *name, size_t len, bool other);

/*
 * Before a protocol's data() returns VERDICT_SWITCH: the last unused bytes of that call (of the
 * side that sent it) already belong to what follows.
 */
void session_switch(struct session *s, size_t unused);
size_t session_switch_unused(const struct session *s);

/*
 * From here on the session's content can't be read (TLS, SSH, unknown): its volume is
 * inferred. method: static, "encrypted", "unknown protocol".
 */
void session_unreadable(struct session *s, const char *method);

/*
 * Its protocol (static), where that and who asked are all that there is to tell of it: then the flow can keep it, and
 * the session may be closed early. NULL: there is more.
 */
const char *session_plain(const struct session *s);

/* What a session that can't be read seems to be for, going by its shape. */
struct session_guess {
	const char *method; /* of its inferred transfers: static, "SFTP upload"; NULL: "volume" */
	const char *why;    /* among their reasons: copied; NULL: none */
	uint64_t least[2];  /* what each side sends is no transfer below that; 0: as in any session */
};
/* Takes the place of the guess before; also in transfers that are told already. */
void session_inferred_as(struct session *s, const struct session_guess *guess);

/* Is its content read? Not where session_unreadable was told, nor where no protocol is known. */
bool session_is_read(const struct session *s);

/*
 * Payload as counted by the flow so far, each way; called by the pipeline for unreadable sessions:
 * for every packet of a protected (listed) flow, else now and then and at the end.
 */
void session_volume(struct session *s, const uint64_t payload[2]);

/* ---- one file ---- */

struct transfer_start {
	enum side sender;      /* an end of the session's flow */
	const char *method;    /* "STOR", "GET": copied */
	const void *path;      /* as the protocol names it, bytes; may be NULL, and told later */
	size_t path_len;
	const char *charset;   /* declared by the protocol, or NULL to guess */
	bool size_known;
	uint64_t size;
	uint64_t offset;       /* of the first byte to come (FTP REST, ranges) */
	/*
	 * Parts of one file that come apart, over one or several sessions, are joined when they have
	 * the same key (bytes that name the file and its version, e.g. URL + total + validator)
	 * between the same two addresses. NULL: not joined.
	 */
	const void *join_key;
	size_t join_len;
	bool join_anywhere;    /* the key alone tells the file from all others, whichever addresses its parts move between */
	uint64_t join_offset;  /* where the joined file begins: what is added to one that was there before */
	/*
	 * Bytes are written into a file: what is given again replaces what was there, and is not given a second time
	 * by a retransmission. Where that happens there is no hash, for what was given first is hashed already.
	 */
	bool rewrites;
	/*
	 * A part that has a number, from 1 on, instead of an offset: it stands behind those with lower numbers. size is the
	 * part's, and bytes are given from its beginning on. See transfer_parts_end. 0: none.
	 */
	uint32_t part;
	uint32_t parts;        /* how many there are, numbered 1 to this; 0: the sender says at the end */
	/* Or one that has a name, of up to PART_NAME_MAX bytes: only the list at the end tells its place. */
	const void *part_name;
	size_t part_name_len;
};

enum { PART_NAME_MAX = 64 };

struct part_name {
	const uint8_t *bytes;
	size_t len;
};

/* NULL at a limit (counted); every function below takes NULL and does nothing. */
struct transfer *transfer_begin(struct session *s, const struct transfer_start *start);

/* A file whose parts came before, for what is still to be told of it; NULL: there is none with this key. */
struct transfer *transfer_resume(struct session *s, const struct transfer_start *start);

/* Tells more of it while it is open. Bytes are decoded and copied. */
void transfer_name(struct transfer *t, const void *path, size_t len, const char *charset);
/* Whatever its parts were called. */
void transfer_rename(struct transfer *t, const void *path, size_t len, const char *charset);
void transfer_method(struct transfer *t, const char *method);
void transfer_sender(struct transfer *t, enum side sender);
void transfer_size(struct transfer *t, uint64_t size);
void transfer_offset(struct transfer *t, uint64_t offset); /* before the first byte */
/* The file was cut to size: what was given beyond it is no more a part of it, and its hash is lost. */
void transfer_cut(struct transfer *t, uint64_t size);
void transfer_mime(struct transfer *t, const void *bytes, size_t len);
void transfer_http(struct transfer *t, const char *method, const char *url, unsigned status, const char *referrer);
void transfer_encoding(struct transfer *t, const char *encoding); /* undone by the protocol: "gzip" */
void transfer_still_encoded(struct transfer *t, const void *bytes, size_t len); /* one that can't be undone */
void transfer_listing(struct transfer *t);                        /* it is an open directory listing */
/* It is the body of a form whose files are transfers of their own: no file itself, it loses its name. */
void transfer_form(struct transfer *t);
void transfer_user(struct transfer *t, const void *bytes, size_t len);
/* See session_detail. */
void transfer_detail(struct transfer *t, const char *key, const void *bytes, size_t len);
void transfer_detail_number(struct transfer *t, const char *key, uint64_t number);
/* It moves over another flow (FTP data): that session's flow is told as the data connection. */
void transfer_carrier(struct transfer *t, struct session *data);
/* The server accepted it: it is told even if no byte of it is ever seen. */
void transfer_accepted(struct transfer *t);

/* Bytes at an offset in the file (as the receiver would save it). Any order; the first copy wins. */
void transfer_data(struct transfer *t, uint64_t offset, const uint8_t *bytes, size_t len);
/* Bytes at the end of what was given so far. */
void transfer_append(struct transfer *t, const uint8_t *bytes, size_t len);
/* Bytes known to have moved, content not seen, at the end of what was given so far. */
void transfer_skip(struct transfer *t, uint64_t len);
/* The same for bytes that the server put there itself, out of what it had: they crossed no network. */
void transfer_copied(struct transfer *t, uint64_t len);
/* What was sent, where an encoding is undone: hashed beside the content. */
void transfer_sent(struct transfer *t, const uint8_t *bytes, size_t len);

/*
 * Over. A joined part is only set aside until its file is whole or the wait is
 * over. After it t is gone for the caller. What is told follows from the bytes: COMPLETE becomes
 * TRUNCATED where some of them were not seen, and TRUNCATED becomes COMPLETE where all bytes of a file
 * of known size were.
 */
void transfer_end(struct transfer *t, enum transfer_state state);
/* The same for all parts of a joined file: no more of it will come. COMPLETE: it is as long as what was given. */
void transfer_finish(struct transfer *t, enum transfer_state state);
/*
 * The file was put together from the parts with these numbers, ascending (count 0: from all), or was given up: state
 * ABORTED. Otherwise as transfer_end.
 */
void transfer_parts_end(struct transfer *t, const uint32_t *numbers, size_t count, enum transfer_state state);
/* The same for parts with names: the file has these, in this order. */
void transfer_parts_listed(struct transfer *t, const struct part_name *names, size_t count, enum transfer_state state);
/* It was not a file after all (a listing, a refused command). Told, as aborted, only if it had begun to be told. */
void transfer_discard(struct transfer *t);

/* ---- a control channel announces a data connection ---- */

struct expectation {
	struct addr from, to;    /* who will connect, where to; see any_from */
	bool any_from;           /* whoever connects there (NAT, FXP) */
	uint16_t to_port;
	uint8_t transport;
	int64_t lifetime;        /* ns of packet time from now */
};

/*
 * What is called for the data connection when it comes. A side here is an end of the data flow.
 * owner is referenced for as long as the expectation stands; release tells that nothing more comes.
 */
struct carrier_ops {
	void (*open)(void *owner, struct session *data);
	void (*data)(void *owner, struct session *data, enum side from, const uint8_t *bytes, size_t len);
	void (*gap)(void *owner, struct session *data, enum side from, uint64_t len);
	/* end of one side's bytes (FIN), or of all (reset or flow end) */
	void (*end)(void *owner, struct session *data, enum side from, bool reset);
	void (*release)(void *owner);
};

/* A newer expectation for the same destination replaces the older. 0, or -1 at the limit (owner released). */
int session_expect(struct session *control, const struct expectation *e, const struct carrier_ops *ops, void *owner);

/*
 * Is this session's flow an expected one? Then its carrier, else NULL. Asked once by the proto
 * stage when the flow opens (with the first packet, so that either direction may come first), and again
 * at its first payload. The expectation is used up.
 */
struct carrier;
struct carrier *session_carrier(struct session *s);
void carrier_data(struct carrier *c, enum side from, const uint8_t *bytes, size_t len);
void carrier_gap(struct carrier *c, enum side from, uint64_t len);
void carrier_end(struct carrier *c, enum side from, bool reset);
void carrier_close(struct carrier *c); /* the data flow ended: calls release */

#endif
