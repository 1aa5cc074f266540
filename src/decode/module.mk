libwaybill_a_SOURCES += \
	src/decode/checksum.c \
	src/decode/checksum.h \
	src/decode/decode.c \
	src/decode/decode.h \
	src/decode/decoder.h \
	src/decode/duplicate.c \
	src/decode/duplicate.h \
	src/decode/ether.c \
	src/decode/fragment.c \
	src/decode/fragment.h \
	src/decode/ip.c \
	src/decode/link.c \
	src/decode/ppp.c \
	src/decode/transport.c \
	src/decode/tunnel.c \
	src/decode/udptunnel.c \
	src/decode/walk.h \
	src/decode/wlan.c

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_link tests/unit/test_ip tests/unit/test_tunnel \
	tests/unit/test_fragment tests/unit/test_checksum tests/unit/test_duplicate
TESTS += tests/unit/test_link tests/unit/test_ip tests/unit/test_tunnel \
	tests/unit/test_fragment tests/unit/test_checksum tests/unit/test_duplicate
tests_unit_test_link_SOURCES = tests/unit/test_link.c tests/unit/decode_check.h tests/unit/hex.h
tests_unit_test_link_LDADD = $(unit_ldadd)
tests_unit_test_link_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CMOCKA_CFLAGS)
tests_unit_test_ip_SOURCES = tests/unit/test_ip.c tests/unit/decode_check.h tests/unit/hex.h
tests_unit_test_ip_LDADD = $(unit_ldadd)
tests_unit_test_ip_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CMOCKA_CFLAGS)
tests_unit_test_tunnel_SOURCES = tests/unit/test_tunnel.c tests/unit/decode_check.h tests/unit/hex.h
tests_unit_test_tunnel_LDADD = $(unit_ldadd)
tests_unit_test_tunnel_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CMOCKA_CFLAGS)
tests_unit_test_fragment_SOURCES = tests/unit/test_fragment.c tests/unit/decode_check.h tests/unit/hex.h
tests_unit_test_fragment_LDADD = $(unit_ldadd)
tests_unit_test_fragment_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CMOCKA_CFLAGS)
tests_unit_test_checksum_SOURCES = tests/unit/test_checksum.c tests/unit/decode_check.h tests/unit/hex.h
tests_unit_test_checksum_LDADD = $(unit_ldadd)
tests_unit_test_checksum_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CMOCKA_CFLAGS)
tests_unit_test_duplicate_SOURCES = tests/unit/test_duplicate.c tests/unit/decode_check.h tests/unit/hex.h
tests_unit_test_duplicate_LDADD = $(unit_ldadd)
tests_unit_test_duplicate_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) $(CMOCKA_CFLAGS)
endif

EXTRA_DIST += tests/fuzz/corpus/frame
if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_frame
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c
tests_fuzz_fuzz_frame_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_frame_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
