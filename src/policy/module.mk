libwaybill_a_SOURCES += \
	src/policy/closed.c src/policy/closed.h \
	src/policy/policy.c src/policy/policy.h \
	src/policy/rules.c src/policy/rules.h

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_policy
TESTS += tests/unit/test_policy
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c
tests_unit_test_policy_LDADD = $(unit_ldadd)
tests_unit_test_policy_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif
