libwaybill_a_SOURCES += \
	src/attribution/attribution.c \
	src/attribution/attribution.h \
	src/attribution/country.c \
	src/attribution/csv.c \
	src/attribution/databases.c \
	src/attribution/delegated.c \
	src/attribution/detect.c \
	src/attribution/detect.h \
	src/attribution/geo.c \
	src/attribution/geo.h \
	src/attribution/ladder.c \
	src/attribution/leads.c \
	src/attribution/leads.h \
	src/attribution/list.c \
	src/attribution/list.h \
	src/attribution/lists.c \
	src/attribution/mmdb.c \
	src/attribution/mmdb.h \
	src/attribution/mmdb_data.c \
	src/attribution/mmdb_data.h \
	src/attribution/name.c \
	src/attribution/names.c \
	src/attribution/place.c \
	src/attribution/prefix.c \
	src/attribution/prefix.h \
	src/attribution/rows.c \
	src/attribution/rows.h \
	src/attribution/sanctioned.h \
	src/attribution/services.c \
	src/attribution/services.h \
	src/attribution/snapshot.h

# The lists as text in the program, one string a line.
nodist_libwaybill_a_SOURCES = geoip/sanctioned.c geoip/services.c
CLEANFILES += geoip/sanctioned.c geoip/services.c
geoip/%.c: $(top_srcdir)/geoip/%.csv
	$(AM_V_GEN)$(MKDIR_P) geoip && { \
		echo '#include "config.h"' && echo '#include "attribution/sanctioned.h"' && \
		echo 'const char $*_csv[] =' && \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $< && \
		echo ';'; } > $@.new && mv $@.new $@

dist_check_SCRIPTS += tests/replay/lookup
TESTS += tests/replay/lookup

if UNIT_TESTS
check_PROGRAMS += tests/unit/test_prefix
TESTS += tests/unit/test_prefix
tests_unit_test_prefix_SOURCES = tests/unit/test_prefix.c
tests_unit_test_prefix_LDADD = $(unit_ldadd)
tests_unit_test_prefix_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_geo
TESTS += tests/unit/test_geo
tests_unit_test_geo_SOURCES = tests/unit/test_geo.c tests/unit/mmdb_build.h
tests_unit_test_geo_LDADD = $(unit_ldadd)
tests_unit_test_geo_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_csv
TESTS += tests/unit/test_csv
tests_unit_test_csv_SOURCES = tests/unit/test_csv.c tests/unit/attribution_help.h
tests_unit_test_csv_LDADD = $(unit_ldadd)
tests_unit_test_csv_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_delegated
TESTS += tests/unit/test_delegated
tests_unit_test_delegated_SOURCES = tests/unit/test_delegated.c tests/unit/attribution_help.h
tests_unit_test_delegated_LDADD = $(unit_ldadd)
tests_unit_test_delegated_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_listing
TESTS += tests/unit/test_listing
tests_unit_test_listing_SOURCES = tests/unit/test_listing.c \
	tests/unit/attribution_help.h tests/unit/mmdb_build.h
tests_unit_test_listing_LDADD = $(unit_ldadd)
tests_unit_test_listing_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_names
TESTS += tests/unit/test_names
tests_unit_test_names_SOURCES = tests/unit/test_names.c tests/unit/attribution_help.h
tests_unit_test_names_LDADD = $(unit_ldadd)
tests_unit_test_names_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_leads
TESTS += tests/unit/test_leads
tests_unit_test_leads_SOURCES = tests/unit/test_leads.c tests/unit/attribution_help.h
tests_unit_test_leads_LDADD = $(unit_ldadd)
tests_unit_test_leads_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
check_PROGRAMS += tests/unit/test_lookup
TESTS += tests/unit/test_lookup
tests_unit_test_lookup_SOURCES = tests/unit/test_lookup.c tests/unit/attribution_help.h
tests_unit_test_lookup_LDADD = $(unit_ldadd)
tests_unit_test_lookup_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
endif

EXTRA_DIST += tests/fuzz/corpus/cidr tests/fuzz/corpus/csv tests/fuzz/corpus/delegated tests/fuzz/corpus/mmdb
if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_mmdb
tests_fuzz_fuzz_mmdb_SOURCES = tests/fuzz/fuzz_mmdb.c
tests_fuzz_fuzz_mmdb_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_mmdb_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_csv
tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c tests/fuzz/list_fuzz.h
tests_fuzz_fuzz_csv_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_csv_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_cidr
tests_fuzz_fuzz_cidr_SOURCES = tests/fuzz/fuzz_cidr.c tests/fuzz/list_fuzz.h
tests_fuzz_fuzz_cidr_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_cidr_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_delegated
tests_fuzz_fuzz_delegated_SOURCES = tests/fuzz/fuzz_delegated.c tests/fuzz/list_fuzz.h
tests_fuzz_fuzz_delegated_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_delegated_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
