/* One FTP control connection: what its parts in ftp*.c share. Not for others. */
#ifndef WAYBILL_PROTO_FTP_H
#define WAYBILL_PROTO_FTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/ftp_address.h"
#include "proto/ftp_channel.h"
#include "proto/ftp_command.h"
#include "proto/ftp_line.h"
#include "proto/ftp_path.h"
#include "proto/ftp_reply.h"
#include "proto/proto.h"

enum {
	FTP_QUEUE_MAX = 32, /* commands without a reply; then the oldest is forgotten */
	FTP_SETUP_MAX = 2,  /* addresses for one data connection */
};

/* A command that waits for its reply. */
struct ftp_pending {
	const struct ftp_verb *verb; /* NULL: not a known one */
	uint8_t *arg;                /* a copy; never of a password */
	size_t arg_len;
	struct ftp_channel *channel; /* a reference, for commands that move bytes */
};

struct ftp {
	struct session *session;
	struct ftp_lines lines[2];
	bool sides_known;
	enum side client; /* an end of the flow */

	/* the dialogue */
	struct ftp_replies replies;
	bool greeted;       /* the server's first words are behind */
	bool named;         /* session_server was told */
	bool heard_client;  /* commands are seen at all */
	bool wants_tls;     /* AUTH was sent */
	struct ftp_pending queue[FTP_QUEUE_MAX]; /* a ring */
	size_t first, count;

	/* the login and its state */
	uint8_t *user;
	size_t user_len;
	struct ftp_path cwd;
	struct ftp_path work; /* a file's path while it is told */
	bool text_type;       /* TYPE A or E was asked for, or nothing yet: ASCII is the default */
	bool deflated;        /* MODE Z */
	uint64_t rest;        /* for the next transfer */
	bool size_known;
	uint64_t size;
	struct ftp_path sized; /* the file that size is of */

	/* data connections */
	struct {
		struct addr addr;
		uint16_t port;
	} setup[FTP_SETUP_MAX];
	size_t setup_count;
	struct ftp_channel *announced; /* a reference; NULL: none is waiting for its command */
	struct ftp_channel_list channels;
};

/* ftp_dialogue.c. Verdicts: MORE, SWITCH (TLS follows), DONE (nothing more can be read). */
enum verdict ftp_dialogue_command(struct ftp *f, const uint8_t *line, size_t len);
enum verdict ftp_dialogue_reply(struct ftp *f, const uint8_t *line, size_t len);
void ftp_dialogue_clear(struct ftp *f);

/* ftp_setup.c: data connections as the dialogue announces them. */
void ftp_setup_named(struct ftp *f, const struct ftp_address *to, enum side peer);
struct ftp_channel *ftp_setup_claim(struct ftp *f, const struct ftp_command *command);
void ftp_setup_clear(struct ftp *f, bool reset);

/* ftp_probe.c */
enum verdict ftp_probe(const struct probe *p);

#endif
