libwaybill_a_SOURCES += \
	src/transfer/assembly.c \
	src/transfer/assembly.h \
	src/transfer/note.c \
	src/transfer/note.h \
	src/transfer/expect.c \
	src/transfer/expect.h \
	src/transfer/extent.c \
	src/transfer/extent.h \
	src/transfer/fact.c \
	src/transfer/fact.h \
	src/transfer/filetable.c \
	src/transfer/filetype.c \
	src/transfer/filetype.h \
	src/transfer/infer.c \
	src/transfer/infer.h \
	src/transfer/joined.c \
	src/transfer/name.c \
	src/transfer/name.h \
	src/transfer/parts.c \
	src/transfer/parts.h \
	src/transfer/session.c \
	src/transfer/session.h \
	src/transfer/sha256.c \
	src/transfer/sha256.h \
	src/transfer/tracker.c \
	src/transfer/tracker.h \
	src/transfer/transfer.c \
	src/transfer/transfer.h \
	src/transfer/waybill.c \
	src/transfer/waybill.h

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_transfer
TESTS += tests/unit/test_transfer
tests_unit_test_transfer_SOURCES = tests/unit/test_transfer.c
tests_unit_test_transfer_LDADD = $(unit_ldadd)
tests_unit_test_transfer_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_assembly
TESTS += tests/unit/test_assembly
tests_unit_test_assembly_SOURCES = tests/unit/test_assembly.c
tests_unit_test_assembly_LDADD = $(unit_ldadd)
tests_unit_test_assembly_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_detail
TESTS += tests/unit/test_detail
tests_unit_test_detail_SOURCES = tests/unit/test_detail.c tests/unit/proto_stage.h
tests_unit_test_detail_LDADD = $(unit_ldadd)
tests_unit_test_detail_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_expect
TESTS += tests/unit/test_expect
tests_unit_test_expect_SOURCES = tests/unit/test_expect.c
tests_unit_test_expect_LDADD = $(unit_ldadd)
tests_unit_test_expect_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_infer
TESTS += tests/unit/test_infer
tests_unit_test_infer_SOURCES = tests/unit/test_infer.c
tests_unit_test_infer_LDADD = $(unit_ldadd)
tests_unit_test_infer_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_fact
TESTS += tests/unit/test_fact
tests_unit_test_fact_SOURCES = tests/unit/test_fact.c
tests_unit_test_fact_LDADD = $(unit_ldadd)
tests_unit_test_fact_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)

check_PROGRAMS += tests/unit/test_filetype
TESTS += tests/unit/test_filetype
tests_unit_test_filetype_SOURCES = tests/unit/test_filetype.c
tests_unit_test_filetype_LDADD = $(unit_ldadd)
tests_unit_test_filetype_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

EXTRA_DIST += tests/fuzz/corpus/assembly
if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_assembly
tests_fuzz_fuzz_assembly_SOURCES = tests/fuzz/fuzz_assembly.c
tests_fuzz_fuzz_assembly_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_assembly_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
