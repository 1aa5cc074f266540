/* SMB 2: dialect, logon and shares (MS-SMB2 2.2.3 to 2.2.12). */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/smb2.h"
#include "proto/smb_token.h"

enum {
	CAP_MULTI_CHANNEL = 0x00000008,
	DIALECT_3 = 0x0300,
	SETUP_BINDING = 0x01,
	SESSION_GUEST = 0x0001,
	SESSION_NULL = 0x0002,
	CONTEXT_ENCRYPTION = 2,
	CONTEXTS_MAX = 16,
};

enum { /* MS-SMB2 2.2.10 */
	SHARE_TYPE_DISK = 1,
	SHARE_TYPE_PIPE = 2,
	SHARE_TYPE_PRINT = 3,
};

static void negotiate_contexts(struct smb *h, const struct smb2_message *m, size_t offset, unsigned count);
static void keep_guid(struct smb *h, size_t which, const uint8_t *guid);

void
smb2_negotiate_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	(void)r;
	(void)sink;
	reader_skip(&body, 2 + 2 + 2 + 2 + 4); /* size, dialects, security mode, reserved, capabilities */
	keep_guid(h, 0, reader_take(&body, SMB_GUID));
}

void
smb2_negotiate_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	static const struct {
		uint16_t wire;
		const char *text;
	} names[] = {{0x0202, "2.0.2"}, {0x0210, "2.1"}, {0x0300, "3.0"}, {0x0302, "3.0.2"}, {0x0311, "3.1.1"}};
	struct reader body = m->body;
	(void)r;
	(void)sink;
	if (m->status != STATUS_SUCCESS)
		return;
	reader_skip(&body, 2 + 2); /* size, security mode */
	uint16_t dialect = reader_le16(&body), contexts = reader_le16(&body);
	const uint8_t *guid = reader_take(&body, SMB_GUID);
	uint32_t capabilities = reader_le32(&body);
	reader_skip(&body, 3 * 4 + 2 * 8 + 2 + 2); /* sizes, times, security buffer */
	uint32_t offset = reader_le32(&body);
	if (!reader_ok(&body))
		return;
	keep_guid(h, 1, guid);
	h->channels = dialect >= DIALECT_3 && (capabilities & CAP_MULTI_CHANNEL) != 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].wire == dialect)
			smb_dialect(h, names[i].text);
	if (dialect == 0x0311)
		negotiate_contexts(h, m, offset, contexts);
}

/* What tells a logon from any other is the client's name for itself; the answer tells the number. */
void
smb2_setup_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	struct smb_token token;
	(void)sink;
	reader_skip(&body, 2);
	uint8_t flags = reader_u8(&body);
	reader_skip(&body, 1 + 4 + 4); /* security mode, capabilities, channel */
	size_t offset = reader_le16(&body), len = reader_le16(&body);
	smb_token_read(&token, smb2_buffer(m, offset, len));
	bool binding = (flags & SETUP_BINDING) != 0;
	smb_tell_token(h, &token);
	r->code = binding;
	if (binding)
		smb_note(h, "bound", &m->logon, sizeof m->logon, "", 0);
	else if (token.kind == SMB_TOKEN_AUTHENTICATE && m->logon != 0)
		(void)smb_logon_add(h, m->logon, token.user.bytes, token.user.len);
}

void
smb2_setup_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	struct smb_token token;
	(void)sink;
	reader_skip(&body, 2);
	uint16_t flags = reader_le16(&body);
	size_t offset = reader_le16(&body), len = reader_le16(&body);
	if (m->status == STATUS_SUCCESS && reader_ok(&body)) {
		if (smb_logon_find(h, m->logon) == NULL)
			(void)smb_logon_add(h, m->logon, NULL, 0); /* Kerberos */
		if ((flags & SESSION_GUEST) != 0)
			session_detail(h->session, "smb.logon", "guest", 5);
		else if ((flags & SESSION_NULL) != 0)
			session_detail(h->session, "smb.logon", "anonymous", 9);
	} else if (m->status == STATUS_MORE_PROCESSING && reader_ok(&body)) {
		smb_token_read(&token, smb2_buffer(m, offset, len));
		smb_tell_token(h, &token);
	} else if (m->status != STATUS_SUCCESS) {
		session_detail(h->session, "smb.logon", "failed", 6);
		if (r == NULL || r->code == 0)
			smb_logon_drop(h, m->logon);
	}
}

void
smb2_logoff_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	(void)r;
	(void)sink;
	if (m->status == STATUS_SUCCESS)
		smb_logon_drop(h, m->logon);
}

void
smb2_connect_request(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	struct smb_text *path = malloc(sizeof *path);
	(void)h;
	(void)sink;
	if (path == NULL)
		return;
	reader_skip(&body, 2 + 2); /* size, flags */
	size_t offset = reader_le16(&body), len = reader_le16(&body);
	smb_text_wide(path, smb2_buffer(m, offset, len));
	r->more = path;
}

void
smb2_connect_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	struct reader body = m->body;
	static const struct smb_text unknown = {.wide = true};
	(void)sink;
	reader_skip(&body, 2);
	uint8_t type = reader_u8(&body);
	if (m->status != STATUS_SUCCESS || !reader_ok(&body))
		return;
	enum smb_share kind = type == SHARE_TYPE_DISK    ? SMB_SHARE_DISK
	                      : type == SHARE_TYPE_PIPE  ? SMB_SHARE_PIPE
	                      : type == SHARE_TYPE_PRINT ? SMB_SHARE_PRINT
	                                                 : SMB_SHARE_UNKNOWN;
	smb_tree_add(h, m->logon, m->tree, kind, r != NULL && r->more != NULL ? r->more : &unknown);
}

void
smb2_disconnect_answer(struct smb *h, const struct smb2_message *m, struct smb_request *r, struct smb_sink *sink)
{
	(void)sink;
	if (m->status == STATUS_SUCCESS && r != NULL)
		smb_tree_drop(h, r->logon, r->tree);
}

/* MS-SMB2 2.2.4.1: only the cipher is of interest. */
static void
negotiate_contexts(struct smb *h, const struct smb2_message *m, size_t offset, unsigned count)
{
	struct reader r = m->all;
	reader_skip(&r, offset);
	for (unsigned i = 0; i < count && i < CONTEXTS_MAX; i++) {
		uint16_t type = reader_le16(&r);
		size_t len = reader_le16(&r);
		reader_skip(&r, 4);
		struct reader data = reader_sub(&r, len);
		if (!reader_ok(&r))
			return;
		if (type == CONTEXT_ENCRYPTION && reader_le16(&data) == 1)
			h->cipher = reader_le16(&data);
		size_t pad = (8 - len % 8) % 8;
		reader_skip(&r, r.left < pad ? r.left : pad);
	}
}

static void
keep_guid(struct smb *h, size_t which, const uint8_t *guid)
{
	if (guid == NULL)
		return;
	memcpy(h->guid[which], guid, SMB_GUID);
	h->guid_known[which] = true;
}
