#include "config.h"

#include "proto_stage.h"

#include <openssl/evp.h>

#include "hex.h"
#include "proto/quic_google.h"
#include "proto/quic_keys.h"
#include "proto/quic_packet.h"
#include "proto/tls_pieces.h"
#include "quic_packets.h"

static const char dcid_text[] = "8394c8f03e515708";

/* Of both appendices: a ClientHello for example.com, and the ServerHello that answers it. */
static const char client_hello[] =
        "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c0"
        "00000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e"
        "000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748"
        "002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff"
        "05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";

/* RFC 9001 A.4: Retry with the token "token". */
static const char retry_1[] = "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba";

static void
open_flow(struct stage *s)
{
	stage_init(s);
	stage_datagrams(s, 0, "192.0.2.10", 40000, "198.51.100.20", 4433);
}

static enum verdict
give(struct stage *s, enum side from, const char *hex)
{
	size_t len;
	uint8_t *bytes = hex_bytes(hex, &len);
	enum verdict v = stage_data(s, 0, from, bytes, len);
	free(bytes);
	return v;
}

static const struct facts *
facts_of(const struct stage *s)
{
	return session_facts(s->flow[0].session);
}

static void
expect_client(const struct stage *s)
{
	const struct facts *f = facts_of(s);
	assert_string_equal(f->protocol, "quic");
	assert_string_equal(f->method, "content");
	assert_string_equal(f->tls.server_name, "example.com");
	assert_string_equal(f->service.utf8, "example.com");
	assert_string_equal(f->tls.alpn, "alpn");
	assert_memory_equal(f->tls.ja4, "q13d0211an_", 11);
	assert_int_equal(strlen(f->tls.ja3), 32);
}

static void
expect_server(struct stage *s)
{
	assert_string_equal(facts_of(s)->tls.version, "1.3");
	assert_string_equal(facts_of(s)->tls.cipher, "TLS_AES_128_GCM_SHA256");
	assert_int_equal(strlen(facts_of(s)->tls.ja3s), 32);
}

/* ---- published vectors ---- */

static void
expect_keys(const struct quic_keys *k, const char *key, const char *iv, const char *hp)
{
	char text[2 * QUIC_KEY_LEN + 1];
	assert_string_equal(text_hex(text, k->key, sizeof k->key), key);
	assert_string_equal(text_hex(text, k->iv, sizeof k->iv), iv);
	assert_string_equal(text_hex(text, k->hp, sizeof k->hp), hp);
}

static void
make_keys(const struct quic_version *v, struct reader dcid, struct quic_keys *client, struct quic_keys *server)
{
	assert_int_equal(quic_keys_make(NULL, v->salt[0], v->second_labels, dcid, QUIC_CLIENT, client), 0);
	assert_int_equal(quic_keys_make(NULL, v->salt[0], v->second_labels, dcid, QUIC_SERVER, server), 0);
}

static void
test_keys(void **state)
{
	struct quic_keys client, server;
	struct quic_version version;
	size_t len;
	uint8_t *dcid = hex_bytes(dcid_text, &len);
	(void)state;

	assert_true(quic_version_find(1, &version)); /* RFC 9001 A.1 */
	make_keys(&version, reader_init(dcid, len), &client, &server);
	expect_keys(&client, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
	        "9f50449e04a0e810283a1e9933adedd2");
	expect_keys(&server, "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e",
	        "c206b8d9b9f0f37644430b490eeaa314");

	assert_true(quic_version_find(0x6b3343cf, &version)); /* RFC 9369 A.1 */
	make_keys(&version, reader_init(dcid, len), &client, &server);
	expect_keys(&client, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
	        "45b95e15235d6f45a6b19cbcb0294ba9");
	expect_keys(&server, "82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652",
	        "edf6d05c83121201b436e16877593c3a");
	free(dcid);
}

static void
test_published(void **state)
{
	static const struct {
		const char *client, *server, *version;
	} good[] = {{client_1, server_1, "1"}, {client_2, server_2, "2"}};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct stage s;
		open_flow(&s);
		assert_int_equal(give(&s, SIDE_SOURCE, good[i].client), VERDICT_MORE);
		expect_client(&s);
		assert_string_equal(stage_detail(&s, 0, "quic.version"), good[i].version);
		assert_null(facts_of(&s)->tls.version);
		assert_int_equal(give(&s, SIDE_DESTINATION, good[i].server), VERDICT_MORE);
		expect_server(&s);
		/* Short headers: data both ways. */
		assert_int_equal(give(&s, SIDE_SOURCE, "40f067a5502a4262b5 0011223344"), VERDICT_MORE);
		assert_false(facts_of(&s)->tls.established);
		assert_int_equal(give(&s, SIDE_DESTINATION, "40 0011223344"), VERDICT_DONE);
		assert_true(facts_of(&s)->tls.established);
		stage_clear(&s);
	}
}

/* A datagram cut anywhere: no crash, and no packet that is not all there is believed. */
static void
test_prefixes(void **state)
{
	static const char *const good[] = {client_1, server_1, client_2, retry_1};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		size_t len;
		uint8_t *bytes = hex_bytes(good[i], &len);
		for (size_t n = 0; n < len; n++) {
			struct stage s;
			open_flow(&s);
			(void)stage_data(&s, 0, SIDE_SOURCE, bytes, n);
			if (n > 0)
				assert_null(facts_of(&s)->tls.server_name);
			stage_clear(&s);
			open_flow(&s);
			(void)give(&s, SIDE_SOURCE, client_1);
			(void)stage_data(&s, 0, SIDE_DESTINATION, bytes, n);
			expect_client(&s);
			stage_clear(&s);
		}
		free(bytes);
	}
}

/* One bit wrong anywhere, and the packet is not believed. */
static void
test_tampered(void **state)
{
	size_t len;
	uint8_t *bytes = hex_bytes(client_1, &len);
	(void)state;
	for (size_t n = 0; n < len; n += n < 40 ? 1 : 37) {
		struct stage s;
		open_flow(&s);
		bytes[n] ^= 0x01;
		(void)stage_data(&s, 0, SIDE_SOURCE, bytes, len);
		assert_null(facts_of(&s)->tls.server_name);
		bytes[n] ^= 0x01;
		stage_clear(&s);
	}
	free(bytes);
}

/* ---- packets of our own ---- */

struct datagram {
	uint8_t bytes[4096];
	size_t len;
};

static void
put(struct datagram *d, const void *bytes, size_t len)
{
	assert_true(len <= sizeof d->bytes - d->len);
	memcpy(d->bytes + d->len, bytes, len);
	d->len += len;
}

static void
put_hex(struct datagram *d, const char *hex)
{
	size_t len;
	uint8_t *bytes = hex_bytes(hex, &len);
	put(d, bytes, len);
	free(bytes);
}

/* A CRYPTO frame with bytes [from, to) of message. */
static void
put_crypto(struct datagram *d, uint8_t type, const char *message, size_t from, size_t to)
{
	size_t len;
	uint8_t *bytes = hex_bytes(message, &len);
	assert_true(from <= to && to <= len);
	const uint8_t head[] = {type, (uint8_t)(0x40 | from >> 8), (uint8_t)from, (uint8_t)(0x40 | (to - from) >> 8),
	        (uint8_t)(to - from)};
	put(d, head, sizeof head);
	put(d, bytes + from, to - from);
	free(bytes);
}

static void
mask_of(const struct quic_keys *k, const uint8_t sample[16], uint8_t mask[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, k->hp, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, mask, &n, sample, 16), 1);
	EVP_CIPHER_CTX_free(ctx);
}

/*
 * An Initial packet with these frames behind d, sealed as the RFC has it: number is its packet number, of one byte;
 * keys come out of key_dcid, which the client chose.
 */
static void
put_initial(struct datagram *d, enum side from, uint32_t version, const char *key_dcid, const char *dcid, uint8_t number,
        const struct datagram *frames)
{
	struct quic_version v;
	struct quic_keys client, server;
	uint8_t tag[16], nonce[12], mask[16], sealed[4096];
	size_t key_len, cid_len;
	uint8_t *key_cid = hex_bytes(key_dcid, &key_len), *cid = hex_bytes(dcid, &cid_len);
	int n, none;

	assert_true(quic_version_find(version, &v));
	make_keys(&v, reader_init(key_cid, key_len), &client, &server);
	const struct quic_keys *k = from == SIDE_SOURCE ? &client : &server;
	const size_t start = d->len, len = 1 + frames->len + sizeof tag;
	const uint8_t head[] = {v.form == QUIC_FORM_2 ? 0xd0 : 0xc0, (uint8_t)(version >> 24), (uint8_t)(version >> 16),
	        (uint8_t)(version >> 8), (uint8_t)version, (uint8_t)cid_len};
	const uint8_t rest[] = {1, 0x77, 0, (uint8_t)(0x40 | len >> 8), (uint8_t)len, number}; /* SCID, no token */
	put(d, head, sizeof head);
	put(d, cid, cid_len);
	put(d, rest, sizeof rest);
	const size_t head_len = d->len - start;
	memcpy(nonce, k->iv, sizeof nonce);
	nonce[11] ^= number;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, k->key, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &none, d->bytes + start, (int)head_len), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, sealed, &n, frames->bytes, (int)frames->len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, sealed + n, &none), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag), 1);
	EVP_CIPHER_CTX_free(ctx);
	put(d, sealed, frames->len);
	put(d, tag, sizeof tag);
	mask_of(k, d->bytes + start + head_len - 1 + 4, mask);
	d->bytes[start] ^= mask[0] & 0x0f;
	d->bytes[start + head_len - 1] ^= mask[1];
	free(key_cid);
	free(cid);
}

static void
pad(struct datagram *d)
{
	if (d->len < 1200) {
		memset(d->bytes + d->len, 0, 1200 - d->len);
		d->len = 1200;
	}
}

/* A client's datagram with these frames. */
static enum verdict
give_frames(struct stage *s, uint32_t version, uint8_t number, const struct datagram *frames)
{
	struct datagram d = {.len = 0};
	put_initial(&d, SIDE_SOURCE, version, dcid_text, dcid_text, number, frames);
	pad(&d);
	return stage_data(s, 0, SIDE_SOURCE, d.bytes, d.len);
}

enum { HELLO_LEN = 241 };

/* Over datagrams, in any order, overlapping; other frames between. */
static void
test_split(void **state)
{
	static const struct {
		size_t from, to;
	} rows[][4] = {
	        {{0, 241}},
	        {{0, 100}, {100, 241}},
	        {{100, 241}, {0, 100}},
	        {{200, 241}, {100, 200}, {0, 50}, {50, 100}},
	        {{0, 120}, {60, 241}},
	        {{0, 3}, {3, 5}, {5, 240}, {240, 241}},
	        {{240, 241}, {0, 240}},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t together = 0; together < 2; together++) {
			struct stage s;
			struct datagram frames = {.len = 0};
			open_flow(&s);
			for (size_t n = 0; n < 4 && rows[i][n].to > 0; n++) {
				if (!together)
					frames.len = 0;
				put_hex(&frames, n % 2 == 0 ? "01 00 00" : "02 05 00 01 00 02 03 01"); /* PING, ACK of two ranges */
				put_crypto(&frames, 6, client_hello, rows[i][n].from, rows[i][n].to);
				if (!together)
					(void)give_frames(&s, 1, (uint8_t)n, &frames);
			}
			if (together)
				(void)give_frames(&s, 1, 0, &frames);
			expect_client(&s);
			stage_clear(&s);
		}
}

/* Byte by byte, every second one first: more holes than are kept. And a hello that never becomes whole. */
static void
test_pieces_limit(void **state)
{
	struct stage s;
	struct datagram frames = {.len = 0};
	(void)state;
	open_flow(&s);
	for (size_t at = 1; at < HELLO_LEN; at += 2)
		put_crypto(&frames, 6, client_hello, at, at + 1);
	(void)give_frames(&s, 1, 0, &frames);
	frames.len = 0;
	put_crypto(&frames, 6, client_hello, 0, HELLO_LEN);
	(void)give_frames(&s, 1, 1, &frames);
	assert_null(facts_of(&s)->tls.server_name);
	assert_string_equal(facts_of(&s)->protocol, "quic");
	stage_clear(&s);

	struct tls_pieces *p = NULL;
	const uint8_t *bytes;
	assert_int_equal(tls_pieces_add(&p, TLS_PIECES_BYTES_MAX, (const uint8_t *)"x", 1), -1);
	assert_int_equal(tls_pieces_add(&p, UINT64_MAX, (const uint8_t *)"x", 1), -1);
	assert_int_equal(tls_pieces_front(p, &bytes), 0);
	assert_int_equal(tls_pieces_add(&p, 2, (const uint8_t *)"cd", 2), 0);
	assert_int_equal(tls_pieces_add(&p, 5, (const uint8_t *)"f", 1), 0);
	assert_int_equal(tls_pieces_front(p, &bytes), 0);
	assert_int_equal(tls_pieces_add(&p, 0, (const uint8_t *)"abXXeX", 6), 0);
	assert_int_equal(tls_pieces_front(p, &bytes), 6);
	assert_memory_equal(bytes, "abcdef", 6); /* the first copy counts */
	tls_pieces_destroy(p);
}

/* Initial, 0-RTT and a packet without a length in one datagram; the server's two packets in another order. */
static void
test_coalesced(void **state)
{
	struct stage s;
	struct datagram frames = {.len = 0}, d = {.len = 0};
	(void)state;
	open_flow(&s);
	put_crypto(&frames, 6, client_hello, 0, 100);
	put_initial(&d, SIDE_SOURCE, 1, dcid_text, dcid_text, 0, &frames);
	put_hex(&d, "d0 00000001 08 8394c8f03e515708 01 77 05 0011223344"); /* 0-RTT */
	frames.len = 0;
	put_crypto(&frames, 6, client_hello, 100, HELLO_LEN);
	put_initial(&d, SIDE_SOURCE, 1, dcid_text, dcid_text, 1, &frames);
	put_hex(&d, "40 0011223344");
	pad(&d);
	(void)stage_data(&s, 0, SIDE_SOURCE, d.bytes, d.len);
	expect_client(&s);
	(void)give(&s, SIDE_DESTINATION, server_1);
	expect_server(&s);
	stage_clear(&s);
}

/* After Retry the keys come out of the ID that the server chose; the server's hello is opened with those. */
static void
test_retry(void **state)
{
	static const char chosen[] = "f067a5502a4262b5";
	static const char server_hello[] = "020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a12"
	        "00130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304";
	struct stage s;
	struct datagram frames = {.len = 0}, d = {.len = 0};
	(void)state;
	open_flow(&s);
	(void)give(&s, SIDE_SOURCE, client_1);
	(void)give(&s, SIDE_DESTINATION, retry_1);
	assert_string_equal(stage_detail(&s, 0, "quic.retry"), "true");
	put_crypto(&frames, 6, client_hello, 0, HELLO_LEN);
	put_initial(&d, SIDE_SOURCE, 1, chosen, chosen, 2, &frames);
	pad(&d);
	(void)stage_data(&s, 0, SIDE_SOURCE, d.bytes, d.len);
	expect_client(&s);
	frames.len = d.len = 0;
	put_hex(&frames, "02 00 00 00 00");
	put_crypto(&frames, 6, server_hello, 0, 90);
	put_initial(&d, SIDE_DESTINATION, 1, chosen, "77", 0, &frames);
	(void)stage_data(&s, 0, SIDE_DESTINATION, d.bytes, d.len);
	expect_server(&s);
	stage_clear(&s);
}

/* The server answers in version 2 what was asked in 1 (RFC 9368): its keys come out of the same ID. */
static void
test_compatible_version(void **state)
{
	struct stage s;
	(void)state;
	open_flow(&s);
	(void)give(&s, SIDE_SOURCE, client_1);
	(void)give(&s, SIDE_DESTINATION, server_2);
	expect_server(&s);
	stage_clear(&s);
}

/* A reserved version, the answer to it, and the beginning anew. */
static void
test_negotiation(void **state)
{
	struct stage s;
	struct datagram frames = {.len = 0};
	(void)state;
	open_flow(&s);
	put_crypto(&frames, 6, client_hello, 0, 40);
	(void)give_frames(&s, 0x1a2a3a4a, 0, &frames);
	assert_string_equal(facts_of(&s)->protocol, "quic");
	assert_null(stage_detail(&s, 0, "quic.version"));
	(void)give(&s, SIDE_DESTINATION, "80 00000000 01 77 08 8394c8f03e515708 0a0a0a0a 00000001 ff00001d");
	assert_string_equal(stage_detail(&s, 0, "quic.version_negotiation"), "true");
	(void)give(&s, SIDE_SOURCE, client_1);
	expect_client(&s);
	assert_string_equal(stage_detail(&s, 0, "quic.version"), "1");
	stage_clear(&s);
}

/* Drafts and others that differ in salt and headers. */
static void
test_versions(void **state)
{
	static const struct {
		uint32_t number;
		const char *name;
	} good[] = {{1, "1"}, {0x6b3343cf, "2"}, {0x709a50c4, "2-draft"}, {0xff000016, "draft-22"}, {0xff000017, "draft-23"},
	        {0xff00001c, "draft-28"}, {0xff00001d, "draft-29"}, {0xff000020, "draft-32"}, {0xff000021, "draft-33"},
	        {0xff000022, "draft-34"}, {0xfaceb001, "mvfst 0xfaceb001"}, {0xfaceb002, "mvfst 0xfaceb002"},
	        {0x54303530, "T050"}, {0x54303531, "T051"}};
	static const uint32_t bad[] = {0xff000015, 0xff000023, 0x51303437, 0, 2, 0xfaceb100, 0x00010000};
	struct quic_version v;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct stage s;
		struct datagram frames = {.len = 0};
		open_flow(&s);
		put_crypto(&frames, good[i].name[0] == 'T' ? 8 : 6, client_hello, 0, HELLO_LEN);
		(void)give_frames(&s, good[i].number, 0, &frames);
		expect_client(&s);
		assert_string_equal(stage_detail(&s, 0, "quic.version"), good[i].name);
		stage_clear(&s);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(quic_version_find(bad[i], &v));
}

/* ---- Google's ---- */

static const char chlo[] = "43484c4f 0300 0000 50414400 04000000 534e4900 0f000000 55414944 18000000" /* PAD, SNI, UAID */
                           "2d2d2d2d" "4578616d706c652e636f6d" "4368726f6d652f3630"; /* Example.com, Chrome/60 */

static void
test_google(void **state)
{
	static const struct {
		const char *version, *head, *tail;
	} good[] = {
	        {"Q043", "09 0011223344556677 51303433 01 000000000000000000000000 a0 01 0041", "0000"},
	        {"Q039", "19 0011223344556677 51303339 0001 000000000000000000000000 a4 01 0400 0041", ""},
	        {"Q035", "2d 0011223344556677 51303335 00000001 000000000000000000000000 a0 01 4100", ""},
	        {"Q025", "0d 0011223344556677 51303235 01 000000000000000000000000 01 a0 01 4100", ""},
	        {"Q046", "c3 51303436 50 0011223344556677 00000001 000000000000000000000000 a0 01 0041", "0000"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct datagram d = {.len = 0};
		struct stage s;
		put_hex(&d, good[i].head);
		const size_t head = d.len;
		put_hex(&d, chlo);
		d.bytes[head - (good[i].version[2] < '4' && strcmp(good[i].version, "Q039") != 0 ? 2 : 1)] =
		        (uint8_t)(d.len - head);
		put_hex(&d, good[i].tail);
		for (size_t n = 1; n <= d.len; n++) {
			open_flow(&s);
			(void)stage_data(&s, 0, SIDE_SOURCE, d.bytes, n);
			if (n == d.len) {
				assert_string_equal(facts_of(&s)->protocol, "quic");
				assert_string_equal(facts_of(&s)->tls.server_name, "example.com");
				assert_string_equal(facts_of(&s)->client.utf8, "Chrome/60");
				assert_string_equal(stage_detail(&s, 0, "quic.version"), good[i].version);
				assert_null(facts_of(&s)->tls.ja3);
			}
			stage_clear(&s);
		}
	}
	/* Q050 seals it in an Initial packet. */
	struct stage s;
	struct datagram frames = {.len = 0};
	open_flow(&s);
	put_crypto(&frames, 8, chlo, 0, 56);
	(void)give_frames(&s, 0x51303530, 0, &frames);
	assert_string_equal(facts_of(&s)->tls.server_name, "example.com");
	assert_string_equal(stage_detail(&s, 0, "quic.version"), "Q050");
	stage_clear(&s);
}

/* Tables of tags that lie. */
static void
test_google_bad(void **state)
{
	static const char *const bad[] = {
	        "", "43484c", "52454a00 0000 0000", /* REJ */
	        "43484c4f ffff 0000 534e4900 04000000 61626364",
	        "43484c4f 0100 0000 534e4900 ffffffff 61626364",
	        "43484c4f 0200 0000 50414400 04000000 534e4900 00000000 61626364", /* ends before it begins */
	        "43484c4f 0100 0000 534e49",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct stage s;
		size_t len;
		uint8_t *bytes = hex_bytes(bad[i], &len);
		open_flow(&s);
		(void)give(&s, SIDE_SOURCE, client_2);
		struct session *session = s.flow[0].session;
		(void)quic_google_hello(session, reader_init(bytes, len));
		assert_string_equal(facts_of(&s)->tls.server_name, "example.com");
		free(bytes);
		stage_clear(&s);
	}
}

/* ---- what is none ---- */

static void
test_not_quic(void **state)
{
	static const char *const bad[] = {
	        "00", "c0", "80 00000000", "c0 00000001",
	        "c3 00000001 15 000000000000000000000000000000000000000000 00 00 04 00112233", /* an ID of 21 bytes */
	        "83 00000001 08 8394c8f03e515708 00 00 04 00112233",                          /* without the fixed bit */
	        "e3 00000001 08 8394c8f03e515708 00 44ff 00112233",                          /* longer than the datagram */
	        "c3 00000003 08 8394c8f03e515708 01 77 00 04 00112233",                       /* no such version */
	        "c3 00000001 08 8394c8f03e515708 00 00 04 00112233",                          /* a client's, too small */
	        "80 00000000 00 00 00000001",                                                /* versions for nobody */
	        "80 00000000 01 77 00 0a0a0a0a 12345678",                                    /* versions nobody knows */
	        "80 00000000 01 77 00 00000001 00",                                          /* not in fours */
	        "4000112233445566778899aabbccddeeff0011223344556677",                        /* a short header: anything */
	        "09 0011223344556677 51303434 01 000000000000000000000000 a0",               /* Q044 has long headers */
	        "09 0011223344556677 51313433 01 000000000000000000000000 a0",
	        "0b 0011223344556677 51303433 01 000000000000000000000000 a0",               /* a reset */
	        "b8 7a 00000001 00112233445566778899aabbccddeeff",                           /* RTP */
	        "16 fefd 0000000000000000 0030 01000024",                                     /* DTLS */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		size_t len;
		uint8_t *bytes = hex_bytes(bad[i], &len);
		struct probe p = {.bytes = {bytes, NULL}, .len = {len, 0}, .midstream = true};
		if (proto_quic.probe(&p) != VERDICT_NOT_MINE)
			fail_msg("%s", bad[i]);
		p = (struct probe){.bytes = {NULL, bytes}, .len = {0, len}, .midstream = true};
		assert_int_equal(proto_quic.probe(&p), VERDICT_NOT_MINE);
		free(bytes);
	}
}

/* A client whose port changes goes on with the ID that the server gave it. */
static void
test_moved(void **state)
{
	static const char moved[] = "40 f067a5502a4262b5 00112233445566778899aabbccddeeff";
	static const char other[] = "40 f067a5502a4262b6 00112233445566778899aabbccddeeff";
	struct stage s;
	size_t len;
	(void)state;
	open_flow(&s);
	(void)give(&s, SIDE_SOURCE, client_1);
	(void)give(&s, SIDE_DESTINATION, server_1);
	stage_close(&s, 0, false);
	for (size_t n = 1; n < 4; n++) {
		stage_datagrams(&s, n, "192.0.2.10", (uint16_t)(40000 + n), n == 3 ? "198.51.100.21" : "198.51.100.20", 4433);
		uint8_t *bytes = hex_bytes(n == 2 ? other : moved, &len);
		(void)stage_data(&s, n, SIDE_SOURCE, bytes, len);
		const struct facts *f = session_facts(s.flow[n].session);
		if (n == 1) {
			assert_string_equal(f->protocol, "quic");
			assert_string_equal(f->tls.server_name, "example.com");
			assert_string_equal(stage_detail(&s, n, "quic.moved"), "true");
		} else { /* another ID, another host */
			assert_null(f->protocol);
		}
		free(bytes);
	}
	stage_clear(&s);
}

/* Only the server's half: it is known as QUIC; and nothing of it can be opened, however much there is. */
static void
test_one_way(void **state)
{
	struct stage s;
	(void)state;
	open_flow(&s);
	for (size_t i = 0; i < 200; i++)
		(void)give(&s, SIDE_SOURCE, server_1);
	assert_string_equal(facts_of(&s)->protocol, "quic");
	assert_null(facts_of(&s)->tls.version);
	assert_int_equal(s.flow[0].verdict, VERDICT_DONE);
	stage_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_keys),
	        cmocka_unit_test(test_published),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_tampered),
	        cmocka_unit_test(test_split),
	        cmocka_unit_test(test_pieces_limit),
	        cmocka_unit_test(test_coalesced),
	        cmocka_unit_test(test_retry),
	        cmocka_unit_test(test_compatible_version),
	        cmocka_unit_test(test_negotiation),
	        cmocka_unit_test(test_versions),
	        cmocka_unit_test(test_google),
	        cmocka_unit_test(test_google_bad),
	        cmocka_unit_test(test_not_quic),
	        cmocka_unit_test(test_moved),
	        cmocka_unit_test(test_one_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
