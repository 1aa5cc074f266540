libwaybill_a_SOURCES += \
	src/policy/policy.c \
	src/policy/policy.h

if UNIT_TESTS
endif
