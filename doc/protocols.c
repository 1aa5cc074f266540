/* Writes doc/protocols.md out of the table of protocols, so that it says what the program does. */
#include "config.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "proto/proto.h"

static bool named(size_t at);
static void rows(const char *name);
static bool told(size_t at);
static void transports(const struct proto *p);
static bool alike(const struct proto *a, const struct proto *b);
static const char *transport_name(uint8_t transport);
static const char *sentence(const char *text);

int
main(void)
{
	size_t names = 0;
	for (size_t i = 0; protos[i] != NULL; i++)
		names += !named(i);
	printf("# Protocols\n\n"
	       "waybill knows %zu protocols. Each is known by what it says, on any port; a port only decides where the bytes leave a\n"
	       "choice, as between DNS and mDNS; where the bytes say little (`fasp`, `teamviewer`) the usual port is asked for besides. *Read*: told as it stands in the packets. *Inferred*: concluded from sizes, directions and times, and\n"
	       "marked so (`waybill.transfer.basis`). *Not seen*: what a reader of the events must not expect. This page is written out of\n"
	       "the program's own table (`make protocols`).\n\n"
	       "| protocol | over | read | inferred | not seen |\n| --- | --- | --- | --- | --- |\n", names);
	for (size_t i = 0; protos[i] != NULL; i++)
		if (!named(i))
			rows(protos[i]->name);
	return fflush(stdout) == 0 ? 0 : 1;
}

/* Did an earlier row have this name? A protocol has a row for each transport. */
static bool
named(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(protos[i]->name, protos[at]->name) == 0)
			return true;
	return false;
}

/* A line for all transports over which the same is told of it. */
static void
rows(const char *name)
{
	for (size_t i = 0; protos[i] != NULL; i++) {
		if (strcmp(protos[i]->name, name) != 0 || told(i))
			continue;
		printf("| `%s` | ", name);
		transports(protos[i]);
		printf(" | %s | %s | %s |\n", sentence(protos[i]->reads), sentence(protos[i]->infers), sentence(protos[i]->misses));
	}
}

static bool
told(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (alike(protos[i], protos[at]))
			return true;
	return false;
}

static void
transports(const struct proto *p)
{
	const char *separator = "";
	for (size_t i = 0; protos[i] != NULL; i++)
		if (alike(protos[i], p)) {
			printf("%s%s", separator, transport_name(protos[i]->transport));
			separator = ", ";
		}
}

static bool
alike(const struct proto *a, const struct proto *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(sentence(a->reads), sentence(b->reads)) == 0 &&
	       strcmp(sentence(a->infers), sentence(b->infers)) == 0 && strcmp(sentence(a->misses), sentence(b->misses)) == 0;
}

static const char *
transport_name(uint8_t transport)
{
	switch (transport) {
	case IPPROTO_TCP: return "TCP";
	case IPPROTO_UDP: return "UDP";
	case IPPROTO_ICMP: return "ICMP";
	case IPPROTO_ICMPV6: return "ICMPv6";
	case IPPROTO_ESP: return "ESP";
	case IPPROTO_AH: return "AH";
	case IPPROTO_GRE: return "GRE";
	case IPPROTO_SCTP: return "SCTP";
	default: return "IP";
	}
}

static const char *
sentence(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "-";
}
