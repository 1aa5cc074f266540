libwaybill_a_SOURCES += \
	src/flow/community_id.c \
	src/flow/describe.c \
	src/flow/each.c \
	src/flow/flow.c \
	src/flow/flow.h \
	src/flow/index.c \
	src/flow/internal.h \
	src/flow/lists.c \
	src/flow/slab.c \
	src/flow/tcp.c

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_flow tests/unit/test_community_id
TESTS += tests/unit/test_flow tests/unit/test_community_id
tests_unit_test_flow_SOURCES = tests/unit/test_flow.c
tests_unit_test_flow_LDADD = $(unit_ldadd)
tests_unit_test_flow_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_community_id_SOURCES = tests/unit/test_community_id.c
tests_unit_test_community_id_LDADD = $(unit_ldadd)
tests_unit_test_community_id_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

EXTRA_DIST += tests/fuzz/corpus/flow

if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_flow
tests_fuzz_fuzz_flow_SOURCES = tests/fuzz/fuzz_flow.c
tests_fuzz_fuzz_flow_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_flow_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
