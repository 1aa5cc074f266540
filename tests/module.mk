# Tests of the whole program: samples and other captures replayed. Unit tests stand with their stages.
AM_TESTS_ENVIRONMENT = \
	WAYBILL='$(abs_builddir)/waybill' PYTHONDONTWRITEBYTECODE=1 \
	XDG_STATE_HOME='$(abs_builddir)/state'; \
	export WAYBILL PYTHONDONTWRITEBYTECODE XDG_STATE_HOME;

dist_check_SCRIPTS += tests/live/interfaces tests/live/lanes tests/live/servers
TESTS += tests/live/interfaces tests/live/lanes tests/live/servers

# What goes wrong, made to go wrong.
dist_check_SCRIPTS += tests/faults/overload
TESTS += tests/faults/overload
dist_check_SCRIPTS += tests/faults/rotate tests/faults/full-disk tests/faults/clock tests/faults/week tests/faults/journal tests/faults/periods
TESTS += tests/faults/rotate tests/faults/full-disk tests/faults/clock tests/faults/week tests/faults/journal tests/faults/periods
dist_check_SCRIPTS += tests/faults/rotate tests/faults/full-disk tests/faults/clock tests/faults/week tests/faults/journal tests/faults/periods tests/faults/memory
TESTS += tests/faults/rotate tests/faults/full-disk tests/faults/clock tests/faults/week tests/faults/journal tests/faults/periods tests/faults/memory
EXTRA_DIST += tests/faults/faults.py tests/faults/packets.py
dist_check_SCRIPTS += tests/faults/privileges
TESTS += tests/faults/privileges
dist_check_SCRIPTS += tests/faults/privileges tests/faults/reload
TESTS += tests/faults/privileges tests/faults/reload

dist_check_SCRIPTS += tests/replay/samples tests/replay/containers tests/replay/corpus tests/replay/workers \
	tests/replay/duplicates
TESTS += tests/replay/samples tests/replay/containers tests/replay/corpus tests/replay/workers \
	tests/replay/duplicates
EXTRA_DIST += tests/fuzz/corpus/pipeline tests/replay/bare.yaml tests/replay/common.py tests/replay/expected

if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_pipeline
tests_fuzz_fuzz_pipeline_SOURCES = tests/fuzz/fuzz_pipeline.c
tests_fuzz_fuzz_pipeline_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_pipeline_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
