libwaybill_a_SOURCES += \
	src/stream/stream.c \
	src/stream/stream.h

if UNIT_TESTS
endif
