/*
 * hash FILE [PORT...]: the no-op loop, and SHA-256 of every TCP payload byte but those of
 * connections with these ports: what hashing the same bytes costs at the least.
 */
#include <openssl/evp.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct hash {
	EVP_MD_CTX *digest;
	bool skipped[65536]; /* by port */
	unsigned long long total, hashed;
};

static unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* The generator's frames: Ethernet, IP without options or extension headers, whole. */
static void
add(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct hash *h = (struct hash *)(void *)user;
	const uint8_t *ip = bytes + 14;
	bool v6 = header->caplen > 54 && get16(bytes + 12) == 0x86dd;
	size_t ip_len = v6 ? 40 : 20, packet = header->caplen - 14;

	h->total += header->len;
	if (header->caplen < 54 || (v6 ? ip[6] : ip[9]) != 6 || packet < ip_len + 20)
		return;
	const uint8_t *tcp = ip + ip_len;
	size_t head = ip_len + (tcp[12] >> 4) * 4u;
	if (packet <= head || h->skipped[get16(tcp)] || h->skipped[get16(tcp + 2)])
		return;
	EVP_DigestUpdate(h->digest, ip + head, packet - head);
	h->hashed += packet - head;
}

int
main(int argc, char **argv)
{
	static struct hash h;
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *p = argc >= 2 ? pcap_open_offline(argv[1], error) : NULL;
	if (p == NULL) {
		fprintf(stderr, "hash: %s\n", argc >= 2 ? error : "usage: hash FILE [PORT...]");
		return 2;
	}
	for (int i = 2; i < argc; i++)
		h.skipped[strtoul(argv[i], NULL, 10) & 0xffff] = true;
	h.digest = EVP_MD_CTX_new();
	if (h.digest == NULL || EVP_DigestInit_ex(h.digest, EVP_sha256(), NULL) != 1) {
		fprintf(stderr, "hash: no SHA-256\n");
		return 1;
	}
	pcap_loop(p, -1, add, (u_char *)&h);
	pcap_close(p);
	EVP_MD_CTX_free(h.digest);
	printf("%llu bytes, %llu hashed\n", h.total, h.hashed);
	return 0;
}
