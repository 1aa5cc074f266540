libwaybill_a_SOURCES += \
	src/decode/checksum.c \
	src/decode/checksum.h \
	src/decode/decode.c \
	src/decode/decode.h \
	src/decode/decoder.h \
	src/decode/ether.c \
	src/decode/fragment.c \
	src/decode/fragment.h \
	src/decode/ip.c \
	src/decode/link.c \
	src/decode/ppp.c \
	src/decode/transport.c \
	src/decode/tunnel.c \
	src/decode/udptunnel.c \
	src/decode/walk.h \
	src/decode/wlan.c

if UNIT_TESTS
endif
