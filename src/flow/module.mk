libwaybill_a_SOURCES += \
	src/flow/flow.c \
	src/flow/flow.h

if UNIT_TESTS
endif
