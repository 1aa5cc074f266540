/* What the files of AFP share: the conversation, and its open forks. */
#ifndef WAYBILL_PROTO_AFP_H
#define WAYBILL_PROTO_AFP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reader.h"
#include "base/table.h"
#include "proto/bulk.h"
#include "proto/proto.h"

enum {
	AFP_HELD_MAX = 4096,     /* longer messages, but for their bulk, are not of interest */
	AFP_PATH_MAX = 2048,
	AFP_FORKS_MAX = 1024,
	AFP_FOLDERS_MAX = 4096,
	AFP_ROOT = 2,            /* the number of a volume's top folder */
};

enum { /* bits of what is asked for of a file or folder, and told in their order */
	AFP_BIT_NODE = 8,
	AFP_BIT_DATA_LEN = 9,
	AFP_BIT_RESOURCE_LEN = 10,
	AFP_BIT_DATA_LEN_EXT = 11,
	AFP_BIT_RESOURCE_LEN_EXT = 14,
};

struct afp_path {
	uint8_t *text;
	size_t len;
};

struct afp_fork {
	struct afp_path path;
	bool resource, created;
	struct transfer *read, *write;
	uint64_t top;       /* written up to here */
	uint64_t size;      /* as it is known to be */
	bool size_known;
};

struct afp_request { /* that waits for its answer */
	uint8_t dsi, function;
	bool resource;
	uint16_t fork, bits;
	uint64_t offset;  /* FPSetForkParms: the new length */
	struct afp_path path; /* owned */
};

struct afp_half {
	uint8_t held[AFP_HELD_MAX];
	size_t held_len, wanted;   /* wanted 0: the head is not there yet */
	struct bulk bulk;          /* what is left of the message at hand */
	bool lost;
};

struct afp {
	struct session *session;
	struct table *forks, *folders, *requests;
	bool client_known;
	enum side client;
	struct afp_path created; /* the file that was created last */
	struct afp_half half[2];
};

/* A path below a folder: type, length and names with a zero between them. Its text is the caller's, or NULL. */
struct afp_path afp_take_path(const struct afp *a, uint32_t folder, struct reader *r);
/* Goes to what bit stands for, in the order of bits; false: it is not told. */
bool afp_parameter_at(struct reader *r, uint16_t bits, unsigned bit);
/* The folder with this number has that path, which is taken where it is kept. */
void afp_learn_folder(struct afp *a, uint32_t number, struct afp_path *path);

/* FPOpenFork succeeded: bits and what they stand for. Takes the request's path. */
void afp_fork_open(struct afp *a, struct afp_request *q, uint16_t bits, struct reader r);
/* That fork; one that was opened before anything was seen has no name. NULL: too many, or out of memory. */
struct afp_fork *afp_fork_get(struct afp *a, uint16_t number);
/* method: static. */
struct transfer *afp_fork_begin(struct afp *a, const struct afp_fork *f, bool write, const char *method);
/* What a reply tells of its length. */
void afp_fork_learn_size(struct afp_fork *f, uint16_t bits, struct reader r);
/* The client gave it that length. */
void afp_fork_set_size(struct afp_fork *f, uint64_t size);
/* closed: the client closed it, and the server agreed; else nothing more of it was seen. */
void afp_fork_close(struct afp *a, uint16_t number, bool closed);
/* All that are still open, and the folders. */
void afp_forks_clear(struct afp *a);

#endif
