libwaybill_a_SOURCES += \
	src/policy/keep.c src/policy/keep.h \
	src/policy/policy.c src/policy/policy.h \
	src/policy/rules.c src/policy/rules.h
