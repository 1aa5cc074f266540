libwaybill_a_SOURCES += \
	src/proto/conversation.c \
	src/proto/digest.c \
	src/proto/digest.h \
	src/proto/held.c \
	src/proto/held.h \
	src/proto/proto.h \
	src/proto/protos.c \
	src/proto/ftp.c \
	src/proto/http.c \
	src/proto/tls.c \
	src/proto/tls_fingerprint.c \
	src/proto/tls_fingerprint.h \
	src/proto/tls_hello.c \
	src/proto/tls_hello.h \
	src/proto/ssh.c

if UNIT_TESTS
endif
