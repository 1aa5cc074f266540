/*
 * Records built by hand, for the tests of the output stage: a studio's host, a North Korean server
 * and a harmless one. Each function gives a fresh value that a test may change.
 */
#ifndef TESTS_UNIT_RECORDS_H
#define TESTS_UNIT_RECORDS_H

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "base/record.h"

#define RECORDS_TIME INT64_C(1705311000123456789) /* 2024-01-15T09:30:00.123456Z */

static inline struct listing_row
record_listing_row(void)
{
	struct listing_row row = {
		.bits = 22,
		.network_text = "175.45.176.0/22",
		.jurisdiction = "KP",
		.programme = "31 CFR 510",
		.holder = "Star Joint Venture Co. Ltd.",
		.source = "https://example.net/whois",
		.list = "sanctioned",
		.list_digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.basis = LISTING_RANGE,
		.confidence = CONFIDENCE_CONFIRMED,
		.valid_from = INT64_C(1261353600) * CLOCK_SECOND, /* 2009-12-21 */
		.valid_until = INT64_MAX,
	};
	addr_parse("175.45.176.0", &row.network);
	return row;
}

static inline struct listing
record_listing(const struct listing_row *row)
{
	return (struct listing){
		.row = row,
		.confidence = CONFIDENCE_CONFIRMED,
		.reasons = {"listed range, valid at packet time", "handshake seen", "payload moved"},
		.reason_count = 3,
	};
}

/* From 192.168.1.10 to 203.0.113.77, TCP port 80, closed both ways. */
static inline struct flow_record
record_flow(const struct facts *facts)
{
	struct flow_record r = {
		.id = "f0123456789abcdef",
		.community_id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
		.start = RECORDS_TIME,
		.end = RECORDS_TIME + 2 * CLOCK_SECOND,
		.first_frame = 1,
		.last_frame = 2000,
		.ip_version = 4,
		.transport = IPPROTO_TCP,
		.handshake = true,
		.history = "ShADadFf",
		.end_reason = FLOW_END_FIN,
		.facts = facts,
		.side = {
			{.port = 51515, .has_mac = true, .mac = {2, 0, 0, 1, 2, 0xab}, .packets = 1200,
				.bytes = 98765, .payload = 1234, .place = {.flags = PLACE_PRIVATE | PLACE_HOME}},
			{.port = 80, .packets = 800, .bytes = 123456999, .payload = 123456789,
				.place = {.country = "KR", .asn = 4766, .org = "Korea Telecom"}},
		},
	};
	addr_parse("192.168.1.10", &r.side[SIDE_SOURCE].addr);
	addr_parse("203.0.113.77", &r.side[SIDE_DESTINATION].addr);
	return r;
}

/* The same host to an FTP server at a listed address. */
static inline struct flow_record
record_listed_flow(const struct facts *facts, const struct listing *listing)
{
	struct flow_record r = record_flow(facts);

	memcpy(r.id, "f0000000000000bad", 18);
	addr_parse("175.45.176.81", &r.side[SIDE_DESTINATION].addr);
	r.side[SIDE_DESTINATION].port = 21;
	r.side[SIDE_DESTINATION].place = (struct place){.country = "KP", .asn = 131279, .org = "STAR-KP"};
	r.side[SIDE_DESTINATION].listing = *listing;
	return r;
}

/* A whole file, sent by the initiator of flow. */
static inline struct transfer_record
record_transfer(const struct flow_record *flow)
{
	struct transfer_record r = {
		.id = "t0123456789abcdef",
		.flow = flow,
		.sender = SIDE_SOURCE,
		.state = TRANSFER_COMPLETE,
		.start = flow->start + CLOCK_MILLISECOND,
		.end = flow->end,
		.protocol = "ftp",
		.method = "STOR",
		.name = {.utf8 = "shot_010.0001.exr", .encoding = "utf-8"},
		.path = {.utf8 = "/up/ep03/shot_010.0001.exr", .encoding = "utf-8"},
		.user = {.utf8 = "editor", .encoding = "utf-8"},
		.mime = "image/x-exr",
		.size_known = true,
		.size = 12345678,
		.seen = 12345678,
		.has_sha256 = true,
	};
	memset(r.sha256, 0xa5, sizeof r.sha256);
	return r;
}

static inline struct alert
record_alert(const struct transfer_record *transfer, const struct listing *listing)
{
	return (struct alert){
		.id = "a0123456789abcdef",
		.rule = "sanctioned-transfer",
		.summary = "shot_010.0001.exr went to 175.45.176.81 (KP, listed network 175.45.176.0/22) from 192.168.1.10",
		.severity = SEVERITY_CRITICAL,
		.confidence = CONFIDENCE_CONFIRMED,
		.action = ALERT_OPEN,
		.packet_time = transfer->start,
		.listed = SIDE_DESTINATION,
		.listing = listing,
		.flow = transfer->flow,
		.transfer = transfer,
		.count = 1,
		.files = 1,
		.bytes = 1460,
	};
}

#endif
