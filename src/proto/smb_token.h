/* Who logs on: NTLMSSP messages (MS-NLMP 2.2.1) and the AP-REQ of Kerberos (RFC 4120 section 5.5.1) in a security blob. */
#ifndef WAYBILL_PROTO_SMB_TOKEN_H
#define WAYBILL_PROTO_SMB_TOKEN_H

#include <stdbool.h>

#include "base/reader.h"
#include "proto/smb_text.h"

enum smb_token_kind {
	SMB_TOKEN_NONE,
	SMB_TOKEN_NEGOTIATE,
	SMB_TOKEN_CHALLENGE,
	SMB_TOKEN_AUTHENTICATE,
	SMB_TOKEN_KERBEROS,
};

struct smb_token {
	enum smb_token_kind kind;
	/*
	 * By kind. AUTHENTICATE: user, domain, workstation. CHALLENGE: domain and workstation are the server's. KERBEROS: user is
	 * the service that the ticket is for, domain its realm; who holds it is encrypted.
	 */
	struct smb_text user, domain, workstation;
	bool has_version;
	uint8_t major, minor; /* of the operating system, as this end claims */
	uint16_t build;
};

/* Finds it, whatever it is wrapped in (SPNEGO, GSS-API). */
void smb_token_read(struct smb_token *t, struct reader blob);

#endif
