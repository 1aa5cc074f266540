/*
 * Servers of names, tickets and tables, by name and, where it stands there, the account: LDAP (RFC 4511 section
 * 4.1.1), Kerberos (RFC 4120 section 7.2.2), MySQL (its manual's "Connection Phase"), PostgreSQL (its manual, section
 * 55.7, StartupMessage).
 */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "base/reader.h"
#include "proto/ber.h"
#include "proto/plain.h"

enum {
	PGSQL_VERSION = 0x00030000, PGSQL_SSL = 80877103, PGSQL_GSS = 80877104,
	PGSQL_MAX = 1024,
	MYSQL_LEAST = 45, MYSQL_MAX = 512, /* of a greeting */
};

static bool is_mysql_greeting(struct reader r, size_t len);

static enum verdict
ldap_probe(const struct probe *p)
{
	for (size_t side = 0; side < 2; side++) {
		struct reader r = reader_init(p->bytes[side], p->len[side]);
		if (r.left == 0)
			continue;
		if (r.next[0] != BER_SEQUENCE)
			return VERDICT_NOT_MINE;
		if (r.left < 14)
			return ber_is_ldap(r, false) ? VERDICT_DONE : VERDICT_MORE;
		return plain_verdict(ber_is_ldap(r, false));
	}
	return VERDICT_MORE;
}

/* Its length before it. */
static enum verdict
kerberos_probe(const struct probe *p)
{
	for (size_t side = 0; side < 2; side++) {
		struct reader r = reader_init(p->bytes[side], p->len[side]);
		if (r.left == 0)
			continue;
		if (reader_be32(&r) > 1 << 20)
			return VERDICT_NOT_MINE;
		if (r.left < 16)
			return p->bytes[side][0] == 0 && (r.left == 0 || (r.next[0] & 0xe0) == 0x60) ? VERDICT_MORE
			                                                                         : VERDICT_NOT_MINE;
		return plain_verdict(ber_is_kerberos(r));
	}
	return VERDICT_MORE;
}

/* The server greets: packet 0, protocol 10, a version as text. */
static enum verdict
mysql_probe(const struct probe *p)
{
	const size_t len = p->len[SIDE_DESTINATION];
	struct reader r = reader_init(p->bytes[SIDE_DESTINATION], len);
	if (len == 0)
		return p->len[SIDE_SOURCE] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	const uint32_t length = (uint32_t)reader_u8(&r) | (uint32_t)reader_u8(&r) << 8 | (uint32_t)reader_u8(&r) << 16;
	if (len < 3)
		return VERDICT_MORE;
	if (length < MYSQL_LEAST || length > MYSQL_MAX)
		return VERDICT_NOT_MINE;
	if (r.left < length + 1)
		return r.left == 0 || (r.next[0] == 0 && (r.left == 1 || r.next[1] == 10)) ? VERDICT_MORE : VERDICT_NOT_MINE;
	return plain_verdict(is_mysql_greeting(r, length));
}

static enum verdict
mysql_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct session *s = state;
	if (from != SIDE_DESTINATION || len < MYSQL_LEAST)
		return VERDICT_DONE;
	const char *version = (const char *)bytes + 5;
	session_server(s, version, strnlen(version, len - 5));
	return VERDICT_DONE;
}

/* The client asks for version 3, with names and values, or for TLS before. */
static enum verdict
pgsql_probe(const struct probe *p)
{
	const size_t have = p->len[SIDE_SOURCE];
	struct reader r = reader_init(p->bytes[SIDE_SOURCE], have);
	if (have == 0)
		return p->len[SIDE_DESTINATION] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	const uint32_t length = reader_be32(&r), code = reader_be32(&r);
	if (have < 8)
		return p->bytes[SIDE_SOURCE][0] == 0 ? VERDICT_MORE : VERDICT_NOT_MINE;
	if (code == PGSQL_SSL || code == PGSQL_GSS)
		return plain_verdict(length == 8 && have == 8);
	if (code != PGSQL_VERSION || length < 9 + 5 || length > PGSQL_MAX)
		return VERDICT_NOT_MINE;
	if (have < length)
		return VERDICT_MORE;
	return plain_verdict(have == length && memmem(r.next, r.left, "user", 5) != NULL && r.next[r.left - 1] == 0);
}

static enum verdict
pgsql_data(void *state, enum side from, const uint8_t *bytes, size_t len)
{
	struct session *s = state;
	struct reader r = reader_init(bytes, len);
	if (from == SIDE_DESTINATION) { /* "S": TLS follows */
		if (len != 1)
			return VERDICT_DONE;
		session_switch(s, 0);
		return bytes[0] == 'S' ? VERDICT_SWITCH : VERDICT_MORE;
	}
	reader_skip(&r, 4);
	if (reader_be32(&r) != PGSQL_VERSION)
		return VERDICT_MORE;
	while (r.left > 1) {
		const char *name = (const char *)r.next;
		const size_t name_len = strnlen(name, r.left);
		reader_skip(&r, name_len + 1);
		const char *value = (const char *)r.next;
		const size_t value_len = reader_ok(&r) ? strnlen(value, r.left) : 0;
		reader_skip(&r, value_len + 1);
		if (reader_ok(&r) && name_len == 4 && memcmp(name, "user", 4) == 0)
			session_account(s, value, value_len);
		if (reader_ok(&r) && name_len == 8 && memcmp(name, "database", 8) == 0)
			session_service(s, value, value_len);
	}
	return VERDICT_DONE;
}

#define DIRECTORY(symbol, title, what, missing, take, hint, ...) \
	const struct proto proto_##symbol = { \
	        .name = title, .transport = IPPROTO_TCP, .ports = {hint, __VA_ARGS__}, \
	        .reads = what, .infers = "", .misses = missing, \
	        .probe = symbol##_probe, .open = plain_open, .data = take, .gap = plain_gap, \
	        .close = plain_close, \
	}

DIRECTORY(ldap, "ldap", "that it is spoken", "who binds, what is looked up", plain_done, 389, 3268);
DIRECTORY(kerberos, "kerberos", "that it is spoken", "what it says", plain_done, 88, 464);
DIRECTORY(mysql, "mysql", "the server's version", "accounts, statements, rows", mysql_data, 3306, 3307);
DIRECTORY(pgsql, "pgsql", "account, database", "statements, rows, bulk copies", pgsql_data, 5432, 5433);

/* A version ends with a zero, and begins with a digit; ten bytes before the end of the salt are zero. */
static bool
is_mysql_greeting(struct reader r, size_t len)
{
	const uint8_t number = reader_u8(&r), protocol = reader_u8(&r);
	const uint8_t *version = r.next;
	const uint8_t *end = memchr(version, 0, r.left < len ? r.left : len);
	if (number != 0 || protocol != 10 || end == NULL || end == version || version[0] < '0' || version[0] > '9')
		return false;
	for (const uint8_t *at = version; at < end; at++)
		if (*at < ' ' || *at > '~')
			return false;
	return (size_t)(end - version) < 64;
}
