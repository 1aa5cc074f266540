/*
 * What a network says to keep itself going, in datagrams: each is told by its name alone, by the first datagram that
 * has its whole form. DHCP (RFC 2131), DHCPv6 (RFC 8415), NTP (RFC 5905), SNMP (RFC 1157, RFC 3416, RFC 3412), syslog
 * (RFC 3164, RFC 5424), SSDP (UPnP Device Architecture), NetBIOS names and datagrams (RFC 1002), RIP (RFC 2453), LDAP
 * without a connection (MS-ADTS section 6.3.3), Kerberos (RFC 4120) and Dropbox' calls in the local network.
 *
 * Of NTP, DHCPv6 and RIP the form is weak: they are only believed at their ports.
 */
#include "config.h"

#include <netinet/in.h>
#include <string.h>

#include "base/reader.h"
#include "base/text.h"
#include "proto/ber.h"
#include "proto/plain.h"

enum { PORT_NTP = 123, PORT_DHCPV6 = 547, PORT_RIP = 520 };

static bool starts(struct reader r, const char *word);

static bool
is_dhcp(struct reader r)
{
	const uint8_t op = reader_u8(&r), hardware = reader_u8(&r), len = reader_u8(&r);
	reader_skip(&r, 236 - 3);
	/* who asks for another's lease names no hardware (RFC 4388 section 6.1) */
	return reader_be32(&r) == 0x63825363 && reader_ok(&r) && (op == 1 || op == 2) && (hardware != 0 || len == 0) && len <= 16;
}

/* A message and its options, which fill it. */
static bool
is_dhcpv6(struct reader r)
{
	const uint8_t type = reader_u8(&r);
	unsigned options = 0;
	reader_skip(&r, type == 12 || type == 13 ? 33 : 3); /* relays have two addresses */
	while (reader_ok(&r) && r.left > 0) {
		const uint16_t option = reader_be16(&r);
		reader_skip(&r, reader_be16(&r));
		if (option == 0 || option > 200)
			return false;
		options++;
	}
	return reader_ok(&r) && type >= 1 && type <= 13 && options > 0;
}

static bool
is_ntp(struct reader r)
{
	const size_t len = r.left;
	const uint8_t first = reader_u8(&r), stratum = reader_u8(&r);
	const unsigned version = first >> 3 & 7, mode = first & 7;
	if (version < 1 || version > 4 || mode == 0)
		return false;
	if (mode >= 6) /* control (RFC 9327), private */
		return len >= 8;
	return len >= 48 && len % 4 == 0 && stratum <= 16;
}

static bool
is_snmp(struct reader r)
{
	struct reader message = ber_take(&r, BER_SEQUENCE);
	uint32_t version;
	if (!ber_integer(&message, &version) || r.left > 0)
		return false;
	if (version == 3)
		return reader_ok(&message) && message.left > 2 && message.next[0] == BER_SEQUENCE;
	struct reader community = ber_take(&message, BER_OCTETS);
	return reader_ok(&community) && reader_ok(&message) && version <= 1 && message.left > 2 &&
	       message.next[0] >= 0xa0 && message.next[0] <= 0xa8;
}

/* A priority, then text. */
static bool
is_syslog(struct reader r)
{
	unsigned priority = 0, digits = 0;
	if (reader_u8(&r) != '<')
		return false;
	for (; r.left > 0 && *r.next >= '0' && *r.next <= '9' && digits < 4; digits++)
		priority = priority * 10 + (unsigned)(reader_u8(&r) - '0');
	if (digits == 0 || digits > 3 || priority > 191 || reader_u8(&r) != '>' || r.left == 0)
		return false;
	for (size_t i = 0; i < r.left && i < 16; i++)
		if (r.next[i] < ' ' || r.next[i] == 0x7f)
			return false;
	return true;
}

static bool
is_ssdp(struct reader r)
{
	return starts(r, "M-SEARCH * HTTP/1.") || starts(r, "NOTIFY * HTTP/1.") || starts(r, "HTTP/1.1 200 OK\r\n");
}

/* RFC 1002 section 4.2.1: a header as DNS has it, and a name of 32 letters A to P. */
static bool
is_nbns(struct reader r)
{
	const uint8_t *h = reader_take(&r, 12);
	const uint8_t *name = reader_take(&r, 33);
	if (name == NULL || name[0] != 32 || h[4] != 0 || h[5] + h[6] + h[7] == 0)
		return false;
	for (size_t i = 1; i <= 32; i++)
		if (name[i] < 'A' || name[i] > 'P')
			return false;
	return true;
}

/* Section 4.4.1: type, flags, and then the sender's own address and port (0 of Windows 98), a length that fits, a name. */
static bool
is_nbdgm(struct reader r)
{
	const size_t len = r.left;
	const uint8_t type = reader_u8(&r), flags = reader_u8(&r);
	reader_skip(&r, 2 + 4);
	const uint16_t port = reader_be16(&r), length = reader_be16(&r);
	reader_skip(&r, 2);
	const uint8_t name = reader_u8(&r), *letters = reader_take(&r, 32);
	for (size_t i = 0; letters != NULL && i < 32; i++)
		if (letters[i] < 'A' || letters[i] > 'P')
			return false;
	return reader_ok(&r) && type >= 0x10 && type <= 0x12 && flags < 0x10 && (port == 138 || port == 0) && name == 32 && length <= len;
}

static bool
is_rip(struct reader r)
{
	const uint8_t command = reader_u8(&r), version = reader_u8(&r);
	const uint16_t zero = reader_be16(&r);
	return reader_ok(&r) && command >= 1 && command <= 2 && version >= 1 && version <= 2 &&
	       (zero == 0 || version == 1) && r.left > 0 && r.left % 20 == 0;
}

static bool
is_cldap(struct reader r)
{
	return ber_is_ldap(r, true);
}

static bool
is_kerberos(struct reader r)
{
	return ber_is_kerberos(r);
}

static bool
is_dropbox(struct reader r)
{
	return starts(r, "{\"") && memmem(r.next, r.left < 256 ? r.left : 256, "\"host_int\":", 11) != NULL;
}

static bool
starts(struct reader r, const char *word)
{
	const size_t len = strlen(word);
	return r.left >= len && memcmp(r.next, word, len) == 0;
}

#define HOUSEHOLD(symbol, title, test, only, hint, ...) \
	static enum verdict symbol##_probe(const struct probe *p) \
	{ \
		const enum side side = plain_side(p); \
		if ((only) != 0 && !plain_port(p, only)) \
			return VERDICT_NOT_MINE; \
		return plain_verdict(test(reader_init(p->bytes[side], p->len[side]))); \
	} \
	const struct proto proto_##symbol = { \
	        .name = title, .transport = IPPROTO_UDP, .ports = {hint, __VA_ARGS__}, \
	        .reads = "that it is spoken", .infers = "", .misses = "what it says", \
	        .probe = symbol##_probe, .glance = plain_glance, .open = plain_open, .data = plain_done, \
	        .gap = plain_gap, .close = plain_close, \
	}

HOUSEHOLD(dhcp, "dhcp", is_dhcp, 0, 67, 68);
HOUSEHOLD(dhcpv6, "dhcpv6", is_dhcpv6, PORT_DHCPV6, PORT_DHCPV6, 0);
HOUSEHOLD(ntp, "ntp", is_ntp, PORT_NTP, PORT_NTP, 0);
HOUSEHOLD(snmp, "snmp", is_snmp, 0, 161, 162);
HOUSEHOLD(syslog, "syslog", is_syslog, 0, 514, 0);
HOUSEHOLD(ssdp, "ssdp", is_ssdp, 0, 1900, 0);
HOUSEHOLD(nbns, "nbns", is_nbns, 0, 137, 0);
HOUSEHOLD(nbdgm, "nbdgm", is_nbdgm, 0, 138, 0);
HOUSEHOLD(rip, "rip", is_rip, PORT_RIP, PORT_RIP, 0);
HOUSEHOLD(cldap, "cldap", is_cldap, 0, 389, 0);
HOUSEHOLD(kerberos_udp, "kerberos", is_kerberos, 0, 88, 0);
HOUSEHOLD(dropbox_lan, "db-lsp-disc", is_dropbox, 0, 17500, 0);
