libwaybill_a_SOURCES += \
	src/base/addr.c src/base/addr.h \
	src/base/arena.c src/base/arena.h \
	src/base/bell.c src/base/bell.h \
	src/base/charset.c src/base/charset.h \
	src/base/clock.c src/base/clock.h \
	src/base/detail.c src/base/detail.h \
	src/base/digest.c src/base/digest.h \
	src/base/frame.h \
	src/base/hash.c src/base/hash.h \
	src/base/keep.c src/base/keep.h \
	src/base/packet.h \
	src/base/pages.c src/base/pages.h \
	src/base/pool.c src/base/pool.h \
	src/base/reader.h \
	src/base/record.c src/base/record.h \
	src/base/ring.c src/base/ring.h \
	src/base/slab.c src/base/slab.h \
	src/base/table.c src/base/table.h \
	src/base/text.c src/base/text.h \
	src/base/verdict.h

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_base tests/unit/test_ring
TESTS += tests/unit/test_base tests/unit/test_ring
tests_unit_test_ring_SOURCES = tests/unit/test_ring.c
tests_unit_test_ring_LDADD = $(unit_ldadd)
tests_unit_test_ring_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_base_SOURCES = tests/unit/test_base.c
tests_unit_test_base_LDADD = $(unit_ldadd)
tests_unit_test_base_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif
