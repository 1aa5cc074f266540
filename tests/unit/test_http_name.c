/* What a file is called, and by whose account it was asked for. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/http_auth.h"
#include "proto/http_name.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static struct session_ends
ends(uint16_t port)
{
	static const uint8_t server[4] = {198, 51, 100, 2};
	struct session_ends e = {.port = {40000, port}};
	e.addr[SIDE_DESTINATION] = addr_from_v4(server);
	return e;
}

static void
test_urls(void **state)
{
	(void)state;
	static const struct {
		const char *request, *url, *path;
		uint16_t port;
	} rows[] = {
	        {"GET /a/b.txt?q=1 HTTP/1.1\r\nHost: h.example:81\r\n\r\n", "http://h.example:81/a/b.txt?q=1", "/a/b.txt", 80},
	        {"GET /a HTTP/1.0\r\n\r\n", "http://198.51.100.2/a", "/a", 80},
	        {"GET /a HTTP/1.0\r\n\r\n", "http://198.51.100.2:8080/a", "/a", 8080},
	        {"GET http://u:secret@x/y%20z#f HTTP/1.1\r\nHost: other\r\n\r\n", "http://x/y%20z#f", "/y z", 80},
	        {"GET ftp://x/y HTTP/1.1\r\n\r\n", "ftp://x/y", "/y", 80},
	        {"GET http://x HTTP/1.1\r\n\r\n", "http://x", "", 80},
	        {"GET /\xea\xb0\x80 \"b\" HTTP/1.1\r\nHost: h\r\n\r\n", "http://h/%EA%B0%80%20%22b%22", "/\xea\xb0\x80 \"b\"", 80},
	        {"GET /%zz%4 HTTP/1.1\r\nHost: h\r\n\r\n", "http://h/%zz%4", "/%zz%4", 80},
	        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "http://h", "", 80},
	        {"CONNECT h:443 HTTP/1.1\r\nHost: other\r\n\r\n", "http://h:443", "", 80},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_head h = {.version = 0};
		struct session_ends e = ends(rows[i].port);
		struct arena a;
		size_t len;
		arena_init(&a, 0);
		assert_true(http_head_parse(&h, (const uint8_t *)rows[i].request, strlen(rows[i].request)));
		assert_string_equal(http_url(&a, &h, &e, SIDE_DESTINATION), rows[i].url);
		uint8_t *path = http_path(&a, &h, &len);
		assert_int_equal(len, strlen(rows[i].path));
		assert_memory_equal(path, rows[i].path, len);
		arena_clear(&a);
	}
}

static void
test_declared_names(void **state)
{
	(void)state;
	static const struct {
		const char *fields, *name;
	} rows[] = {
	        {"Content-Disposition: attachment; filename=a.txt\r\nContent-Type: x/y; name=b\r\n", "a.txt"},
	        {"Content-Type: x/y; name=b.txt\r\n", "b.txt"},
	        {"Content-Disposition: inline\r\nContent-Type: x/y; name=b.txt\r\n", "b.txt"},
	        {"Content-Disposition: attachment; filename=\"C:\\x\\a.txt\"\r\n", "a.txt"},
	        {"Content-Disposition: attachment; filename=\"\\\\srv\\x\\a.txt\"\r\n", "a.txt"},
	        {"Content-Disposition: attachment; filename=\"../../etc/passwd\"\r\n", "passwd"},
	        /* Shift_JIS: the second byte of this character is a backslash */
	        {"Content-Disposition: attachment; filename=\"\x83\x5c.txt\"\r\n", "\x83\x5c.txt"},
	        {"Content-Disposition: attachment; filename=\"\"\r\n", NULL},
	        {"Content-Disposition: attachment; filename=\"dir/\"\r\n", NULL},
	        {"Content-Disposition: form-data; name=\"field\"\r\n", NULL},
	        {"", NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct mime_fields f;
		struct mime_text name;
		mime_fields_parse(&f, (const uint8_t *)rows[i].fields, strlen(rows[i].fields));
		bool found = http_declared_name(&f, &name);
		assert_int_equal(found, rows[i].name != NULL);
		if (found) {
			assert_int_equal(name.len, strlen(rows[i].name));
			assert_memory_equal(name.bytes, rows[i].name, name.len);
		}
	}
}

static void
test_users(void **state)
{
	(void)state;
	static const struct {
		const char *field, *user;
	} rows[] = {
	        {"Authorization: Basic Ym9iOnNlY3JldDp4", "bob"},
	        {"authorization: basic   Ym9iOg==", "bob"},
	        {"Proxy-Authorization: Basic Ym9iOnNlY3JldDp4", "bob"},
	        {"Authorization: Bearer x\r\nProxy-Authorization: Basic Ym9iOg==", "bob"},
	        {"Authorization: Digest username=\"bob, the\", realm=\"r\", uri=\"/a,b\"", "bob, the"},
	        {"Authorization: Digest realm=\"r\",username=bob", "bob"},
	        {"Authorization: Digest username*=UTF-8''%c3%a9, userhash=false", "\xc3\xa9"},
	        {"Authorization: Digest username=\"488869477bf257147b804c45308cd62a\", userhash=true", NULL},
	        {"Authorization: Basic Ym9i", NULL},
	        {"Authorization: Basic !!!", NULL},
	        {"Authorization: Basic", NULL},
	        {"Authorization: Digest", NULL},
	        {"Authorization: Bearer bob", NULL},
	        {"Authorization: NTLM TlRMTVNTUAAB", NULL},
	        {"X: y", NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct http_head h = {.version = 0};
		struct mime_text user;
		char request[512];
		int len = snprintf(request, sizeof request, "GET / HTTP/1.1\r\n%s\r\n\r\n", rows[i].field);
		assert_true(http_head_parse(&h, (const uint8_t *)request, (size_t)len));
		bool found = http_auth_user(&h, &user);
		if (found != (rows[i].user != NULL))
			fail_msg("%s", rows[i].field);
		if (found) {
			assert_int_equal(user.len, strlen(rows[i].user));
			assert_memory_equal(user.bytes, rows[i].user, user.len);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_urls),
	        cmocka_unit_test(test_declared_names),
	        cmocka_unit_test(test_users),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
