/* noop FILE: what every figure is a ratio to: libpcap reads the file, a callback adds up lengths. */
#include <pcap/pcap.h>
#include <stdio.h>

static void
add(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	(void)bytes;
	*(unsigned long long *)(void *)user += header->len;
}

int
main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	unsigned long long total = 0;
	pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
	if (p == NULL) {
		fprintf(stderr, "noop: %s\n", argc == 2 ? error : "usage: noop FILE");
		return 2;
	}
	pcap_loop(p, -1, add, (u_char *)&total);
	pcap_close(p);
	printf("%llu bytes\n", total);
	return 0;
}
