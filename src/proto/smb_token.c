#include "config.h"

#include "proto/smb_token.h"

#include <string.h>

enum { /* MS-NLMP 2.2.1, 2.2.2.5, 2.2.2.1 */
	NTLM_NEGOTIATE = 1,
	NTLM_CHALLENGE = 2,
	NTLM_AUTHENTICATE = 3,
	NTLM_UNICODE = 0x00000001,
	NTLM_VERSION = 0x02000000,
	NTLM_REVISION = 15,
	AV_END = 0,
	AV_COMPUTER = 1,
	AV_DOMAIN = 2,
	AV_MAX = 32,
};

enum { /* ASN.1 DER tags */
	TAG_OID = 0x06,
	TAG_STRING = 0x1b,      /* GeneralString */
	TAG_SEQUENCE = 0x30,
	TAG_CONTEXT = 0xa0,
	TAG_TICKET = 0x61,      /* APPLICATION 1 */
	TAG_AP_REQ = 0x6e,      /* APPLICATION 14 */
	PRINCIPAL_PARTS_MAX = 4,
};

static void read_ntlm(struct smb_token *t, struct reader message);
static struct reader ntlm_field(struct reader *r, struct reader message);
static void ntlm_text(struct smb_text *out, struct reader field, uint32_t flags);
static void ntlm_version(struct smb_token *t, struct reader *r, uint32_t flags);
static void read_target(struct smb_token *t, struct reader pairs);
static const uint8_t *find_kerberos(struct reader blob);
static void read_ap_req(struct smb_token *t, struct reader r);
static void read_principal(struct smb_text *out, struct reader r);
static struct reader der_take(struct reader *r, uint8_t tag);
static bool der_next_is(const struct reader *r, uint8_t tag);

void
smb_token_read(struct smb_token *t, struct reader blob)
{
	static const char ntlm[8] = "NTLMSSP";
	*t = (struct smb_token){.kind = SMB_TOKEN_NONE};
	if (blob.left == 0)
		return;
	const uint8_t *at = memmem(blob.next, blob.left, ntlm, sizeof ntlm);
	if (at != NULL) {
		reader_skip(&blob, (size_t)(at - blob.next));
		read_ntlm(t, blob);
	} else if ((at = find_kerberos(blob)) != NULL) {
		reader_skip(&blob, (size_t)(at - blob.next));
		read_ap_req(t, blob);
	}
}

static void
read_ntlm(struct smb_token *t, struct reader message)
{
	struct reader r = message;
	reader_skip(&r, 8);
	uint32_t type = reader_le32(&r);
	if (type == NTLM_NEGOTIATE) {
		uint32_t flags = reader_le32(&r);
		(void)ntlm_field(&r, message);
		(void)ntlm_field(&r, message);
		ntlm_version(t, &r, flags);
		t->kind = reader_ok(&r) || flags != 0 ? SMB_TOKEN_NEGOTIATE : SMB_TOKEN_NONE;
	} else if (type == NTLM_CHALLENGE) {
		(void)ntlm_field(&r, message); /* target name: domain or server */
		uint32_t flags = reader_le32(&r);
		reader_skip(&r, 8 + 8); /* challenge, reserved */
		struct reader target = ntlm_field(&r, message);
		if (!reader_ok(&r))
			return;
		t->kind = SMB_TOKEN_CHALLENGE;
		read_target(t, target);
		ntlm_version(t, &r, flags);
	} else if (type == NTLM_AUTHENTICATE) {
		(void)ntlm_field(&r, message); /* LM and NT answers */
		(void)ntlm_field(&r, message);
		struct reader domain = ntlm_field(&r, message);
		struct reader user = ntlm_field(&r, message);
		struct reader workstation = ntlm_field(&r, message);
		(void)ntlm_field(&r, message); /* session key */
		uint32_t flags = reader_le32(&r);
		if (!reader_ok(&r))
			return;
		t->kind = SMB_TOKEN_AUTHENTICATE;
		ntlm_text(&t->domain, domain, flags);
		ntlm_text(&t->user, user, flags);
		ntlm_text(&t->workstation, workstation, flags);
		ntlm_version(t, &r, flags);
	}
}

/* Length, room, offset from the message's beginning. An impossible one is empty. */
static struct reader
ntlm_field(struct reader *r, struct reader message)
{
	size_t len = reader_le16(r);
	reader_skip(r, 2);
	size_t offset = reader_le32(r);
	reader_skip(&message, offset);
	struct reader field = reader_sub(&message, len);
	return reader_ok(&message) ? field : (struct reader){0};
}

static void
ntlm_text(struct smb_text *out, struct reader field, uint32_t flags)
{
	if ((flags & NTLM_UNICODE) != 0)
		smb_text_wide(out, field);
	else
		smb_text_narrow(out, field);
}

/* MS-NLMP 2.2.2.10. */
static void
ntlm_version(struct smb_token *t, struct reader *r, uint32_t flags)
{
	t->major = reader_u8(r);
	t->minor = reader_u8(r);
	t->build = reader_le16(r);
	reader_skip(r, 3);
	bool revision = reader_u8(r) == NTLM_REVISION; /* else names stand where the version would be */
	t->has_version = reader_ok(r) && (flags & NTLM_VERSION) != 0 && revision;
}

/* MS-NLMP 2.2.2.1: names of the server and its domain, always UTF-16. */
static void
read_target(struct smb_token *t, struct reader pairs)
{
	for (size_t i = 0; i < AV_MAX; i++) {
		uint16_t id = reader_le16(&pairs);
		struct reader value = reader_sub(&pairs, reader_le16(&pairs));
		if (!reader_ok(&pairs) || id == AV_END)
			return;
		if (id == AV_COMPUTER)
			smb_text_wide(&t->workstation, value);
		else if (id == AV_DOMAIN)
			smb_text_wide(&t->domain, value);
	}
}

/* The mechanism (RFC 4121 section 4.1, RFC 1964; or its number with the bit that Microsoft lost) and the token's type. */
static const uint8_t *
find_kerberos(struct reader blob)
{
	static const uint8_t mechanisms[2][13] = {
	        {TAG_OID, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00},
	        {TAG_OID, 9, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x01, 0x00},
	};
	for (size_t i = 0; i < 2; i++) {
		const uint8_t *at = memmem(blob.next, blob.left, mechanisms[i], sizeof mechanisms[i]);
		if (at != NULL)
			return at + sizeof mechanisms[i];
	}
	return NULL;
}

static void
read_ap_req(struct smb_token *t, struct reader r)
{
	struct reader request = der_take(&r, TAG_AP_REQ);
	struct reader fields = der_take(&request, TAG_SEQUENCE);
	for (uint8_t i = 0; i < 3; i++) /* version, type, options */
		(void)der_take(&fields, (uint8_t)(TAG_CONTEXT + i));
	struct reader field = der_take(&fields, TAG_CONTEXT + 3);
	struct reader ticket = der_take(&field, TAG_TICKET);
	struct reader parts = der_take(&ticket, TAG_SEQUENCE);
	(void)der_take(&parts, TAG_CONTEXT);
	struct reader realm = der_take(&parts, TAG_CONTEXT + 1);
	struct reader name = der_take(&parts, TAG_CONTEXT + 2);
	struct reader realm_text = der_take(&realm, TAG_STRING);
	if (!reader_ok(&realm) || !reader_ok(&name))
		return;
	t->kind = SMB_TOKEN_KERBEROS;
	smb_text_narrow(&t->domain, realm_text);
	read_principal(&t->user, name);
}

/* RFC 4120 section 5.2.2: cifs/server.example. */
static void
read_principal(struct smb_text *out, struct reader r)
{
	struct reader name = der_take(&r, TAG_SEQUENCE);
	(void)der_take(&name, TAG_CONTEXT); /* its type */
	struct reader field = der_take(&name, TAG_CONTEXT + 1);
	struct reader strings = der_take(&field, TAG_SEQUENCE);
	for (size_t i = 0; i < PRINCIPAL_PARTS_MAX && der_next_is(&strings, TAG_STRING); i++) {
		struct reader part = der_take(&strings, TAG_STRING);
		if (i > 0)
			smb_text_add(out, "/", 1);
		smb_text_add(out, part.next, part.left);
	}
}

/* The content of the next element, which must have this tag (X.690 section 8.1); else r is bad. */
static struct reader
der_take(struct reader *r, uint8_t tag)
{
	if (reader_u8(r) != tag)
		r->bad = true;
	size_t len = reader_u8(r);
	if (len > 0x80 && len <= 0x84) {
		size_t bytes = len - 0x80;
		for (len = 0; bytes > 0; bytes--)
			len = len << 8 | reader_u8(r);
	} else if (len >= 0x80) {
		r->bad = true;
	}
	return reader_sub(r, len);
}

static bool
der_next_is(const struct reader *r, uint8_t tag)
{
	return reader_ok(r) && r->left > 0 && r->next[0] == tag;
}
