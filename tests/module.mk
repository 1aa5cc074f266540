# Tests of the whole program: samples and other captures replayed. Unit tests stand with their stages.
AM_TESTS_ENVIRONMENT = \
	WAYBILL='$(abs_builddir)/waybill' PYTHONDONTWRITEBYTECODE=1 \
	XDG_STATE_HOME='$(abs_builddir)/state'; \
	export WAYBILL PYTHONDONTWRITEBYTECODE XDG_STATE_HOME;

dist_check_SCRIPTS += tests/live/interfaces tests/live/lanes tests/live/servers
TESTS += tests/live/interfaces tests/live/lanes tests/live/servers

# What goes wrong, made to go wrong.
fault_tests = tests/faults/clock tests/faults/full-disk tests/faults/journal tests/faults/memory tests/faults/overload \
	tests/faults/periods tests/faults/privileges tests/faults/reload tests/faults/rotate tests/faults/week
replay_tests = tests/replay/samples tests/replay/containers tests/replay/corpus tests/replay/workers tests/replay/duplicates \
	tests/replay/tunnels
dist_check_SCRIPTS += $(fault_tests) $(replay_tests)
TESTS += $(fault_tests) $(replay_tests)
EXTRA_DIST += tests/faults/faults.py tests/faults/packets.py tests/live/ready.py
EXTRA_DIST += tests/fuzz/corpus/pipeline tests/replay/bare.yaml tests/replay/common.py tests/replay/expected

if FUZZER
noinst_PROGRAMS += tests/fuzz/fuzz_pipeline
tests_fuzz_fuzz_pipeline_SOURCES = tests/fuzz/fuzz_pipeline.c
tests_fuzz_fuzz_pipeline_LDADD = libwaybill.a $(LIB_LIBS)
tests_fuzz_fuzz_pipeline_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
