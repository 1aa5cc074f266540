libwaybill_a_SOURCES += \
	src/output/output.c \
	src/output/output.h \
	src/output/json.c \
	src/output/json.h \
	src/output/event.c \
	src/output/event.h \
	src/output/event_flow.c \
	src/output/event_transfer.c \
	src/output/event_alert.c \
	src/output/event_coverage.c \
	src/output/events.c \
	src/output/summary.c \
	src/output/http_post.c \
	src/output/http_post.h \
	src/output/signature.c \
	src/output/signature.h \
	src/output/spool.c \
	src/output/spool.h \
	src/output/webhook.c

if UNIT_TESTS
endif
