#include "config.h"

#include "attribution/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Anybody's bytes as a database: checked, surveyed, and asked, as at a start. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const countries[] = {"KP", "US"};
	static const uint32_t asns[] = {131279};
	const struct geo_wanted wanted = {countries, 2, asns, 1};
	const char *reason;
	struct mmdb *m = mmdb_open_bytes(bytes, len, &reason);
	struct geo *g = m != NULL ? geo_create(m, &wanted, NULL, NULL, &reason) : NULL;
	for (unsigned i = 0; g != NULL && i < 64; i++) {
		struct geo_facts facts;
		unsigned bits;
		const uint8_t v4[4] = {(uint8_t)(i * 4), (uint8_t)(i * 37), 2, 1};
		const uint8_t v6[16] = {(uint8_t)(i * 4), (uint8_t)(i * 37), 0x0d, 0xb8};
		struct addr a = i % 2 == 0 ? addr_from_v4(v4) : addr_from_v6(v6);
		(void)geo_find(g, &a, &facts, &bits);
	}
	geo_destroy(g);
	return 0;
}
