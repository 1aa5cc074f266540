#include "config.h"

/*
 * Expectations and carriers: which flows are taken for the announced one, what their owner is told, and
 * that every owner is released once.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "transfer/transfer.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

enum { LIFETIME = 60 };

struct owner {
	char log[256];
	int released;
};

static void
say(struct owner *o, const char *format, ...)
{
	va_list args;
	size_t len = strlen(o->log);
	va_start(args, format);
	vsnprintf(o->log + len, sizeof o->log - len, format, args);
	va_end(args);
}

static void
on_open(void *owner, struct session *data)
{
	assert_non_null(data);
	say(owner, "open;");
}

static void
on_data(void *owner, struct session *data, enum side from, const uint8_t *bytes, size_t len)
{
	assert_non_null(data);
	say(owner, "%d:%.*s;", from, (int)len, (const char *)bytes);
}

static void
on_gap(void *owner, struct session *data, enum side from, uint64_t len)
{
	assert_non_null(data);
	say(owner, "%d gap %d;", from, (int)len);
}

static void
on_end(void *owner, struct session *data, enum side from, bool reset)
{
	assert_non_null(data);
	say(owner, "%d %s;", from, reset ? "reset" : "end");
}

static void
on_release(void *owner)
{
	((struct owner *)owner)->released++;
}

static const struct carrier_ops carrier_ops = {on_open, on_data, on_gap, on_end, on_release};

static void
ignore(void *ctx, const struct transfer_record *r)
{
	(void)ctx;
	(void)r;
}

static void
on_flow(void *ctx, void *flow, struct flow_record *out)
{
	(void)ctx;
	(void)flow;
	(void)out;
}

static void
on_ends(void *ctx, void *flow, struct session_ends *out)
{
	(void)ctx;
	*out = *(const struct session_ends *)flow;
}

static const struct transfer_ops ops = {
	.began = ignore, .grew = ignore, .ended = ignore, .flow = on_flow, .ends = on_ends};

static struct transfer_tracker *
tracker(void)
{
	struct transfer_tracker *t = transfer_tracker_create(&(struct transfer_limits){0}, &ops, NULL);
	assert_non_null(t);
	return t;
}

static struct session *
session(struct transfer_tracker *t, const char *from, uint16_t from_port, const char *to, uint16_t to_port,
        int64_t seconds)
{
	static struct session_ends flows[8];
	static size_t opened;
	struct session_ends *ends = &flows[opened++ % COUNT(flows)];
	*ends = (struct session_ends){.port = {from_port, to_port}, .transport = IPPROTO_TCP};
	assert_int_equal(addr_parse(from, &ends->addr[0]), 0);
	assert_int_equal(addr_parse(to, &ends->addr[1]), 0);
	struct session *s = session_open(t, ends, false, seconds * CLOCK_SECOND);
	assert_non_null(s);
	return s;
}

static int
expect(struct session *control, const char *from, const char *to, uint16_t port, struct owner *o)
{
	struct expectation e = {.any_from = from == NULL, .to_port = port, .transport = IPPROTO_TCP,
	        .lifetime = LIFETIME * CLOCK_SECOND};
	if (from != NULL)
		assert_int_equal(addr_parse(from, &e.from), 0);
	assert_int_equal(addr_parse(to, &e.to), 0);
	return session_expect(control, &e, &carrier_ops, o);
}

/* An expectation of a connection to 198.51.100.2 port 2000, and flows that are it or are not. */
static const struct {
	const char *what, *expected_from, *from, *to;
	uint16_t from_port, to_port;
	int64_t after; /* seconds */
	bool taken;
} flows[] = {
	{"the one", "192.0.2.1", "192.0.2.1", "198.51.100.2", 40000, 2000, 1, true},
	{"its first packet came from the listener", "192.0.2.1", "198.51.100.2", "192.0.2.1", 2000, 40000, 1, true},
	{"another port", "192.0.2.1", "192.0.2.1", "198.51.100.2", 40000, 2001, 1, false},
	{"another target", "192.0.2.1", "192.0.2.1", "198.51.100.3", 40000, 2000, 1, false},
	{"from elsewhere", "192.0.2.1", "192.0.2.9", "198.51.100.2", 40000, 2000, 1, false},
	{"from anywhere", NULL, "192.0.2.9", "198.51.100.2", 40000, 2000, 1, true},
	{"the last moment", "192.0.2.1", "192.0.2.1", "198.51.100.2", 40000, 2000, LIFETIME - 1, true},
	{"too late", "192.0.2.1", "192.0.2.1", "198.51.100.2", 40000, 2000, LIFETIME, false},
};

static void
test_which(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(flows); i++) {
		struct owner o = {0};
		struct transfer_tracker *t = tracker();
		struct session *control = session(t, "192.0.2.1", 1000, "198.51.100.2", 21, 0);
		assert_int_equal(expect(control, flows[i].expected_from, "198.51.100.2", 2000, &o), 0);
		struct session *data = session(t, flows[i].from, flows[i].from_port, flows[i].to,
		        flows[i].to_port, flows[i].after);
		struct carrier *c = session_carrier(data);
		if ((c != NULL) != flows[i].taken)
			fail_msg("%s", flows[i].what);
		if (c != NULL) {
			assert_null(session_carrier(data)); /* used up */
			assert_int_equal(o.released, 0);
			carrier_close(c);
			assert_int_equal(o.released, 1);
		}
		session_close(data, false, 0);
		session_close(control, false, 0);
		transfer_tracker_flush(t, 0);
		assert_int_equal(o.released, 1);
		transfer_tracker_destroy(t);
	}
}

static void
test_told(void **state)
{
	(void)state;
	struct owner o = {0};
	struct transfer_tracker *t = tracker();
	struct session *control = session(t, "192.0.2.1", 1000, "198.51.100.2", 21, 0);
	assert_int_equal(expect(control, NULL, "198.51.100.2", 2000, &o), 0);
	struct session *data = session(t, "192.0.2.1", 40000, "198.51.100.2", 2000, 1);
	struct carrier *c = session_carrier(data);
	assert_non_null(c);
	session_close(control, false, CLOCK_SECOND); /* the carrier keeps it */
	carrier_data(c, SIDE_DESTINATION, (const uint8_t *)"abc", 3);
	carrier_gap(c, SIDE_DESTINATION, 7);
	carrier_end(c, SIDE_DESTINATION, false);
	carrier_end(c, SIDE_SOURCE, true);
	carrier_close(c);
	session_close(data, false, 2 * CLOCK_SECOND);
	assert_string_equal(o.log, "open;1:abc;1 gap 7;1 end;0 reset;");
	assert_int_equal(o.released, 1);
	transfer_tracker_destroy(t);
}

static void
test_replaced_and_expired(void **state)
{
	(void)state;
	struct owner first = {0}, second = {0}, other = {0};
	struct transfer_tracker *t = tracker();
	struct session *control = session(t, "192.0.2.1", 1000, "198.51.100.2", 21, 0);
	assert_int_equal(expect(control, NULL, "198.51.100.2", 2000, &first), 0);
	assert_int_equal(expect(control, NULL, "198.51.100.2", 2000, &second), 0);
	assert_int_equal(first.released, 1);
	assert_int_equal(second.released, 0);
	session_close(control, false, 0); /* the announcement stands */
	transfer_tracker_time(t, (LIFETIME - 1) * CLOCK_SECOND);
	assert_int_equal(second.released, 0);
	transfer_tracker_time(t, LIFETIME * CLOCK_SECOND);
	assert_int_equal(second.released, 1);

	control = session(t, "192.0.2.1", 1000, "198.51.100.2", 21, 0);
	assert_int_equal(expect(control, NULL, "2001:db8::2", 2000, &other), 0);
	session_close(control, false, 0);
	transfer_tracker_destroy(t);
	assert_int_equal(other.released, 1);
}

static void
test_limit(void **state)
{
	(void)state;
	struct owner o = {0};
	struct transfer_tracker *t = tracker();
	struct session *control = session(t, "192.0.2.1", 1000, "198.51.100.2", 21, 0);
	int announced = 0;
	for (uint32_t port = 1; port < 65536; port++)
		announced += expect(control, NULL, "198.51.100.2", (uint16_t)port, &o) == 0;
	assert_in_range(announced, 1000, 65534);
	assert_int_equal(o.released, 65535 - announced);
	session_close(control, false, 0);
	transfer_tracker_flush(t, 0);
	assert_int_equal(o.released, 65535);
	transfer_tracker_destroy(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_replaced_and_expired),
		cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
