libwaybill_a_SOURCES += \
	src/check/check.c src/check/check.h \
	src/check/findings.c src/check/findings.h \
	src/check/interface.c src/check/interface.h \
	src/check/interfaces.c src/check/interfaces.h \
	src/check/machine.c src/check/machine.h

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_check
TESTS += tests/unit/test_check
tests_unit_test_check_SOURCES = tests/unit/test_check.c
tests_unit_test_check_LDADD = $(unit_ldadd)
tests_unit_test_check_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

dist_check_SCRIPTS += tests/live/check
TESTS += tests/live/check
