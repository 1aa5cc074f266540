/* Requests of one connection that wait for their answer, found by their number. */
#ifndef WAYBILL_PROTO_SMB_REQUEST_H
#define WAYBILL_PROTO_SMB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smb_handle;

struct smb_request {
	uint64_t id;
	bool live;
	uint16_t command;
	uint32_t code;            /* of an FSCTL, an information class, a subcommand */
	uint32_t tree;
	uint64_t logon;
	struct smb_handle *handle; /* referenced, or NULL */
	uint64_t offset;          /* READ, WRITE */
	uint32_t len;
	void *more;               /* owned: whatever else the command needs */
};

struct smb_requests {
	struct smb_request *slot;
	size_t size; /* a power of two, or 0 */
};

/*
 * A new one, zeroed but for its number; takes the place of what had the number. At the limit an older one is
 * forgotten. NULL: out of memory. Valid until the next call.
 */
struct smb_request *smb_requests_add(struct smb_requests *q, uint64_t id);
struct smb_request *smb_requests_find(const struct smb_requests *q, uint64_t id);
/* It has its answer. */
void smb_requests_drop(struct smb_request *r);
void smb_requests_clear(struct smb_requests *q);

#endif
