/* Cipher suites by their names (IANA's registry "TLS Cipher Suites"); rare ones have a number only. */
#include "config.h"

#include "proto/tls_handshake.h"

#include <stdio.h>
#include <stdlib.h>

struct suite {
	uint16_t number;
	const char *name;
};

static int compare(const void *number, const void *suite);

static const struct suite suites[] = { /* in order */
        {0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"},
        {0x0004, "TLS_RSA_WITH_RC4_128_MD5"},
        {0x0005, "TLS_RSA_WITH_RC4_128_SHA"},
        {0x0006, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5"},
        {0x0007, "TLS_RSA_WITH_IDEA_CBC_SHA"},
        {0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"},
        {0x0009, "TLS_RSA_WITH_DES_CBC_SHA"},
        {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
        {0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA"},
        {0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"},
        {0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA"},
        {0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"},
        {0x0018, "TLS_DH_anon_WITH_RC4_128_MD5"},
        {0x001b, "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA"},
        {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"},
        {0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"},
        {0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"},
        {0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA"},
        {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
        {0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA"},
        {0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"},
        {0x003a, "TLS_DH_anon_WITH_AES_256_CBC_SHA"},
        {0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
        {0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
        {0x0040, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256"},
        {0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
        {0x006a, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256"},
        {0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"},
        {0x006c, "TLS_DH_anon_WITH_AES_128_CBC_SHA256"},
        {0x006d, "TLS_DH_anon_WITH_AES_256_CBC_SHA256"},
        {0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA"},
        {0x008d, "TLS_PSK_WITH_AES_256_CBC_SHA"},
        {0x0090, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA"},
        {0x0091, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA"},
        {0x0096, "TLS_RSA_WITH_SEED_CBC_SHA"},
        {0x009a, "TLS_DHE_RSA_WITH_SEED_CBC_SHA"},
        {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
        {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
        {0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
        {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
        {0x00a2, "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256"},
        {0x00a3, "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384"},
        {0x00a6, "TLS_DH_anon_WITH_AES_128_GCM_SHA256"},
        {0x00a7, "TLS_DH_anon_WITH_AES_256_GCM_SHA384"},
        {0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256"},
        {0x00a9, "TLS_PSK_WITH_AES_256_GCM_SHA384"},
        {0x00aa, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256"},
        {0x00ab, "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384"},
        {0x00ae, "TLS_PSK_WITH_AES_128_CBC_SHA256"},
        {0x00af, "TLS_PSK_WITH_AES_256_CBC_SHA384"},
        {0x00b2, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256"},
        {0x00b3, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA384"},
        {0x1301, "TLS_AES_128_GCM_SHA256"},
        {0x1302, "TLS_AES_256_GCM_SHA384"},
        {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
        {0x1304, "TLS_AES_128_CCM_SHA256"},
        {0x1305, "TLS_AES_128_CCM_8_SHA256"},
        {0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"},
        {0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"},
        {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
        {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
        {0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"},
        {0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
        {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
        {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
        {0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"},
        {0xc019, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"},
        {0xc01d, "TLS_SRP_SHA_WITH_AES_128_CBC_SHA"},
        {0xc01e, "TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA"},
        {0xc020, "TLS_SRP_SHA_WITH_AES_256_CBC_SHA"},
        {0xc021, "TLS_SRP_SHA_RSA_WITH_AES_256_CBC_SHA"},
        {0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
        {0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
        {0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
        {0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
        {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
        {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
        {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
        {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
        {0xc035, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA"},
        {0xc036, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA"},
        {0xc037, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"},
        {0xc038, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384"},
        {0xc09c, "TLS_RSA_WITH_AES_128_CCM"},
        {0xc09d, "TLS_RSA_WITH_AES_256_CCM"},
        {0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM"},
        {0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM"},
        {0xc0a0, "TLS_RSA_WITH_AES_128_CCM_8"},
        {0xc0a1, "TLS_RSA_WITH_AES_256_CCM_8"},
        {0xc0a2, "TLS_DHE_RSA_WITH_AES_128_CCM_8"},
        {0xc0a3, "TLS_DHE_RSA_WITH_AES_256_CCM_8"},
        {0xc0a4, "TLS_PSK_WITH_AES_128_CCM"},
        {0xc0a5, "TLS_PSK_WITH_AES_256_CCM"},
        {0xc0a8, "TLS_PSK_WITH_AES_128_CCM_8"},
        {0xc0a9, "TLS_PSK_WITH_AES_256_CCM_8"},
        {0xc0aa, "TLS_PSK_DHE_WITH_AES_128_CCM_8"},
        {0xc0ab, "TLS_PSK_DHE_WITH_AES_256_CCM_8"},
        {0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"},
        {0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"},
        {0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"},
        {0xc0af, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"},
        {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
        {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
        {0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
        {0xccab, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256"},
        {0xccac, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"},
        {0xccad, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256"},
};

const char *
tls_cipher_name(uint16_t number, char text[TLS_CIPHER_MAX])
{
	const struct suite *found =
	        bsearch(&number, suites, sizeof suites / sizeof suites[0], sizeof suites[0], compare);
	if (found != NULL)
		return found->name;
	(void)snprintf(text, TLS_CIPHER_MAX, "0x%04x", number);
	return text;
}

static int
compare(const void *number, const void *suite)
{
	const uint16_t *a = number;
	const struct suite *b = suite;
	return (int)*a - (int)b->number;
}
