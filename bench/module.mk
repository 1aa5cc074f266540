# make bench: waybill against a no-op libpcap loop over the same captures.
EXTRA_PROGRAMS += bench/generate bench/noop
bench_generate_SOURCES = bench/generate.c
bench_noop_SOURCES = bench/noop.c
bench_noop_LDADD = $(PCAP_LIBS)
EXTRA_DIST += bench/bench
CLEANFILES += bench/generate bench/noop

.PHONY: bench
bench: waybill bench/generate bench/noop
	$(PYTHON3) $(srcdir)/bench/bench --build $(builddir)
