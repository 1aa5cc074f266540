#include "config.h"

#include "proto/tls_certificate.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { /* identifier octets (X.690 section 8.1.2) */
	DER_INTEGER = 0x02,
	DER_OCTETS = 0x04,
	DER_OID = 0x06,
	DER_BMP = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_VERSION = 0xa0,    /* [0] of TBSCertificate */
	DER_EXTENSIONS = 0xa3, /* [3] of it */
	DER_DNS_NAME = 0x82,   /* [2] of GeneralName */
	DER_IP_ADDRESS = 0x87, /* [7] of it */
};

enum { /* last octet of 2.5.4.x (RFC 5280 appendix A.1) and of 2.5.29.x (section 4.2.1.6) */
	ATTRIBUTE_COMMON_NAME = 3,
	ATTRIBUTE_ORGANIZATION = 10,
	EXTENSION_ALTERNATIVES = 17,
};

struct name { /* text that grows */
	char *text;
	size_t len;
};

static struct reader der_next(struct reader *r, uint8_t *tag);
static struct reader der_take(struct reader *r, uint8_t tag);
static void der_option(struct reader *r, uint8_t tag, struct reader *out);
static void read_name(struct reader rdns, char text[TLS_NAME_MAX]);
static void add_attribute(struct reader rdns, uint8_t wanted, const char *label, struct name *name);
static void add_value(struct name *name, uint8_t tag, struct reader value);
static void add_bytes(struct name *name, const char *bytes, size_t len);
static struct reader find_alternatives(struct reader extensions);

int
tls_certificate_read(struct reader der, struct tls_certificate *out)
{
	struct reader certificate = der_take(&der, DER_SEQUENCE);
	struct reader tbs = der_take(&certificate, DER_SEQUENCE);
	struct reader skipped = {0}, wrapped = {0};

	*out = (struct tls_certificate){.alternatives = {0}};
	der_option(&tbs, DER_VERSION, &skipped);
	(void)der_take(&tbs, DER_INTEGER);  /* serial number */
	(void)der_take(&tbs, DER_SEQUENCE); /* signature algorithm */
	struct reader issuer = der_take(&tbs, DER_SEQUENCE);
	(void)der_take(&tbs, DER_SEQUENCE); /* validity */
	struct reader subject = der_take(&tbs, DER_SEQUENCE);
	(void)der_take(&tbs, DER_SEQUENCE); /* public key */
	if (!reader_ok(&tbs))
		return -1;
	while (tbs.left > 0) { /* unique identifiers, which nobody uses, and extensions */
		uint8_t tag;
		struct reader body = der_next(&tbs, &tag);
		if (tag == DER_EXTENSIONS)
			wrapped = body;
	}
	read_name(issuer, out->issuer);
	read_name(subject, out->subject);
	if (wrapped.left > 0)
		out->alternatives = find_alternatives(der_take(&wrapped, DER_SEQUENCE));
	return 0;
}

const char *
tls_certificate_alternative(struct tls_certificate *c, char address[TLS_ADDRESS_MAX], size_t *len)
{
	while (c->alternatives.left > 0) {
		uint8_t tag;
		struct reader name = der_next(&c->alternatives, &tag);
		bool is_address = tag == DER_IP_ADDRESS && (name.left == 4 || name.left == 16);
		if (is_address && inet_ntop(name.left == 4 ? AF_INET : AF_INET6, name.next, address,
		                          TLS_ADDRESS_MAX) != NULL) {
			*len = strlen(address);
			return address;
		}
		if (tag == DER_DNS_NAME && name.left > 0) {
			*len = name.left;
			return (const char *)name.next;
		}
	}
	return NULL;
}

/* The next element, whatever it is; an empty bad one at the end. Lengths are definite (X.690 section 10.1). */
static struct reader
der_next(struct reader *r, uint8_t *tag)
{
	*tag = reader_u8(r);
	size_t len = reader_u8(r);
	if (len == 0x81)
		len = reader_u8(r);
	else if (len == 0x82)
		len = reader_be16(r);
	else if (len == 0x83)
		len = reader_be24(r);
	else if (len >= 0x80)
		len = SIZE_MAX;
	return reader_sub(r, len);
}

/* The next element, which must have this tag. */
static struct reader
der_take(struct reader *r, uint8_t tag)
{
	uint8_t found;
	struct reader body = der_next(r, &found);
	if (found == tag)
		return body;
	r->bad = true;
	r->left = 0;
	return (struct reader){.bad = true};
}

/* The same of one that may be missing. */
static void
der_option(struct reader *r, uint8_t tag, struct reader *out)
{
	if (r->left > 0 && r->next[0] == tag)
		*out = der_take(r, tag);
}

/* The common name and the organization stand for the rest of a distinguished name, in the order of RFC 4514. */
static void
read_name(struct reader rdns, char text[TLS_NAME_MAX])
{
	struct name name = {.text = text};
	text[0] = '\0';
	add_attribute(rdns, ATTRIBUTE_COMMON_NAME, "CN=", &name);
	add_attribute(rdns, ATTRIBUTE_ORGANIZATION, ", O=", &name);
}

/* Adds the first value of this attribute, if there is one. */
static void
add_attribute(struct reader rdns, uint8_t wanted, const char *label, struct name *name)
{
	while (rdns.left > 0) {
		struct reader set = der_take(&rdns, DER_SET);
		while (set.left > 0) {
			struct reader pair = der_take(&set, DER_SEQUENCE);
			struct reader oid = der_take(&pair, DER_OID);
			uint8_t tag;
			struct reader value = der_next(&pair, &tag);
			if (!reader_ok(&pair) || oid.left != 3 || oid.next[0] != 0x55 || oid.next[1] != 0x04 ||
			        oid.next[2] != wanted || value.left == 0)
				continue;
			if (name->len == 0 && label[0] == ',')
				label += 2;
			add_bytes(name, label, strlen(label));
			add_value(name, tag, value);
			return;
		}
	}
}

/* Characters that would read as the end of a value get a backslash (RFC 4514 section 2.4). */
static void
add_value(struct name *name, uint8_t tag, struct reader value)
{
	while (value.left > 0) {
		uint16_t c = tag == DER_BMP ? reader_be16(&value) : reader_u8(&value);
		char utf8[] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f))};
		if (c < 0x80 && strchr(",+\"\\<>;", c) != NULL && c != 0)
			add_bytes(name, "\\", 1);
		if (tag == DER_BMP && c >= 0x800) {
			add_bytes(name, utf8, 3);
		} else if (tag == DER_BMP && c >= 0x80) {
			utf8[1] = (char)(0xc0 | c >> 6);
			add_bytes(name, utf8 + 1, 2);
		} else if (c != 0) {
			utf8[0] = (char)c;
			add_bytes(name, utf8, 1);
		}
	}
}

/* What is too long is cut. */
static void
add_bytes(struct name *name, const char *bytes, size_t len)
{
	if (len > TLS_NAME_MAX - 1 - name->len)
		return;
	memcpy(name->text + name->len, bytes, len);
	name->len += len;
	name->text[name->len] = '\0';
}

/* The names in subjectAltName (RFC 5280 section 4.2.1.6). */
static struct reader
find_alternatives(struct reader extensions)
{
	while (extensions.left > 0) {
		struct reader extension = der_take(&extensions, DER_SEQUENCE);
		struct reader oid = der_take(&extension, DER_OID);
		uint8_t tag;
		struct reader value = der_next(&extension, &tag);
		if (tag != DER_OCTETS) /* whether it is critical */
			value = der_take(&extension, DER_OCTETS);
		if (reader_ok(&extension) && oid.left == 3 && oid.next[0] == 0x55 && oid.next[1] == 0x1d &&
		        oid.next[2] == EXTENSION_ALTERNATIVES)
			return der_take(&value, DER_SEQUENCE);
	}
	return (struct reader){0};
}
