libwaybill_a_SOURCES += \
	src/output/output.c \
	src/output/output.h \
	src/output/json.c \
	src/output/json.h \
	src/output/event.c \
	src/output/events.c \
	src/output/summary.c \
	src/output/webhook.c

if UNIT_TESTS
endif
