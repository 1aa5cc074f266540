# Measuring: make bench, make bench BASE=REV, make bench-growth, make bench-live, make bench-smoke, make bench-budget. See bench/README.md.
EXTRA_PROGRAMS += bench/noop bench/hash bench/sender
check_PROGRAMS += bench/generate
bench_generate_SOURCES = \
	bench/gen.h bench/generate.c \
	bench/gen_packet.c bench/gen_talk.c bench/gen_seeds.c bench/gen_copy.c bench/gen_seeds.h \
	bench/gen_say.c bench/gen_tls.c bench/gen_files.c bench/gen_smb2.c bench/gen_ssh.c \
	bench/gen_mix.c bench/gen_bulk.c bench/gen_many.c bench/gen_synflood.c
bench_generate_LDADD = $(PCAP_LIBS)
bench_noop_SOURCES = bench/noop.c
bench_noop_LDADD = $(PCAP_LIBS)
bench_hash_SOURCES = bench/hash.c
bench_hash_LDADD = $(PCAP_LIBS) $(CRYPTO_LIBS)
bench_sender_SOURCES = bench/sender.c
bench_sender_LDADD = $(PCAP_LIBS)
EXTRA_DIST += bench/live bench/README.md bench/bench bench/growth bench/common.py bench/budget.json
CLEANFILES += bench/noop bench/hash bench/sender bench/growth.svg

# Instructions against the budget, also a test: skipped where they could not be compared.
dist_check_SCRIPTS += bench/smoke
TESTS += bench/smoke

bench_python = PYTHONDONTWRITEBYTECODE=1 $(PYTHON3)
bench_flags = --build $(builddir) $(if $(BASE),--base $(BASE)) $(BENCH_FLAGS)

.PHONY: bench bench-live bench-growth bench-smoke bench-budget
bench: waybill bench/generate bench/noop bench/hash
	$(bench_python) $(srcdir)/bench/bench $(bench_flags)
bench-growth: waybill bench/generate
	$(bench_python) $(srcdir)/bench/growth --build $(builddir) $(BENCH_FLAGS)
bench-live: waybill bench/generate bench/sender
	$(bench_python) $(srcdir)/bench/live --build $(builddir) $(BENCH_FLAGS)
bench-smoke: waybill bench/generate
	$(bench_python) $(srcdir)/bench/smoke --build $(builddir)
bench-budget: waybill bench/generate
	$(bench_python) $(srcdir)/bench/smoke --build $(builddir) --write

# make bench/events bench/spool: what an event and a stored alert cost. cJSON is for a comparison, where it is installed.
EXTRA_PROGRAMS += bench/events bench/spool
cjson_cppflags = $(shell pkg-config --exists libcjson && echo -DHAVE_CJSON `pkg-config --cflags libcjson`)
cjson_libs = $(if $(findstring HAVE_CJSON,$(cjson_cppflags)),-lcjson)
bench_events_SOURCES = bench/events.c
bench_events_CPPFLAGS = $(AM_CPPFLAGS) $(cjson_cppflags)
bench_events_LDADD = libwaybill.a $(LIB_LIBS) $(cjson_libs)
bench_spool_SOURCES = bench/spool.c
bench_spool_LDADD = libwaybill.a $(LIB_LIBS)
CLEANFILES += bench/events bench/spool
