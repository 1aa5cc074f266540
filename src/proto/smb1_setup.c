/* SMB 1: dialect, logon and shares (MS-CIFS 2.2.4.50 to 2.2.4.55, MS-SMB 2.2.4.5 to 2.2.4.7). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/smb1.h"
#include "proto/smb_token.h"

enum {
	SETUP_SECURITY_WORDS = 12, /* with a security blob */
	SETUP_NT_WORDS = 13,
	SETUP_LANMAN_WORDS = 10,
	SETUP_ANSWER_SECURITY_WORDS = 4,
	ACTION_GUEST = 0x0001,
	DIALECT_FORMAT = 2,
};

static const char *const dialects[] = {"NT LM 0.12", "NT LANMAN 1.0", "LANMAN2.1", "DOS LANMAN2.1", "LM1.2X002",
        "DOS LM1.2X002", "LANMAN1.0", "MICROSOFT NETWORKS 3.0", "MICROSOFT NETWORKS 1.03", "PC NETWORK PROGRAM 1.0",
        "Windows for Workgroups 3.1a", "Samba", "XENIX CORE", "PCLAN1.0"};

static const char *dialect_known(const struct smb_text *name);
static void setup_names(struct smb *h, const struct smb1_message *m, struct reader bytes);
static void software(struct smb *h, const struct smb1_message *m, struct reader *bytes, bool client);
static enum smb_share share_kind(const struct smb_text *service);

void
smb1_negotiate_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader bytes = b->bytes;
	struct smb_text name;
	(void)m;
	(void)r;
	(void)sink;
	memset(h->offered, 0, sizeof h->offered);
	for (size_t i = 0; i < SMB1_DIALECTS_MAX && bytes.left > 0 && reader_u8(&bytes) == DIALECT_FORMAT; i++) {
		smb_text_take(&name, &bytes, false);
		h->offered[i] = dialect_known(&name);
	}
}

void
smb1_negotiate_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	uint16_t index = reader_le16(&words);
	(void)r;
	(void)sink;
	if (m->status == STATUS_SUCCESS && reader_ok(&words) && index < SMB1_DIALECTS_MAX && h->offered[index] != NULL)
		smb_dialect(h, h->offered[index]);
}

void
smb1_setup_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words, bytes = b->bytes;
	struct smb_token token;
	struct smb_text name;
	(void)sink;
	reader_skip(&words, 2 + 2 + 2 + 4); /* buffer, outstanding, circuit, key */
	size_t first = reader_le16(&words);
	r->code = b->word_count == SETUP_SECURITY_WORDS;
	if (b->word_count == SETUP_SECURITY_WORDS) {
		smb_token_read(&token, reader_sub(&bytes, first));
		smb_tell_token(h, &token);
		if (token.kind == SMB_TOKEN_AUTHENTICATE)
			(void)smb_logon_add(h, m->logon, token.user.bytes, token.user.len);
		software(h, m, &bytes, true);
		return;
	}
	if (b->word_count == SETUP_NT_WORDS)
		first += reader_le16(&words); /* both passwords */
	else if (b->word_count != SETUP_LANMAN_WORDS)
		return;
	reader_skip(&bytes, first);
	struct reader names = bytes;
	smb1_string(m, &bytes, false, &name);
	if (!reader_ok(&bytes))
		return;
	struct smb_text *user = malloc(sizeof *user);
	if (user != NULL)
		*user = name;
	r->more = user;
	setup_names(h, m, names);
}

/* The answer tells the number; where the first request had none, what was noted under it moves. */
void
smb1_setup_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words, bytes = b->bytes;
	struct smb_token token;
	(void)sink;
	uint16_t action = reader_le16(&words);
	size_t blob = b->word_count == SETUP_ANSWER_SECURITY_WORDS ? reader_le16(&words) : 0;
	if (blob > 0) {
		smb_token_read(&token, reader_sub(&bytes, blob));
		smb_tell_token(h, &token);
	}
	if (m->status == STATUS_SUCCESS || m->status == STATUS_MORE_PROCESSING)
		software(h, m, &bytes, false);
	if (m->status == STATUS_SUCCESS) {
		const struct smb_text *user = r != NULL ? r->more : NULL;
		if (user != NULL)
			(void)smb_logon_add(h, m->logon, user->bytes, user->len);
		if (b->word_count >= 3 && (action & ACTION_GUEST) != 0)
			session_detail(h->session, "smb.logon", "guest", 5);
	} else if (m->status != STATUS_MORE_PROCESSING) {
		session_detail(h->session, "smb.logon", "failed", 6);
	}
}

void
smb1_logoff_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	(void)b;
	(void)r;
	(void)sink;
	if (m->status == STATUS_SUCCESS)
		smb_logon_drop(h, m->logon);
}

void
smb1_connect_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words, bytes = b->bytes;
	struct smb_text *path = malloc(sizeof *path);
	(void)h;
	(void)sink;
	if (path == NULL)
		return;
	reader_skip(&words, 2); /* flags */
	reader_skip(&bytes, reader_le16(&words));
	smb1_string(m, &bytes, false, path);
	r->more = path;
}

void
smb1_connect_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader bytes = b->bytes;
	struct smb_text service;
	static const struct smb_text unknown = {0};
	(void)sink;
	if (m->status != STATUS_SUCCESS)
		return;
	smb_text_take(&service, &bytes, false);
	smb_tree_add(h, 0, m->tree, share_kind(&service), r != NULL && r->more != NULL ? r->more : &unknown);
}

/* MS-CIFS 2.2.4.50: path, password and service, each with a format byte. */
void
smb1_old_connect_request(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader bytes = b->bytes;
	struct smb_text *path = malloc(sizeof *path);
	struct smb_text service;
	(void)h;
	(void)sink;
	if (path == NULL)
		return;
	smb1_string(m, &bytes, true, path);
	smb1_string(m, &bytes, true, &service); /* the password */
	smb1_string(m, &bytes, true, &service);
	r->code = share_kind(&service);
	r->more = path;
}

void
smb1_old_connect_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	struct reader words = b->words;
	(void)sink;
	reader_skip(&words, 2); /* buffer */
	uint16_t tree = reader_le16(&words);
	if (m->status == STATUS_SUCCESS && reader_ok(&words) && r != NULL && r->more != NULL)
		smb_tree_add(h, 0, tree, (enum smb_share)r->code, r->more);
}

void
smb1_disconnect_answer(struct smb *h, const struct smb1_message *m, const struct smb1_block *b, struct smb_request *r,
        struct smb_sink *sink)
{
	(void)b;
	(void)sink;
	if (m->status == STATUS_SUCCESS && r != NULL)
		smb_tree_drop(h, 0, r->tree);
}

/* A static text, or NULL. */
static const char *
dialect_known(const struct smb_text *name)
{
	for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++)
		if (smb_text_equal(name, dialects[i]))
			return dialects[i];
	return NULL;
}

/* Account, domain, operating system. */
static void
setup_names(struct smb *h, const struct smb1_message *m, struct reader bytes)
{
	struct smb_text text;
	smb1_string(m, &bytes, false, &text);
	smb1_string(m, &bytes, false, &text);
	session_detail(h->session, "smb.domain", text.bytes, text.len);
	software(h, m, &bytes, true);
}

/* NativeOS and NativeLanMan. */
static void
software(struct smb *h, const struct smb1_message *m, struct reader *bytes, bool client)
{
	struct smb_text system, program;
	smb1_string(m, bytes, false, &system);
	smb1_string(m, bytes, false, &program);
	if (program.len > 0 && system.len > 0)
		smb_text_add(&system, ", ", 2);
	smb_text_add(&system, program.bytes, program.len);
	if (client)
		session_client(h->session, system.bytes, system.len);
	else
		session_server(h->session, system.bytes, system.len);
}

/* MS-CIFS 2.2.4.55.2. */
static enum smb_share
share_kind(const struct smb_text *service)
{
	if (smb_text_equal(service, "A:"))
		return SMB_SHARE_DISK;
	if (smb_text_equal(service, "IPC"))
		return SMB_SHARE_PIPE;
	return smb_text_equal(service, "LPT1:") ? SMB_SHARE_PRINT : SMB_SHARE_UNKNOWN;
}
