#include "config.h"

/* File types by first bytes: our own table at every prefix, and what is left to libmagic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "transfer/filetype.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define BYTES(literal) (const uint8_t *)(literal), sizeof(literal) - 1

static const struct {
	const uint8_t *bytes;
	size_t len;
	const char *mime;
} table[] = {
	{BYTES("SDPX\0\0\x20\0V2.0"), "image/x-dpx"},
	{BYTES("XPDS\0\x20\0\0V2.0"), "image/x-dpx"},
	{BYTES("\x76\x2f\x31\x01\x02\0\0\0"), "image/x-exr"},
	{BYTES("8BPS\0\1\0\0\0\0\0\0\0\3"), "image/vnd.adobe.photoshop"},
	{BYTES("8BPS\0\2\0\0\0\0\0\0\0\3"), "image/vnd.adobe.photoshop"},
	{BYTES("CSFCHUNK\0\0\0\0"), "application/x-clip-studio"},
	{BYTES("//Maya ASCII 2020 scene\n"), "application/x-maya-ascii"},
	{BYTES("FOR4\0\0\1\0Maya"), "application/x-maya-binary"},
	{BYTES("FOR8\0\0\0\0\0\0\0\0\0\0\1\0Maya"), "application/x-maya-binary"},
	{BYTES("BLENDER-v293REND"), "application/x-blender"},
	{BYTES("FORM\0\0\1\0DEEPDGBL"), "image/x-tvpaint-deep"},
	{BYTES("RIFX\0\0\1\0Egg!svap"), "application/vnd.adobe.aftereffects.project"},
	{BYTES("Kaydara FBX Binary  \0\x1a\0"), "application/x-fbx"},
	{BYTES("; FBX 7.7.0 project file\n"), "application/x-fbx"},
	{BYTES("PXR-USDC\0\x08\0\0"), "application/x-usd-crate"},
	{BYTES("#usda 1.0\n"), "model/vnd.usda"},
	{BYTES("Ogawa\xff\0\1"), "application/x-alembic"},
	{BYTES("\x06\x0e\x2b\x34\x02\x05\x01\x01"), "application/mxf"},
	{BYTES("\0\0\0\x08wide\0\0\1\0mdat"), "video/quicktime"},
	{BYTES("\0\0\0\x14" "ftypqt  \0\0\2\0qt  " "\0\0\1\0moov\0\0\0\x64stsd\0\0\0\0\0\0\0\1\0\0\0\x54" "apch"),
	        "video/quicktime"},
	{BYTES("<?xml version=\"1.0\"?>\n<project source=\"harmony\" version=\"1505\">"),
	        "application/x-toonboom-xstage"},
	{BYTES("RIFF\0\x10\0\0WEBPVP8 "), "image/webp"},
	{BYTES("BM\0\x10\0\0\0\0\0\0\x36\0\0\0"), "image/bmp"},
	{BYTES("\x1f\x8b\x08\0\0\0\0\0\0\3garbage"), "application/gzip"},
	{BYTES("\x28\xb5\x2f\xfdgarbage"), "application/zstd"},
	{BYTES("BZh91AY&SY"), "application/x-bzip2"},
	{BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0"), "image/jpeg"},
	{BYTES("GIF89a\1\0\1\0"), "image/gif"},
	{BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0"), "image/png"},
	{BYTES("II*\0\x08\0\0\0"), "image/tiff"},
	{BYTES("\0\0\0\x20" "ftypisom\0\0\2\0isomiso2avc1mp41"), "video/mp4"},
	{BYTES("\0\0\0\x18" "ftypM4A \0\0\0\0M4A isom"), "audio/x-m4a"},
	{BYTES("\0\0\0\x1c" "ftypavif\0\0\0\0avifmif1miaf"), "image/avif"},
	{BYTES("\0\0\0\x14" "ftypqt  \0\0\2\0qt  "), "video/quicktime"},
};

static const struct {
	const uint8_t *bytes;
	size_t len;
} strangers[] = {
	{BYTES("")},
	{BYTES("FOR4\0\0\1\0CIMG")},
	{BYTES("FORM\0\0\1\0ILBM")},
	{BYTES("RIFX\0\0\1\0WAVE")},
	{BYTES("<?xml version=\"1.0\"?>\n<project name=\"ant\"><!-- harmony -->")},
	{BYTES("\0\0\0\x14" "ftypzzzz")},
	{BYTES("\0\0\1\x14" "ftypmp42")},
	{BYTES("\0\0\0\x14" "ftypmp4")},
	{BYTES("BMW is no image")},
	{BYTES("\x47 alone is no film")},
};

static void
test_table(void **state)
{
	(void)state;
	struct filetype_answer a;
	for (size_t i = 0; i < COUNT(table); i++)
		for (size_t len = 0; len <= table[i].len; len++) {
			uint8_t *copy = malloc(len + (len == 0));
			memcpy(copy, table[i].bytes, len);
			int found = filetype_by_table(copy, len, &a);
			if (len == table[i].len) {
				assert_int_equal(found, 0);
				assert_string_equal(a.mime, table[i].mime);
				assert_true(a.kind[0] != '\0');
			}
			free(copy);
		}
	for (size_t i = 0; i < COUNT(strangers); i++)
		assert_int_equal(filetype_by_table(strangers[i].bytes, strangers[i].len, &a), -1);
}

/* A Blender scene packed whole, and its first 4 KB. */
static void
test_packed(void **state)
{
	(void)state;
	uint8_t scene[20000], gzip[21000], zstd[21000];
	struct filetype_answer a;
	uint32_t noise = 1;
	memcpy(scene, "BLENDER-v300", 12);
	for (size_t i = 12; i < sizeof scene; i++)
		scene[i] = (uint8_t)((noise = noise * 1664525 + 1013904223) >> 24);

	z_stream z = {.next_in = scene, .avail_in = sizeof scene, .next_out = gzip, .avail_out = sizeof gzip};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	size_t zstd_len = ZSTD_compress(zstd, sizeof zstd, scene, sizeof scene, 3);
	assert_false(ZSTD_isError(zstd_len));

	assert_int_equal(filetype_by_table(gzip, 4096, &a), 0);
	assert_string_equal(a.mime, "application/x-blender");
	assert_int_equal(filetype_by_table(zstd, zstd_len, &a), 0);
	assert_string_equal(a.mime, "application/x-blender");
}

static void
test_magic(void **state)
{
	(void)state;
	static const struct {
		const uint8_t *bytes;
		size_t len;
		const char *mime;
	} rows[] = {
		{BYTES("plain words\n"), "text/plain"},
		{BYTES("\xef\xbb\xbf\r\n <!DOCTYPE HTML PUBLIC>"), "text/html"},
		{BYTES("\x7d\x1c\xa9\x03\x5e\xf2\x88\x41\xc7\x2b\x90\xe6\x13\x74\xbd\x0a\x66\xd8\x39\x9f\x52\xeb\x04\xb1"
		       "\x2e\x87\xfc\x18\xa3\x5b\xce\x70\x95\x0f\x4a\xd1\x36\xe9\x83\x1f\xba\x57\x6c\xf4\x08\x99\x22\xdd"
		       "\x4e\xb7\x61\x3c\xa8\x15\xf0\x8b\x2d\xc6\x79\x94\x50\xef\x0b\xa2"), "application/octet-stream"},
		{BYTES("\xeb\xaf\xb8\xec\x88\xa0"), "text/plain"},
		{BYTES("\xeb\xaf\xb8\xec\x88"), "text/plain"}, /* cut in a character */
		{BYTES("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), "application/pdf"},
		{BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0"), "image/png"},
		{BYTES("<html><body>"), "text/html"},
		{BYTES(" { \"a\" : [1, 2"), "application/json"},
		{BYTES("[{\"a\":1}, {"), "application/json"},
		{BYTES("[\"a\", 1, 2]"), "application/json"},
		{BYTES("{ \"a\" }"), "text/plain"},
		{BYTES("\0\0\0\0\0\0\0\0"), "application/octet-stream"},
		{BYTES("<?xml version=\"1.0\"?>\n<!-- x -->\n<D:multistatus>"), "text/xml"},
		{BYTES("<?xml version=\"1.0\"?><!DOCTYPE svg><svg width=\"1\">"), "image/svg+xml"},
		{BYTES("<?xml version=\"1.0\"?>"), "text/xml"},
		/* letters by chance, and noise behind them */
		{BYTES("abcd\x5e\xf2\x88\x41\xc7\x2b\x90\xe6\x13\x74\xbd\x0a\x66\xd8\x39\x9f\x52\xeb\x04\xb1"
		       "\x2e\x87\xfc\x18\xa3\x5b\xce\x70\x95\x0f\x4a\xd1\x36\xe9\x83\x1f\xba\x57\x6c\xf4"), "application/octet-stream"},
		{BYTES("\0\0\0\x20" "ftypisom\0\0\2\0isomiso2avc1mp41"), "video/mp4"},
		{BYTES("\x01\x02\x03\x04\x05\x06\x07"), "application/octet-stream"},
	};
	struct filetype_answer a;
	struct filetype *f = filetype_open(false);
	assert_non_null(f);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(filetype_detect(f, rows[i].bytes, rows[i].len, &a), 0);
		if (strcmp(a.mime, rows[i].mime) != 0)
			fail_msg("row %d: got %s, want %s", (int)i, a.mime, rows[i].mime);
	}
	filetype_close(f);
}

/* The answer to the same bytes is the same, whatever was asked between: texts that libmagic alone knows. */
static void
test_again(void **state)
{
	(void)state;
	struct filetype_answer first[600], a;
	struct filetype *f = filetype_open(false), *fresh = filetype_open(false);
	for (size_t round = 0; round < 2; round++)
		for (unsigned i = 0; i < COUNT(first); i++) {
			char text[80];
			int len = snprintf(text, sizeof text, i % 3 == 0   ? "#!/bin/tool%u\n\xb0\xa1\n"
			                                      : i % 3 == 1 ? "%%!PS of %u"
			                                                   : "\xb0\xa1\xb3\xaa of %u\n", i);
			assert_int_equal(filetype_detect(f, (const uint8_t *)text, (size_t)len, &a), 0);
			if (round == 0)
				first[i] = a;
			assert_string_equal(a.mime, first[i].mime);
			assert_string_equal(a.kind, first[i].kind);
			if (round == 0 || i % 50 > 0)
				continue;
			assert_int_equal(filetype_detect(fresh, (const uint8_t *)text, (size_t)len, &a), 0);
			assert_string_equal(a.mime, first[i].mime);
			assert_string_equal(a.kind, first[i].kind);
		}
	filetype_close(f);
	filetype_close(fresh);
}

/* Without libmagic: the table, and what text begins with. */
static void
test_no_magic(void **state)
{
	(void)state;
	static const uint8_t script[] = "#!/bin/sh\nls\n", text[] = "plain words\n";
	struct filetype_answer a;
	struct filetype *f = filetype_open(true);
	assert_non_null(f);
	assert_int_equal(filetype_detect(f, table[0].bytes, table[0].len, &a), 0);
	assert_string_equal(a.mime, table[0].mime);
	assert_int_equal(filetype_detect(f, text, sizeof text - 1, &a), 0);
	assert_string_equal(a.mime, "text/plain");
	assert_int_equal(filetype_detect(f, script, sizeof script - 1, &a), -1);
	assert_string_equal(a.mime, "");
	filetype_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_magic),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_no_magic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
