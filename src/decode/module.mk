libwaybill_a_SOURCES += \
	src/decode/decode.c \
	src/decode/decode.h

if UNIT_TESTS
endif
