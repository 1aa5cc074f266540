/* Signatures of webhooks, against the convention's own example. */
#include "config.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "output/signature.h"

static const struct {
	const char *secret, *id;
	int64_t timestamp;
	const char *body, *signature;
} good[] = {
	/* the example of the Standard Webhooks libraries */
	{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}",
	 "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	/* a plain text is the key itself */
	{"secret", "a", 0, "", "v1,GdO3R/PZMS4ebGngZTII0vineN5OOVyI67/D22Es1uU="},
	{"whsec_c2VjcmV0", "a", 0, "", "v1,GdO3R/PZMS4ebGngZTII0vineN5OOVyI67/D22Es1uU="},
	/* unpadded and padded base64 of "secret12" */
	{"whsec_c2VjcmV0MTI=", "alert-1-open", 1700000000, "{}", "v1,vXEDYD+VZDcD0DIlZizEtWWLCofgfZPVyMNIhqjDpIs="},
	{"whsec_c2VjcmV0MTI", "alert-1-open", 1700000000, "{}", "v1,vXEDYD+VZDcD0DIlZizEtWWLCofgfZPVyMNIhqjDpIs="},
};

static const char *const bad[] = {
	"", "whsec_", "whsec_=", "whsec_====", "whsec_A", "whsec_AAAAA", "whsec_!!!!", "whsec_AA=A", "whsec_AAAA====",
	"whsec_AA AA", "whsec_\xc3\xa4\xc3\xa4",
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char made[SIGNATURE_TEXT_MAX];
		struct signature_key key;

		assert_int_equal(signature_key_init(&key, good[i].secret), 0);
		assert_int_equal(signature_make(&key, good[i].id, good[i].timestamp, good[i].body, strlen(good[i].body), made), 0);
		assert_string_equal(made, good[i].signature);
	}
}

static void
test_bad(void **state)
{
	struct signature_key key;
	char text[SIGNATURE_KEY_MAX + 2];
	(void)state;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(signature_key_init(&key, bad[i]), -1);
	memset(text, 'k', sizeof text);
	text[SIGNATURE_KEY_MAX] = '\0';
	assert_int_equal(signature_key_init(&key, text), 0);
	assert_int_equal(key.len, SIGNATURE_KEY_MAX);
	text[SIGNATURE_KEY_MAX] = 'k';
	text[SIGNATURE_KEY_MAX + 1] = '\0';
	assert_int_equal(signature_key_init(&key, text), -1);
}

/* Long keys never write past the end, whatever their base64 says. */
static void
test_every_length(void **state)
{
	char text[6 + 512 + 1] = "whsec_";
	struct signature_key key;
	(void)state;

	for (size_t len = 1; len <= 512; len++) {
		memset(text + 6, 'A', len);
		text[6 + len] = '\0';
		if (signature_key_init(&key, text) == 0)
			assert_int_equal(key.len, len * 3 / 4);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
