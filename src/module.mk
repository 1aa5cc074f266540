# Tests of what stands directly in src/; every stage names its own.
if UNIT_TESTS
check_PROGRAMS += tests/unit/test_conf
TESTS += tests/unit/test_conf
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c
tests_unit_test_conf_LDADD = $(unit_ldadd)
tests_unit_test_conf_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_loop
TESTS += tests/unit/test_loop
tests_unit_test_loop_SOURCES = tests/unit/test_loop.c
tests_unit_test_loop_LDADD = $(unit_ldadd)
tests_unit_test_loop_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_pace
TESTS += tests/unit/test_pace
tests_unit_test_pace_SOURCES = tests/unit/test_pace.c
tests_unit_test_pace_LDADD = $(unit_ldadd)
tests_unit_test_pace_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_priv
TESTS += tests/unit/test_priv
tests_unit_test_priv_SOURCES = tests/unit/test_priv.c
tests_unit_test_priv_LDADD = $(unit_ldadd)
tests_unit_test_priv_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

EXTRA_DIST += tests/fuzz/corpus/conf
if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
