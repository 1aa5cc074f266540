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
	src/attribution/list.c \
	src/attribution/list.h \
	src/attribution/lists.c \
	src/attribution/mmdb.c \
	src/attribution/mmdb.h \
	src/attribution/mmdb_data.c \
	src/attribution/mmdb_data.h \
	src/attribution/place.c \
	src/attribution/prefix.c \
	src/attribution/prefix.h \
	src/attribution/rows.c \
	src/attribution/rows.h \
	src/attribution/sanctioned.h \
	src/attribution/snapshot.h

# The list as text in the program: geoip/sanctioned.csv, one string a line.
nodist_libwaybill_a_SOURCES = geoip/sanctioned.c
CLEANFILES += geoip/sanctioned.c
geoip/sanctioned.c: $(top_srcdir)/geoip/sanctioned.csv
	$(AM_V_GEN)$(MKDIR_P) geoip && { \
		echo '#include "config.h"' && echo '#include "attribution/sanctioned.h"' && \
		echo 'const char sanctioned_csv[] =' && \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $(top_srcdir)/geoip/sanctioned.csv && \
		echo ';'; } > $@.new && mv $@.new $@

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
endif
