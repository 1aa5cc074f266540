"""Frames and captures for the fault tests, made here: Ethernet, IPv4, UDP and TCP, without checksums (packets: {checksums: no})."""
import socket, struct

HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)  # nanoseconds, Ethernet
SECOND = 10 ** 9


def ip(protocol, source, destination, payload):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, socket.inet_aton(source), socket.inet_aton(destination))
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + head + payload


def udp(source, sport, destination, dport, payload=b""):
    return ip(17, source, destination, struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload)


def tcp(source, sport, destination, dport, seq, ack, flags, payload=b""):
    return ip(6, source, destination, struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 64000, 0, 0) + payload)


def packet(time, frame):
    return struct.pack("<IIII", time // SECOND, time % SECOND, len(frame), len(frame)) + frame


def put(client, sport, server, name, size):
    """An upload by HTTP: its frames in order."""
    request = b"PUT /%s HTTP/1.1\r\nHost: files.example\r\nContent-Length: %d\r\n\r\n" % (name, size)
    answer = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
    body = b"x" * size
    c, s = 1000, 9000
    to, back = (client, sport, server, 80), (server, 80, client, sport)
    yield tcp(*to, c, 0, 0x02)
    yield tcp(*back, s, c + 1, 0x12)
    yield tcp(*to, c + 1, s + 1, 0x18, request)
    at = c + 1 + len(request)
    for i in range(0, size, 1400):
        yield tcp(*to, at + i, s + 1, 0x18, body[i:i + 1400])
    yield tcp(*back, s + 1, at + size, 0x18, answer)
    yield tcp(*to, at + size, s + 1 + len(answer), 0x11)
    yield tcp(*back, s + 1 + len(answer), at + size + 1, 0x11)
