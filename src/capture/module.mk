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
	src/capture/pcap.c \
	src/capture/pcapng.c \
	src/capture/source.c \
	src/capture/source.h \
	src/capture/tsresol.c \
	src/capture/tsresol.h

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_capture
TESTS += tests/unit/test_capture
tests_unit_test_capture_SOURCES = tests/unit/test_capture.c
tests_unit_test_capture_LDADD = $(unit_ldadd)
tests_unit_test_capture_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif
