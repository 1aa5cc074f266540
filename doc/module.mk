dist_man_MANS += doc/waybill.1 doc/waybill.yaml.5
dist_doc_DATA = doc/events.md doc/operations.md doc/siem.md doc/performance.md doc/protocols.md doc/ssh-estimator.md doc/waybill-event.schema.json doc/waybill.yaml

# doc/protocols.md says what the table of protocols says.
check_PROGRAMS += doc/protocols
doc_protocols_SOURCES = doc/protocols.c
doc_protocols_LDADD = libwaybill.a $(LIB_LIBS)

.PHONY: protocols
protocols: doc/protocols
	doc/protocols > $(srcdir)/doc/protocols.md

dist_check_SCRIPTS += tests/replay/protocols
TESTS += tests/replay/protocols
