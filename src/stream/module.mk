libwaybill_a_SOURCES += \
	src/stream/begin.c \
	src/stream/disorder.c \
	src/stream/held.c \
	src/stream/held.h \
	src/stream/internal.h \
	src/stream/order.c \
	src/stream/pool.c \
	src/stream/stream.c \
	src/stream/stream.h

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_stream
TESTS += tests/unit/test_stream
tests_unit_test_stream_SOURCES = tests/unit/test_stream.c
tests_unit_test_stream_LDADD = $(unit_ldadd)
tests_unit_test_stream_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

EXTRA_DIST += tests/fuzz/corpus/stream

if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_stream
tests_fuzz_fuzz_stream_SOURCES = tests/fuzz/fuzz_stream.c
tests_fuzz_fuzz_stream_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_stream_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
