/*
 * One data connection of an FTP session and the file that moves over it. The
 * command, its replies, the data connection and its end can be seen in any order, and any
 * of them can be missing.
 *
 * A channel is referenced by the session, by the command that uses it and by every
 * expectation; it outlives the control connection where the data connection does.
 */
#ifndef WAYBILL_PROTO_FTP_CHANNEL_H
#define WAYBILL_PROTO_FTP_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "proto/ftp_command.h"
#include "transfer/transfer.h"

struct ftp_channel;

LIST_HEAD(ftp_channel_list, ftp_channel);

/* What the session knows at the moment when a transfer begins. */
struct ftp_job {
	enum side sender;     /* an end of the control flow */
	const uint8_t *path;  /* borrowed for the call */
	size_t path_len;
	const uint8_t *user;
	size_t user_len;
	uint64_t offset;      /* where the first byte belongs, when not 0: APPE to a file of known size */
	bool size_known;
	uint64_t size;
	bool binary;          /* sizes told in the dialogue count the bytes on the wire */
	bool deflated;        /* MODE Z */
};

struct ftp_channel_ops {
	/* Bytes are there for this command: fills *job as things stand now. */
	void (*job)(void *ctx, const struct ftp_verb *verb, const uint8_t *arg, size_t len,
	        struct ftp_job *job);
};

/* With one reference, the caller's. ops and ctx are used until ftp_channel_close. NULL: out of memory. */
struct ftp_channel *ftp_channel_create(struct session *control, struct ftp_channel_list *list,
        const struct ftp_channel_ops *ops, void *ctx);
struct ftp_channel *ftp_channel_ref(struct ftp_channel *c);
void ftp_channel_unref(struct ftp_channel *c); /* takes NULL */

/*
 * The data connection will go to this address, from anywhere when from is NULL. Several may be
 * named; the first that is used counts.
 */
void ftp_channel_expect(struct ftp_channel *c, const struct addr *from, const struct addr *to, uint16_t port);

/* The command that moves bytes here. arg is copied; offset is REST's. */
void ftp_channel_command(struct ftp_channel *c, const struct ftp_verb *verb, const uint8_t *arg, size_t len,
        uint64_t offset);

/* A name that only the reply tells (STOU). */
void ftp_channel_name(struct ftp_channel *c, const uint8_t *name, size_t len);

/* A size that the dialogue tells. */
void ftp_channel_size(struct ftp_channel *c, uint64_t size);

/* 1xx: the server has accepted it. */
void ftp_channel_accepted(struct ftp_channel *c);

/* The final reply: success, or the command failed or was broken off. */
void ftp_channel_replied(struct ftp_channel *c, unsigned code);

/* The next transfer is on its way: what has its reply and no data connection will not get one any more. */
void ftp_channel_overtaken(struct ftp_channel *c);

/* The control connection ended. The transfer ends with it, or with its data connection where that goes on. */
void ftp_channel_close(struct ftp_channel *c, bool reset);

/* The next in the list; NULL at its end. */
struct ftp_channel *ftp_channel_next(const struct ftp_channel *c);

#endif
