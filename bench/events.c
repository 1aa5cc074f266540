/*
 * events [ROUNDS]: what an event costs, from the end of a flow to bytes in the sink's buffer, in CPU nanoseconds. Each figure
 * is the best of some rounds over the same records, so that a busy machine shows little in it. The other way to
 * make the bytes, cJSON, is measured where its development files are: it gets its tree for nothing (a copy of
 * one that is there), so that its figure is less than it would cost.
 */
#include "config.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_CJSON
#include <cjson/cJSON.h>
#endif

#include "attribution/attribution.h"
#include "base/clock.h"
#include "flow/internal.h"
#include "output/json.h"
#include "output/output.h"

enum {
	FLOWS = 1 << 12,      /* more than the second-level cache holds */
	STRANGERS = 1 << 18,  /* addresses for the look-ups that miss */
	ROUNDS = 15,          /* where none are named */
};

struct bench {
	struct attribution *attribution;
	struct flow_table *table;
	struct flow *flows[FLOWS];
	size_t flow_count;
	struct flow_record records[FLOWS];
	struct addr *strangers;
	void *sink;
	struct json json;
	uint64_t draws;
	size_t next_stranger;
	unsigned rounds;
};

/* What a round does: each returns how many things it did. */
typedef size_t round_fn(struct bench *b);

static void make_flows(struct bench *b);
static void make_packet(struct bench *b, struct packet *p, unsigned number);
static void on_begin(void *ctx, struct flow *f);
static uint64_t draw(struct bench *b);
static struct addr draw_address(struct bench *b);
static void describe(struct bench *b, const struct flow *f, struct flow_record *out);
static struct transfer_record transfer_of(const struct flow_record *flow);
static double best(struct bench *b, round_fn *round);
static void show(const char *what, double ns, double goal);
static void show_cjson(struct bench *b, const char *what);
static int64_t cpu_now(void);

static round_fn describe_all, identify_all, place_known, place_strangers, write_flows, write_transfers, tell_flows,
        tell_transfers;

static const struct facts session = {
	.protocol = "tls",
	.method = "content",
	.service = {.utf8 = "media.upload.studio.example", .encoding = "utf-8"},
	.tls = {
		.server_name = "media.upload.studio.example",
		.ja3 = "cd08e31494f9531f560d64c695473da9",
		.ja4 = "t13d1516h2_8daaf6152771_b0da82dd1658",
		.alpn = "h2",
		.version = "1.3",
		.established = true,
	},
};

static const struct facts web = {
	.protocol = "http",
	.method = "content",
	.service = {.utf8 = "media.upload.studio.example", .encoding = "utf-8"},
	.client = {.utf8 = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
	        .encoding = "utf-8"},
	.server = {.utf8 = "nginx/1.26.1", .encoding = "utf-8"},
	.client_language = "en-GB,en;q=0.9",
};

int
main(int argc, char **argv)
{
	static struct bench b;
	char embedded[4096], error[512];
	const char *database = attribution_default_database(embedded, sizeof embedded);
	const struct attribution_conf places = {.embedded_database = database, .no_auto_detect = true};
	const struct output_conf sinks = {.events_path = "/dev/null", .observer_name = "sensor-1",
	        .events = EVENT_FLOW | EVENT_TRANSFER};

	b.rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS;
	b.attribution = attribution_load(&places, NULL, NULL);
	b.strangers = calloc(STRANGERS, sizeof *b.strangers);
	json_init(&b.json);
	if (b.attribution == NULL || b.strangers == NULL ||
	        sink_events.open(&sinks, NULL, &b.sink, error, sizeof error) != 0) {
		fprintf(stderr, "events: %s\n", b.sink == NULL ? error : "out of memory");
		return 1;
	}
	make_flows(&b);
	printf("%-44s %8s %8s\n", "", "ns", "goal");
	show("flow, from its end to the buffer", best(&b, tell_flows), 1500);
	show("transfer, from its end to the buffer", best(&b, tell_transfers), 3000);
	show("  a flow's record", best(&b, describe_all), 0);
	show("  its community id", best(&b, identify_all), 0);
	show("  place of an address, known", best(&b, place_known), 0);
	show("  place of an address, new", best(&b, place_strangers), 0);
	show("  a flow's record as JSON", best(&b, write_flows), 0);
	show("  a transfer's record as JSON", best(&b, write_transfers), 0);
	(void)write_flows(&b);
	show_cjson(&b, "  the flow's JSON by cJSON");
	(void)write_transfers(&b);
	show_cjson(&b, "  the transfer's JSON by cJSON");
	sink_events.close(b.sink);
	flow_table_destroy(b.table);
	attribution_destroy(b.attribution);
	json_clear(&b.json);
	free(b.strangers);
	return 0;
}

/* Flows as a studio has them: a host at home, any host outside, a TLS session that was closed both ways. */
static void
make_flows(struct bench *b)
{
	static const struct flow_limits limits;
	static const struct flow_ops ops = {.begin = on_begin};
	static const struct {
		bool back;
		uint8_t flags;
		uint32_t payload;
	} steps[] = {
		{false, TCP_SYN, 0}, {true, TCP_SYN | TCP_ACK, 0}, {false, TCP_ACK, 0}, {false, TCP_ACK | TCP_PSH, 517},
		{true, TCP_ACK | TCP_PSH, 1400}, {false, TCP_FIN | TCP_ACK, 0}, {true, TCP_FIN | TCP_ACK, 0},
	};
	enum { STEPS = sizeof steps / sizeof steps[0] };

	b->table = flow_table_create(&limits, &ops, b);
	for (size_t i = 0; b->table != NULL && i < FLOWS; i++) {
		struct packet there, back;
		enum side from;
		make_packet(b, &there, (unsigned)i);
		back = there;
		back.src = there.dst, back.dst = there.src;
		back.src_port = there.dst_port, back.dst_port = there.src_port;
		for (unsigned step = 0; step < STEPS; step++) {
			struct packet *p = steps[step].back ? &back : &there;
			p->frame = i * STEPS + step + 1;
			p->time += (int64_t)(step + 1) * CLOCK_MILLISECOND;
			p->tcp_flags = steps[step].flags;
			p->payload_len = steps[step].payload;
			p->ip_bytes = 40 + p->payload_len;
			(void)flow_table_packet(b->table, p, &from);
		}
	}
	for (size_t i = 0; i < STRANGERS; i++)
		b->strangers[i] = draw_address(b);
	for (size_t i = 0; i < b->flow_count; i++)
		describe(b, b->flows[i], &b->records[i]);
}

static void
make_packet(struct bench *b, struct packet *p, unsigned number)
{
	*p = (struct packet){
		.time = INT64_C(1705282200) * CLOCK_SECOND + (int64_t)number * CLOCK_MILLISECOND,
		.src = addr_from_v4((const uint8_t[]){10, 20, (uint8_t)(number >> 8), (uint8_t)number}),
		.dst = draw_address(b),
		.src_port = (uint16_t)(32768 + number % 28000),
		.dst_port = 443,
		.ip_version = 4,
		.transport = IPPROTO_TCP,
		.tcp_window = 64240,
		.flags = PACKET_MAC,
		.fragments = 1,
		.src_mac = {0x02, 0x10, 0x20, 0x30, (uint8_t)(number >> 8), (uint8_t)number},
		.dst_mac = {0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee},
	};
}

static void
on_begin(void *ctx, struct flow *f)
{
	struct bench *b = ctx;
	if (b->flow_count < FLOWS)
		b->flows[b->flow_count++] = f;
}

/* The same in every run: a generator of George Marsaglia's, "Xorshift RNGs" (2003). */
static uint64_t
draw(struct bench *b)
{
	uint64_t x = b->draws != 0 ? b->draws : 88172645463325252;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return b->draws = x;
}

static struct addr
draw_address(struct bench *b)
{
	uint64_t x = draw(b);
	return addr_from_v4((const uint8_t[]){(uint8_t)(11 + x % 200), (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24)});
}

/* As the pipeline does. */
static void
describe(struct bench *b, const struct flow *f, struct flow_record *out)
{
	flow_describe(f, out);
	out->facts = &session;
	for (int i = 0; i < 2; i++)
		attribution_place(b->attribution, &out->side[i].addr, &out->side[i].place);
}

static struct transfer_record
transfer_of(const struct flow_record *flow)
{
	struct transfer_record r = {
		.id = "t0123456789abcdef",
		.flow = flow,
		.sender = SIDE_SOURCE,
		.state = TRANSFER_COMPLETE,
		.start = flow->start + CLOCK_MILLISECOND,
		.end = flow->end,
		.protocol = "http",
		.method = "PUT",
		.name = {.utf8 = "shot_010.0001.exr", .encoding = "utf-8"},
		.path = {.utf8 = "/up/ep03/sq010/shot_010.0001.exr", .encoding = "utf-8"},
		.declared_mime = "application/octet-stream",
		.mime = "image/x-exr",
		.kind = "OpenEXR image",
		.size_known = true,
		.size = 12345678,
		.seen = 12345678,
		.has_sha256 = true,
		.http = {.url = "http://media.upload.studio.example/up/ep03/sq010/shot_010.0001.exr?part=1&session=5d41402abc4b2a76",
		        .method = "PUT", .status = 201},
	};
	memset(r.sha256, 0xa5, sizeof r.sha256);
	return r;
}

static size_t
describe_all(struct bench *b)
{
	struct flow_record r;
	for (size_t i = 0; i < b->flow_count; i++)
		flow_describe(b->flows[i], &r);
	return b->flow_count;
}

static size_t
identify_all(struct bench *b)
{
	char id[40];
	for (size_t i = 0; i < b->flow_count; i++)
		community_id_write(b->table->community_id, &b->records[i], id);
	return b->flow_count;
}

static size_t
place_known(struct bench *b)
{
	struct place place;
	for (size_t i = 0; i < 2 * b->flow_count; i++)
		attribution_place(b->attribution, &b->records[i / 2].side[i % 2].addr, &place);
	return 2 * b->flow_count;
}

/* One in 64 of them, so that the cache has none of them when their turn comes again. */
static size_t
place_strangers(struct bench *b)
{
	enum { PART = STRANGERS / 64 };
	struct place place;
	for (size_t i = 0; i < PART; i++)
		attribution_place(b->attribution, &b->strangers[b->next_stranger++ % STRANGERS], &place);
	return PART;
}

static size_t
write_flows(struct bench *b)
{
	const struct event_stamp stamp = {.ingested = clock_now(), .observer = "sensor-1"};
	for (size_t i = 0; i < b->flow_count; i++)
		event_write_flow(&b->json, &b->records[i], &stamp);
	return b->flow_count;
}

static size_t
write_transfers(struct bench *b)
{
	const struct event_stamp stamp = {.ingested = clock_now(), .observer = "sensor-1"};
	for (size_t i = 0; i < b->flow_count; i++) {
		struct flow_record flow = b->records[i];
		flow.facts = &web;
		struct transfer_record r = transfer_of(&flow);
		event_write_transfer(&b->json, &r, &stamp);
	}
	return b->flow_count;
}

static size_t
tell_flows(struct bench *b)
{
	for (size_t i = 0; i < b->flow_count; i++) {
		struct flow_record r;
		describe(b, b->flows[i], &r);
		sink_events.flow(b->sink, &r);
	}
	return b->flow_count;
}

static size_t
tell_transfers(struct bench *b)
{
	for (size_t i = 0; i < b->flow_count; i++) {
		struct flow_record flow;
		describe(b, b->flows[i], &flow);
		flow.facts = &web;
		struct transfer_record r = transfer_of(&flow);
		sink_events.transfer(b->sink, &r);
	}
	return b->flow_count;
}

static double
best(struct bench *b, round_fn *round)
{
	double least = 0;
	for (unsigned i = 0; i < b->rounds; i++) {
		int64_t begin = cpu_now();
		size_t count = round(b);
		double each = (double)(cpu_now() - begin) / (double)(count > 0 ? count : 1);
		if (i == 0 || each < least)
			least = each;
	}
	return least;
}

static void
show(const char *what, double ns, double goal)
{
	char text[16] = "";
	if (goal > 0)
		snprintf(text, sizeof text, "%.0f", goal);
	printf("%-44s %8.0f %8s\n", what, ns, text);
}

#ifdef HAVE_CJSON
/* The event that the writer holds: its tree is made, printed and freed. The text must be the same. */
static void
show_cjson(struct bench *b, const char *what)
{
	enum { TIMES = 2000 };
	cJSON *parsed = cJSON_ParseWithLength(b->json.bytes, b->json.len);
	double least = 0;
	bool same = false;

	for (unsigned i = 0; i < b->rounds; i++) {
		int64_t begin = cpu_now();
		for (unsigned n = 0; n < TIMES; n++) {
			cJSON *tree = cJSON_Duplicate(parsed, true);
			char *text = cJSON_PrintUnformatted(tree);
			same = text != NULL && strncmp(text, b->json.bytes, b->json.len) == 0;
			cJSON_free(text);
			cJSON_Delete(tree);
		}
		double each = (double)(cpu_now() - begin) / TIMES;
		if (i == 0 || each < least)
			least = each;
	}
	show(what, least, 0);
	if (!same)
		printf("    whose text differs\n");
	cJSON_Delete(parsed);
}
#else
static void
show_cjson(struct bench *b, const char *what)
{
	(void)b;
	printf("%-44s %8s\n", what, "no cJSON");
}
#endif

static int64_t
cpu_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * CLOCK_SECOND + t.tv_nsec;
}
