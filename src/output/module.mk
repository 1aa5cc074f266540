libwaybill_a_SOURCES += \
	src/output/output.c \
	src/output/output.h \
	src/output/json.c \
	src/output/json.h \
	src/output/event.c \
	src/output/event.h \
	src/output/event_details.c \
	src/output/event_flow.c \
	src/output/event_transfer.c \
	src/output/event_alert.c \
	src/output/event_coverage.c \
	src/output/event_reload.c \
	src/output/event_stats.c \
	src/output/events.c \
	src/output/lines.c \
	src/output/lines_file.c \
	src/output/lines.h \
	src/output/lines_internal.h \
	src/output/summary.c \
	src/output/held.c \
	src/output/held.h \
	src/output/http_post.c \
	src/output/http_post.h \
	src/output/summary.h \
	src/output/summary_tally.c \
	src/output/summary_page.c \
	src/output/summary_text.c \
	src/output/summary_text.h \
	src/output/country.c \
	src/output/describe.c src/output/probe.c \
	src/output/signature.c \
	src/output/signature.h \
	src/output/spool.c \
	src/output/spool.h \
	src/output/spool_file.c \
	src/output/spool_file.h \
	src/output/webhook.c

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_json
TESTS += tests/unit/test_json
tests_unit_test_json_SOURCES = tests/unit/test_json.c
tests_unit_test_json_LDADD = $(unit_ldadd)
tests_unit_test_json_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_event
TESTS += tests/unit/test_event
tests_unit_test_event_SOURCES = tests/unit/test_event.c tests/unit/records.h
tests_unit_test_event_LDADD = $(unit_ldadd)
tests_unit_test_event_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
TESTS += tests/replay/schema
check_PROGRAMS += tests/unit/test_lines
TESTS += tests/unit/test_lines
tests_unit_test_lines_SOURCES = tests/unit/test_lines.c
tests_unit_test_lines_LDADD = $(unit_ldadd)
tests_unit_test_lines_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_summary
TESTS += tests/unit/test_summary
tests_unit_test_summary_SOURCES = tests/unit/test_summary.c tests/unit/records.h
tests_unit_test_summary_LDADD = $(unit_ldadd)
tests_unit_test_summary_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_signature
TESTS += tests/unit/test_signature
tests_unit_test_signature_SOURCES = tests/unit/test_signature.c
tests_unit_test_signature_LDADD = $(unit_ldadd)
tests_unit_test_signature_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_spool
TESTS += tests/unit/test_spool
tests_unit_test_spool_SOURCES = tests/unit/test_spool.c
tests_unit_test_spool_LDADD = $(unit_ldadd)
tests_unit_test_spool_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

# The webhook against a real receiver.
check_PROGRAMS += tests/live/webhook-driver
tests_live_webhook_driver_SOURCES = tests/live/webhook-driver.c
tests_live_webhook_driver_LDADD = libwaybill.a $(LIB_LIBS)
TESTS += tests/live/webhook tests/live/delivery
dist_check_SCRIPTS += tests/live/webhook tests/live/delivery
EXTRA_DIST += tests/live/webhook.py
dist_check_SCRIPTS += tests/replay/schema tests/replay/validate-events
