/*
 * SMB 1, 2 and 3 over TCP, with and without the session service of NetBIOS: files that are read and
 * written, by share, name, account and content. MS-SMB2, MS-SMB and MS-CIFS (Microsoft Open
 * Specifications), RFC 1001 and 1002; see smb.h for the parts.
 *
 * Not read: what is encrypted (SMB 3) or compressed (3.1.1), RDMA, QUIC, raw and multiplexed reads and
 * writes of SMB 1 (READ_RAW, WRITE_RAW, READ_MPX, WRITE_MPX), its opens through NT_TRANSACT and the POSIX extensions,
 * directory listings, pipes, leases.
 */
#include "config.h"

#include "proto/smb.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "proto/smb_handle.h"

enum { HANDLES_MAX = 8192 };

static enum verdict
smb_probe(const struct probe *p)
{
	enum verdict v[2];
	for (size_t side = 0; side < 2; side++)
		v[side] = smb_frame_probe(p->bytes[side], p->len[side]);
	if (v[SIDE_SOURCE] == VERDICT_DONE || v[SIDE_DESTINATION] == VERDICT_DONE)
		/* In the middle, the other side may begin within a message. */
		return p->midstream || (v[SIDE_SOURCE] != VERDICT_NOT_MINE && v[SIDE_DESTINATION] != VERDICT_NOT_MINE)
		               ? VERDICT_DONE
		               : VERDICT_NOT_MINE;
	return v[SIDE_SOURCE] == VERDICT_MORE && v[SIDE_DESTINATION] == VERDICT_MORE ? VERDICT_MORE
	                                                                             : VERDICT_NOT_MINE;
}

static void *
smb_open(struct session *s)
{
	struct smb *h = calloc(1, sizeof *h);
	if (h == NULL)
		return NULL;
	h->handles = table_create(HANDLES_MAX);
	if (h->handles == NULL) {
		free(h);
		return NULL;
	}
	h->session = s;
	TAILQ_INIT(&h->logons);
	TAILQ_INIT(&h->trees);
	return h;
}

static enum verdict
smb_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct smb *h = state;
	return smb_frame_data(h, from, bytes, len) ? VERDICT_MORE : VERDICT_MALFORMED;
}

static enum verdict
smb_gap(void *state, enum side from, uint64_t len)
{
	struct smb *h = state;
	smb_frame_gap(h, from, len);
	return VERDICT_MORE;
}

static void
smb_close(void *state, bool reset)
{
	struct smb *h = state;
	smb_frame_clear(&h->half[SIDE_SOURCE]);
	smb_frame_clear(&h->half[SIDE_DESTINATION]);
	if (h->chain.handle != NULL)
		smb_handle_unref(h->chain.handle);
	smb_requests_clear(&h->requests);
	smb_handles_clear(h, reset);
	table_destroy(h->handles);
	smb_context_clear(h);
	free(h);
}

static bool
smb_finished(const void *state)
{
	const struct smb *h = state;
	return table_count(h->handles) == 0;
}

const struct proto proto_smb = {
        .name = "smb",
        .transport = IPPROTO_TCP,
        .ports = {445, 139},
        .reads = "files read and written over SMB 1, 2.x and 3.x, with share, path, account, size and content, in any "
                 "order, by several handles and connections; copies by the server, renames and deletions; dialect, NTLM "
                 "user, domain and workstation, Kerberos realm and service",
        .infers = "transfers of encrypted SMB 3, from volume",
        .misses = "what is encrypted or compressed; user names behind Kerberos; raw and multiplexed reads and writes of "
                  "SMB 1, names of opens through its NT_TRANSACT or POSIX extensions; no hash where a writer goes over bytes twice",
        .probe = smb_probe,
        .open = smb_open,
        .data = smb_data,
        .gap = smb_gap,
        .end = NULL,
        .close = smb_close,
        .finished = smb_finished,
};

void
smb_client(struct smb *h, enum side client)
{
	if (h->client_known)
		return;
	h->client_known = true;
	h->client = client;
	session_client_end(h->session, client);
}

void
smb_dialect(struct smb *h, const char *dialect)
{
	session_detail(h->session, "smb.dialect", dialect, strlen(dialect));
}

void
smb_encrypted(struct smb *h)
{
	if (h->unread)
		return;
	h->unread = true;
	session_detail_number(h->session, "smb.encrypted", 1);
	session_unreadable(h->session, "encrypted");
}

void
smb_compressed(struct smb *h)
{
	if (h->packed)
		return;
	h->packed = true;
	session_detail_number(h->session, "smb.compressed", 1);
}
