libwaybill_a_SOURCES += \
	src/proto/conversation.c \
	src/proto/held.c \
	src/proto/held.h \
	src/proto/proto.h \
	src/proto/protos.c \
	src/proto/ftp.c \
	src/proto/http.c \
	src/proto/tls.c \
	src/proto/ssh.c

if UNIT_TESTS
endif
