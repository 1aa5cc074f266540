/* Details: values under keys; and notes, which sessions leave for each other. */
#include "config.h"

#include "proto_stage.h"

#include "base/detail.h"

static void
test_values(void **state)
{
	(void)state;
	struct details *d = NULL;
	struct detail list[DETAIL_MAX];
	assert_int_equal(details_list(NULL, list), 0);
	assert_int_equal(details_text(&d, "smb.share", "one"), 0);
	assert_int_equal(details_number(&d, "smb.count", 7), 0);
	assert_int_equal(details_text(&d, "smb.share", "two"), 0);
	assert_int_equal(details_text(&d, "smb.share", "one"), 0); /* known */
	assert_int_equal(details_number(&d, "smb.count", UINT64_MAX), 0);
	assert_int_equal(details_list(d, list), 3);
	assert_string_equal(list[0].text, "one"); /* one behind the other */
	assert_string_equal(list[1].text, "two");
	assert_string_equal(list[1].key, "smb.share");
	assert_null(list[2].text);
	assert_true(list[2].number == UINT64_MAX);

	struct arena a;
	arena_init(&a, 0);
	struct details *copy = details_keep(&a, d);
	details_free(d);
	assert_int_equal(details_list(copy, list), 3);
	assert_string_equal(list[1].text, "two");
	assert_null(details_keep(&a, NULL));
	arena_clear(&a);
}

static void
test_limits(void **state)
{
	(void)state;
	static const char *const keys[] = {"a", "b", "c"};
	struct details *d = NULL;
	struct detail list[DETAIL_MAX];
	char value[16];
	size_t taken = 0;
	for (size_t k = 0; k < COUNT(keys); k++)
		for (int i = 0; i < DETAIL_VALUES_MAX + 1; i++) {
			(void)snprintf(value, sizeof value, "%d", i);
			taken += details_text(&d, keys[k], value) == 0;
		}
	assert_int_equal(taken, DETAIL_MAX);
	assert_int_equal(details_list(d, list), DETAIL_MAX);
	assert_int_equal(details_number(&d, "n", 1), -1);
	assert_int_equal(details_text(&d, "a", "0"), 0); /* it stands there */
	details_free(d);
}

/* A session's note is found by those that its scope names. */
static void
test_notes(void **state)
{
	(void)state;
	static const char *const ends[][2] = {
	        {"192.0.2.1", "198.51.100.1"}, {"198.51.100.1", "192.0.2.1"}, /* the same pair */
	        {"192.0.2.9", "198.51.100.1"}, {"192.0.2.9", "198.51.100.9"}};
	static const struct {
		enum note_scope told, asked;
		bool found[COUNT(ends)];
	} rows[] = {
	        {NOTE_PAIR, NOTE_PAIR, {true, true, false, false}},
	        {NOTE_DESTINATION, NOTE_DESTINATION, {true, false, true, false}},
	        {NOTE_DESTINATION, NOTE_SOURCE, {false, true, false, false}},
	        {NOTE_SOURCE, NOTE_SOURCE, {true, false, false, false}},
	        {NOTE_ALL, NOTE_ALL, {true, true, true, true}},
	        {NOTE_ALL, NOTE_PAIR, {false, false, false, false}},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stage s;
		size_t len;
		stage_init(&s);
		for (size_t n = 0; n < COUNT(ends); n++) {
			stage_flow(&s, n, ends[n][0], 1, ends[n][1], 2);
			(void)stage_conversation(&s, n);
		}
		assert_int_equal(session_note(s.flow[0].session, rows[i].told, "k", 1, "old value", 9), 0);
		assert_int_equal(session_note(s.flow[0].session, rows[i].told, "k", 1, "new", 3), 0);
		for (size_t n = 0; n < COUNT(ends); n++) {
			const void *value = session_noted(s.flow[n].session, rows[i].asked, "k", 1, &len);
			assert_int_equal(value != NULL, rows[i].found[n]);
			assert_int_equal(len, value != NULL ? 3 : 0);
			assert_null(session_noted(s.flow[n].session, rows[i].asked, "K", 1, &len));
		}
		stage_clear(&s);
	}
}

/* The oldest go first, and one that is too long is refused. */
static void
test_many_notes(void **state)
{
	(void)state;
	static uint8_t value[8193], key[513];
	struct stage s;
	size_t len;
	stage_init(&s);
	stage_flow(&s, 0, "192.0.2.1", 1, "192.0.2.2", 2);
	(void)stage_conversation(&s, 0);
	struct session *session = s.flow[0].session;
	assert_int_equal(session_note(session, NOTE_ALL, "k", 1, value, sizeof value), -1);
	assert_int_equal(session_note(session, NOTE_ALL, key, sizeof key, value, 1), -1);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(session_note(session, NOTE_ALL, &i, sizeof i, value, sizeof value - 1), 0);
	assert_null(session_noted(session, NOTE_ALL, &(uint32_t){0}, sizeof(uint32_t), &len));
	assert_non_null(session_noted(session, NOTE_ALL, &(uint32_t){4999}, sizeof(uint32_t), &len));
	assert_int_equal(len, sizeof value - 1);
	stage_clear(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_values),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_notes),
	        cmocka_unit_test(test_many_notes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
