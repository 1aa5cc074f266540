libwaybill_a_SOURCES += \
	src/capture/capture.c \
	src/capture/capture.h \
	src/capture/codec.h \
	src/capture/codec_gzip.c \
	src/capture/codec_zstd.c \
	src/capture/files.c \
	src/capture/files.h \
	src/capture/filter.c \
	src/capture/filter.h \
	src/capture/format.h \
	src/capture/input.c \
	src/capture/input.h \
	src/capture/live.c \
	src/capture/live.h \
	src/capture/pcap.c \
	src/capture/pcapng.c \
	src/capture/share.c \
	src/capture/share.h \
	src/capture/source.c \
	src/capture/source.h \
	src/capture/tsresol.c \
	src/capture/tsresol.h

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_format tests/unit/test_capture tests/unit/test_corpus tests/unit/test_share
TESTS += tests/unit/test_format tests/unit/test_capture tests/unit/test_corpus tests/unit/test_share
tests_unit_test_format_SOURCES = tests/unit/test_format.c tests/unit/hex.h
tests_unit_test_format_LDADD = $(unit_ldadd)
tests_unit_test_format_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CMOCKA_CFLAGS)
tests_unit_test_capture_SOURCES = tests/unit/test_capture.c
tests_unit_test_capture_LDADD = $(unit_ldadd)
tests_unit_test_capture_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_share_SOURCES = tests/unit/test_share.c
tests_unit_test_share_LDADD = $(unit_ldadd)
tests_unit_test_share_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_corpus_SOURCES = tests/unit/test_corpus.c
tests_unit_test_corpus_LDADD = libwaybill.a $(LIB_LIBS)
endif

EXTRA_DIST += tests/fuzz/corpus/capture
if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_capture
tests_fuzz_fuzz_capture_SOURCES = tests/fuzz/fuzz_capture.c
tests_fuzz_fuzz_capture_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_capture_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
