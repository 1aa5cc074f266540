/*
 * What an SSH connection is used for, by the shape of what is said after login: who speaks when, how much at a time,
 * and which of SFTP's, scp's and the connection protocol's short messages (RFC 4254, draft-ietf-secsh-filexfer-02)
 * that can be. Nothing is decrypted; see doc/ssh-estimator.md for how often it is wrong.
 */
#ifndef WAYBILL_PROTO_SSH_SHAPE_H
#define WAYBILL_PROTO_SSH_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/ssh_cipher.h"

enum { SSH_FIRST_MAX = 24 };

struct ssh_turn { /* what one end says until the other one does */
	enum side from; /* SIDE_SOURCE stands for the client throughout */
	uint32_t units; /* 0: nothing */
	uint32_t first, last; /* sizes of units */
	uint64_t bytes;
	int64_t start;
};

struct ssh_files { /* as they are counted while they go by */
	uint32_t count;
	bool open;           /* one is being moved */
	uint64_t current[2]; /* content that each side sent since it was opened: the larger is the file */
	uint64_t bytes[2];   /* of files that are over, by who sent them */
	uint64_t largest;
};

struct ssh_shape {
	struct ssh_cipher cipher[2];
	bool exact[2];             /* units of this side are packets */
	struct ssh_turn turn;      /* under way */
	struct ssh_turn last, before; /* the two before it */
	struct {
		enum side from;
		uint32_t size;
	} first[SSH_FIRST_MAX];    /* units */
	uint32_t units, turns, client_turns;
	uint64_t bytes[2];
	uint64_t content[2];       /* channel data in it, about, behind the first requests */
	uint64_t largest_turn[2];
	int64_t fastest;           /* the client's quickest answer */
	uint32_t typed;            /* keys that were echoed */
	uint32_t forwards;         /* channels opened and confirmed after the first one */
	uint32_t requests;         /* short messages of the client that were answered by a message */

	struct {
		bool opened;       /* a handle came: what is done with it tells what it is */
		bool closing;      /* CLOSE, FSTAT or READDIR was asked of it */
		uint32_t statuses;
	} sftp;
	struct {
		bool ready;        /* a line was acknowledged */
		uint32_t in_row;   /* lines since the last content */
		uint32_t lines, contents, doubles;
		uint32_t odd;      /* what the other end said that is no acknowledgement */
	} scp[2];                  /* by who sends */
	struct ssh_files files[3]; /* by SFTP's messages, by scp's of either sender */
};

void ssh_shape_init(struct ssh_shape *h, const struct ssh_cipher cipher[2], const bool exact[2]);

/* A unit after login, which is none of the login. */
void ssh_shape_unit(struct ssh_shape *h, enum side from, uint32_t size, int64_t now);

/* Is that a reply to a channel request, EOF, CLOSE or WINDOW_ADJUST? */
bool ssh_shape_reply(const struct ssh_shape *h, enum side from, uint32_t size);
/* Or a few of them in one piece, as a server sends when a channel begins? */
bool ssh_shape_replies(const struct ssh_shape *h, enum side from, uint32_t size);

/* The turn under way is over: nothing more comes. */
void ssh_shape_end(struct ssh_shape *h);

#endif
