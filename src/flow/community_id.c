#include "config.h"

/*
 * Community ID v1 (github.com/corelight/community-id-spec): one name for a conversation, the
 * same from every tool that saw it. SHA-1 is what the specification names; nothing rests on its
 * strength.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "flow/internal.h"

enum {
	DIGEST_SIZE = 20, /* SHA-1 */
	INPUT_MAX = 2 + 2 * 16 + 2 + 2 * 2,
	TEXT_MAX = 40,
};

/*
 * The digest is looked up and set up once, which would cost more than the hash. A flow is described several times
 * in a row, at its end and for each of its files: the last identifier is kept.
 */
struct community_id {
	EVP_MD_CTX *context; /* NULL: libcrypto has no SHA-1 */
	uint8_t input[INPUT_MAX];
	size_t len;          /* of input; 0: there is none yet */
	char text[TEXT_MAX]; /* of input */
};

/* Types in pairs: a question and its answer. */
static const uint8_t icmp4_pairs[][2] = { /* RFC 792, RFC 950, RFC 1256 */
	{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18},
};
static const uint8_t icmp6_pairs[][2] = { /* RFC 4443, 2710, 4861, 4620, 6275 */
	{128, 129}, {130, 131}, {133, 134}, {135, 136}, {139, 140}, {144, 145},
};

static bool map_ports(const struct flow_record *r, uint16_t port[2], bool *ordered);
static size_t put_ends(uint8_t *input, const struct flow_record *r);
static void hash_input(struct community_id *c);
static size_t put_addr(uint8_t *out, const struct flow_record *r, unsigned side);
static size_t put_u16(uint8_t *out, uint16_t value);

struct community_id *
community_id_create(void)
{
	struct community_id *c = calloc(1, sizeof *c);
	EVP_MD *digest = EVP_MD_fetch(NULL, "SHA1", NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (c != NULL && context != NULL && digest != NULL && EVP_DigestInit_ex2(context, digest, NULL) == 1) {
		c->context = context;
		context = NULL;
	}
	EVP_MD_CTX_free(context);
	EVP_MD_free(digest); /* a context keeps its own hold on it */
	return c;
}

void
community_id_destroy(struct community_id *c)
{
	if (c == NULL)
		return;
	EVP_MD_CTX_free(c->context);
	free(c);
}

int
community_id_icmp_answer(unsigned transport, unsigned type)
{
	const bool v4 = transport == IPPROTO_ICMP;
	const uint8_t(*pairs)[2] = v4 ? icmp4_pairs : icmp6_pairs;
	const size_t count = v4 ? sizeof icmp4_pairs / 2 : sizeof icmp6_pairs / 2;
	for (size_t i = 0; i < count; i++)
		for (unsigned k = 0; k < 2; k++)
			if (pairs[i][k] == type)
				return pairs[i][1 - k];
	return -1;
}

/*
 * What stands for ports; false: nothing does. An ICMP message that has no answer keeps its
 * direction: *ordered tells whether the lower end may go first.
 */
static bool
map_ports(const struct flow_record *r, uint16_t port[2], bool *ordered)
{
	*ordered = true;
	switch (r->transport) {
	case IPPROTO_TCP: case IPPROTO_UDP: case IPPROTO_SCTP:
		port[0] = r->side[0].port;
		port[1] = r->side[1].port;
		return true;
	case IPPROTO_ICMP: case IPPROTO_ICMPV6: {
		const int answer = community_id_icmp_answer(r->transport, r->icmp_type);
		port[0] = r->icmp_type;
		port[1] = answer >= 0 ? (uint16_t)answer : r->icmp_code;
		*ordered = answer >= 0;
		return true;
	}
	default:
		return false;
	}
}

static size_t
put_addr(uint8_t *out, const struct flow_record *r, unsigned side)
{
	const uint8_t *bytes = r->side[side].addr.bytes;
	if (r->ip_version == 4) {
		memcpy(out, bytes + 12, 4);
		return 4;
	}
	memcpy(out, bytes, 16);
	return 16;
}

static size_t
put_u16(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return 2;
}

void
community_id_write(struct community_id *c, const struct flow_record *r, char out[40])
{
	uint8_t input[INPUT_MAX] = {0};
	const size_t n = put_ends(input, r);

	if (n != c->len || memcmp(c->input, input, sizeof input) != 0) {
		memcpy(c->input, input, sizeof input);
		c->len = n;
		hash_input(c);
	}
	memcpy(out, c->text, TEXT_MAX);
}

/* What is hashed, in INPUT_MAX bytes of zeros; returns how many of them count. */
static size_t
put_ends(uint8_t *input, const struct flow_record *r)
{
	uint16_t port[2] = {0};
	bool ordered;
	const bool ports = map_ports(r, port, &ordered);
	int order = addr_compare(&r->side[0].addr, &r->side[1].addr);
	if (order == 0)
		order = (port[0] > port[1]) - (port[0] < port[1]);
	const unsigned first = ordered && order > 0 ? 1 : 0;

	size_t n = 2; /* the seed, 0 in two bytes, comes first */
	n += put_addr(input + n, r, first);
	n += put_addr(input + n, r, 1 - first);
	input[n] = r->transport;
	n += 2; /* and a byte of padding */
	if (ports) {
		n += put_u16(input + n, port[first]);
		n += put_u16(input + n, port[1 - first]);
	}
	return n;
}

static void
hash_input(struct community_id *c)
{
	uint8_t digest[DIGEST_SIZE];

	c->text[0] = '\0';
	if (c->context == NULL || EVP_DigestInit_ex2(c->context, NULL, NULL) != 1 ||
	        EVP_DigestUpdate(c->context, c->input, c->len) != 1 ||
	        EVP_DigestFinal_ex(c->context, digest, NULL) != 1)
		return;
	memcpy(c->text, "1:", 2);
	(void)EVP_EncodeBlock((unsigned char *)c->text + 2, digest, DIGEST_SIZE);
}

void
flow_community_id(const struct flow_record *r, char out[40])
{
	struct community_id *c = community_id_create();
	out[0] = '\0';
	if (c != NULL)
		community_id_write(c, r, out);
	community_id_destroy(c);
}
