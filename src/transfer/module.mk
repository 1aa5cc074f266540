libwaybill_a_SOURCES += \
	src/transfer/transfer.c \
	src/transfer/transfer.h

if UNIT_TESTS
endif
