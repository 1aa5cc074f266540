libwaybill_a_SOURCES += \
	src/web/health.c \
	src/web/listen.c \
	src/web/metrics.c \
	src/web/web.c src/web/web.h

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_web
TESTS += tests/unit/test_web
tests_unit_test_web_SOURCES = tests/unit/test_web.c
tests_unit_test_web_LDADD = $(unit_ldadd)
tests_unit_test_web_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

dist_check_SCRIPTS += tests/live/metrics
TESTS += tests/live/metrics
