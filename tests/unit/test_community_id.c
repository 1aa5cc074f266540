#include "config.h"

/* Community ID v1 against the reference values that its specification publishes (seed 0). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "flow/internal.h"

struct vector {
	uint8_t transport;
	const char *source, *destination;
	uint16_t from, to; /* ports; ICMP: type and, where it has no answer, code */
	const char *id;
};

static const struct vector vectors[] = {
	{6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	{6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
	        "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
	{17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
	{17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
	{132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
	{132, "192.168.170.56", "192.168.170.8", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
	{46, "10.1.12.1", "10.1.12.2", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
	{46, "10.1.12.2", "10.1.12.1", 0, 0, "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
	{1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	{1, "192.168.0.1", "192.168.0.89", 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
	{1, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM="},
	{58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0,
	        "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
	{58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0,
	        "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
	{58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 0,
	        "1:zavyT/cezQr1fmImYCwYnMXbgck="},
	{58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0,
	        "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="},
	{58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4,
	        "1:hLZd0XGWojozrvxqE0dWB1iM6R0="},
	{58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 0,
	        "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
	{58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 0, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="},
	{58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 0, "1:pkvHqCL88/tg1k4cPigmZXUtL00="},
};

static struct flow_record
record_of(const struct vector *v)
{
	const bool icmp = v->transport == 1 || v->transport == 58;
	struct flow_record r = {.transport = v->transport};
	assert_int_equal(addr_parse(v->source, &r.side[0].addr), 0);
	assert_int_equal(addr_parse(v->destination, &r.side[1].addr), 0);
	r.ip_version = addr_is_v4(&r.side[0].addr) ? 4 : 6;
	if (icmp) {
		r.icmp_type = (uint8_t)v->from;
		r.icmp_code = (uint8_t)v->to;
	} else {
		r.side[0].port = v->from;
		r.side[1].port = v->to;
	}
	return r;
}

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		struct flow_record r = record_of(&vectors[i]);
		char id[40];
		flow_community_id(&r, id);
		assert_string_equal(id, vectors[i].id);
	}
}

/* By one writer, as a flow table has it: what it keeps of one flow is not told of another. */
static void
test_vectors_in_turn(void **state)
{
	struct community_id *c = community_id_create();
	char id[40];
	(void)state;

	assert_non_null(c);
	for (size_t i = 0; i < 3 * (sizeof vectors / sizeof vectors[0]); i++) {
		const struct vector *v = &vectors[i / 3];
		struct flow_record r = record_of(v);
		community_id_write(c, &r, id);
		assert_string_equal(id, v->id);
		if (i % 3 == 1) {
			struct flow_record other = record_of(&vectors[0]);
			community_id_write(c, &other, id);
			assert_string_equal(id, vectors[0].id);
		}
	}
	community_id_destroy(c);
	community_id_destroy(NULL);
}

/* An IPv4-mapped address in an IPv6 header is 16 bytes of input, not 4. */
static void
test_mapped(void **state)
{
	(void)state;
	struct flow_record r = {.transport = 6, .ip_version = 4};
	assert_int_equal(addr_parse("192.0.2.1", &r.side[0].addr), 0);
	assert_int_equal(addr_parse("192.0.2.2", &r.side[1].addr), 0);
	char v4[40], v6[40];
	flow_community_id(&r, v4);
	r.ip_version = 6;
	flow_community_id(&r, v6);
	assert_string_not_equal(v4, v6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_vectors_in_turn),
		cmocka_unit_test(test_mapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
