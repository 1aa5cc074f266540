libwaybill_a_SOURCES += \
	src/capture/capture.c \
	src/capture/capture.h

if UNIT_TESTS
endif
