libwaybill_a_SOURCES += \
	src/attribution/attribution.c \
	src/attribution/attribution.h

if UNIT_TESTS
endif
