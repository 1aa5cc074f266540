/* Long transfers by HTTP and FTP. A file begins as an OpenEXR image or a zip archive does; the rest is noise. */
#include <string.h>

#include "gen.h"

static void file_bytes(const struct talk *t, struct message *m);
static const char *file_suffix(const struct talk *t);

bool
say_http_put(const struct gen *g, const struct talk *t, struct message *m)
{
	(void)g;
	if (t->turn >= 2)
		return false;
	m->from_server = t->turn == 1;
	if (m->from_server) {
		message_text(m, "HTTP/1.1 201 Created\r\nServer: store\r\nContent-Length: 0\r\n\r\n");
		return true;
	}
	message_text(m,
	        "PUT /shots/%08x.%s HTTP/1.1\r\nHost: store.example.net\r\nUser-Agent: studio-agent/3.1\r\n"
	        "Content-Length: %u\r\n\r\n",
	        t->salt, file_suffix(t), t->size);
	file_bytes(t, m);
	return true;
}

bool
say_http_get(const struct gen *g, const struct talk *t, struct message *m)
{
	(void)g;
	if (t->turn >= 2)
		return false;
	m->from_server = t->turn == 1;
	if (!m->from_server) {
		message_text(m, "GET /shots/%08x.%s HTTP/1.1\r\nHost: store.example.net\r\nUser-Agent: studio-agent/3.1\r\n\r\n",
		        t->salt, file_suffix(t));
		return true;
	}
	message_text(m, "HTTP/1.1 200 OK\r\nServer: store\r\nContent-Type: application/octet-stream\r\nContent-Length: %u\r\n\r\n", t->size);
	file_bytes(t, m);
	return true;
}

/* The control channel: RFC 959; EPSV of RFC 2428 over IPv6. */
bool
say_ftp(const struct gen *g, const struct talk *t, struct message *m)
{
	(void)g;
	uint16_t port = ftp_data_port(t);
	struct address server = address_of(t->host[1], false);
	const uint8_t *b = server.bytes;
	const char *verb = t->plot == PLOT_FTP_STOR ? "STOR" : "RETR";

	m->from_server = t->turn % 2 == 0;
	switch (t->turn) {
	case 0: message_text(m, "220 (studio store)\r\n"); return true;
	case 1: message_text(m, "USER studio_%02u\r\n", t->salt % 50); return true;
	case 2: message_text(m, "331 Please specify the password.\r\n"); return true;
	case 3: message_text(m, "PASS not-recorded\r\n"); return true;
	case 4: message_text(m, "230 Login successful.\r\n"); return true;
	case 5: message_text(m, "TYPE I\r\n"); return true;
	case 6: message_text(m, "200 Switching to Binary mode.\r\n"); return true;
	case 7: message_text(m, t->v6 ? "EPSV\r\n" : "PASV\r\n"); return true;
	case 8:
		if (t->v6)
			message_text(m, "229 Entering Extended Passive Mode (|||%u|)\r\n", port);
		else
			message_text(m, "227 Entering Passive Mode (%u,%u,%u,%u,%u,%u).\r\n", b[0], b[1], b[2], b[3], port >> 8, port & 255u);
		return true;
	case 9: message_text(m, "%s shot_%08x.%s\r\n", verb, t->salt, file_suffix(t)); return true;
	case 10: message_text(m, "150 Ok to send data.\r\n"); return true;
	case 11: m->from_server = true; message_text(m, "226 Transfer complete.\r\n"); return true;
	case 12: m->from_server = false; message_text(m, "QUIT\r\n"); return true;
	case 13: m->from_server = true; message_text(m, "221 Goodbye.\r\n"); return true;
	default: return false;
	}
}

uint16_t
ftp_data_port(const struct talk *control)
{
	return (uint16_t)(10000 + mixed(control->salt) % 20000);
}

bool
say_ftp_data(const struct gen *g, const struct talk *t, struct message *m)
{
	(void)g;
	if (t->turn >= 1)
		return false;
	m->from_server = t->plot == PLOT_FTP_DATA_DOWN;
	file_bytes(t, m);
	return true;
}

static void
file_bytes(const struct talk *t, struct message *m)
{
	static const uint8_t exr[8] = {0x76, 0x2f, 0x31, 0x01, 2, 0, 0, 0};
	static const uint8_t zip[8] = {'P', 'K', 3, 4, 20, 0, 0, 0};
	message_bytes(m, t->salt % 2 == 0 ? exr : zip, 8);
	m->body = t->size - 8;
}

static const char *
file_suffix(const struct talk *t)
{
	return t->salt % 2 == 0 ? "exr" : "zip";
}
