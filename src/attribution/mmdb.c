#include "config.h"

#include "attribution/mmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum {
	SEPARATOR = 16,              /* zero bytes between tree and data */
	METADATA_MAX = 128 * 1024,   /* it stands in so many bytes at the end */
	RECORD_STEPS = 16 * 1024,    /* values in one record, far above any real one */
	TEXTS_MAX = 256,             /* languages and descriptions */
	FILE_MAX = 2000 * 1000 * 1000,
};

static const char marker[] = "\xab\xcd\xefMaxMind.com";

struct mmdb {
	MMDB_s library;
	const uint8_t *tree;   /* the file's beginning */
	struct mmdb_data data; /* between tree and metadata */
	uint32_t node_count;
	unsigned record_bits;  /* 24, 28 or 32 */
	unsigned depth;        /* of an address: 32 or 128 bits */
	uint64_t built;
	char digest[65];
};

struct metadata {
	uint64_t node_count, record_bits, ip_version, version, built;
	bool has_type;
};

struct walk {
	const struct mmdb *m;
	mmdb_network_fn *fn;
	void *ctx;
	const char **reason;
	uint8_t *visited; /* a bit a node: aliases of the IPv4 part, and cycles, are gone into once */
	struct mmdb_network here; /* .at: the bits that led here */
};

static struct mmdb *open_snapshot(int snapshot, size_t size, const char **reason);
static int snapshot_of_file(const char *path, size_t *size, const char **reason);
static int copy_all(int from, int to, size_t size);
static int check(struct mmdb *m, const uint8_t *bytes, size_t size, const char **reason);
static bool agrees(const struct mmdb *m);
static int read_metadata(void *ctx, struct mmdb_data *d, const struct mmdb_value *key, size_t *at);
static int read_text_pair(void *ctx, struct mmdb_data *d, const struct mmdb_value *key, size_t *at);
static int check_languages(struct mmdb_data *d, size_t at);
static size_t find_marker(const uint8_t *bytes, size_t size);
static int digest_hex(const uint8_t *bytes, size_t size, char hex[65]);
static int walk_node(struct walk *w, uint32_t node, unsigned depth);
static int walk_record(struct walk *w, uint32_t value, unsigned bits);
static void node_read(const struct mmdb *m, uint32_t node, uint32_t child[2]);

struct mmdb *
mmdb_open(const char *path, const char **reason)
{
	struct mmdb *m = NULL;
	size_t size = 0;
	int snapshot = snapshot_of_file(path, &size, reason);
	if (snapshot >= 0) {
		m = open_snapshot(snapshot, size, reason);
		close(snapshot);
	}
	return m;
}

struct mmdb *
mmdb_open_bytes(const void *bytes, size_t len, const char **reason)
{
	struct mmdb *m = NULL;
	int snapshot = memfd_create("waybill-mmdb", MFD_CLOEXEC);
	if (snapshot < 0 || write(snapshot, bytes, len) != (ssize_t)len)
		*reason = "memory is out";
	else
		m = open_snapshot(snapshot, len, reason);
	if (snapshot >= 0)
		close(snapshot);
	return m;
}

void
mmdb_close(struct mmdb *m)
{
	if (m == NULL)
		return;
	MMDB_close(&m->library);
	free(m);
}

void
mmdb_describe(const struct mmdb *m, struct mmdb_about *out)
{
	out->type = m->library.metadata.database_type;
	out->built = m->built;
	memcpy(out->digest, m->digest, sizeof out->digest);
}

struct mmdb_data
mmdb_section(const struct mmdb *m)
{
	return m->data;
}

bool
mmdb_find(const struct mmdb *m, const struct addr *a, size_t *record, unsigned *bits)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool is_v4 = addr_is_v4(a);
	*bits = 0;
	if (!is_v4 && m->depth == 32)
		return false;
	memcpy(&v4.sin_addr, a->bytes + 12, 4);
	memcpy(&v6.sin6_addr, a->bytes, 16);

	int error = MMDB_SUCCESS;
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(
	        &m->library, is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6, &error);
	*bits = found.netmask;
	if (is_v4 && m->depth == 128)
		*bits = *bits > 96 ? *bits - 96 : 0;
	*record = found.entry.offset;
	if (error == MMDB_SUCCESS)
		return found.found_entry && *record < m->data.size;
	*bits = is_v4 ? 32 : 128; /* a broken tree says nothing of other addresses */
	return false;
}

/* IPv4 lies below ::/96, or is all of the tree: there the last 32 bits are an IPv4 network. */
struct addr
mmdb_network_addr(const struct mmdb_network *n, unsigned *bits)
{
	static const uint8_t zero[12];
	bool v4 = n->bits >= 96 && memcmp(n->at, zero, sizeof zero) == 0;
	*bits = v4 ? n->bits - 96 : n->bits;
	return v4 ? addr_from_v4(n->at + 12) : addr_from_v6(n->at);
}

int
mmdb_walk(const struct mmdb *m, mmdb_network_fn *fn, void *ctx, const char **reason)
{
	struct walk w = {.m = m, .fn = fn, .ctx = ctx, .reason = reason};
	w.visited = calloc(m->node_count / 8 + 1, 1);
	*reason = "memory is out";
	if (w.visited == NULL)
		return -1;
	int result = walk_node(&w, 0, 0);
	free(w.visited);
	return result;
}

/* Both children of a node at this depth; w->here.at has the bits that led here. */
static int
walk_node(struct walk *w, uint32_t node, unsigned depth)
{
	const struct mmdb *m = w->m;
	unsigned bit = 128 - m->depth + depth;
	uint8_t mask = (uint8_t)(0x80 >> bit % 8);
	uint32_t child[2];
	int result = 0;

	w->visited[node / 8] |= (uint8_t)(1u << node % 8);
	node_read(m, node, child);
	for (unsigned side = 0; side < 2 && result == 0; side++) {
		uint32_t next = child[side];
		if (side == 1)
			w->here.at[bit / 8] |= mask;
		if (next > m->node_count) {
			result = walk_record(w, next - m->node_count, bit + 1);
		} else if (next < m->node_count && depth + 1 == m->depth) {
			*w->reason = "its search tree is deeper than an address is long";
			result = -1;
		} else if (next < m->node_count && !(w->visited[next / 8] & 1u << next % 8)) {
			result = walk_node(w, next, depth + 1);
		}
	}
	w->here.at[bit / 8] &= (uint8_t)~mask;
	return result;
}

static int
walk_record(struct walk *w, uint32_t value, unsigned bits)
{
	if (value < SEPARATOR || value - SEPARATOR >= w->m->data.size) {
		*w->reason = "its search tree points outside of its data";
		return -1;
	}
	w->here.bits = bits;
	if (w->fn(w->ctx, &w->here, value - SEPARATOR) < 0) {
		*w->reason = "a record in it is malformed";
		return -1;
	}
	return 0;
}

/* A node is two numbers of 24, 28 or 32 bits; of 28, the middle byte has the high bits of both. */
static void
node_read(const struct mmdb *m, uint32_t node, uint32_t child[2])
{
	const uint8_t *p = m->tree + (size_t)node * m->record_bits / 4;
	switch (m->record_bits) {
	case 24:
		child[0] = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		child[1] = (uint32_t)p[3] << 16 | (uint32_t)p[4] << 8 | p[5];
		break;
	case 28:
		child[0] = (uint32_t)(p[3] >> 4) << 24 | (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		child[1] = (uint32_t)(p[3] & 15) << 24 | (uint32_t)p[4] << 16 | (uint32_t)p[5] << 8 | p[6];
		break;
	default:
		child[0] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
		child[1] = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
	}
}

/* A copy of the file in memory that has no name. Its descriptor, or -1. */
static int
snapshot_of_file(const char *path, size_t *size, const char **reason)
{
	struct stat st;
	int snapshot = -1, file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || fstat(file, &st) < 0) {
		*reason = strerror(errno);
	} else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		*reason = S_ISREG(st.st_mode) ? "it is too large" : "it is not a file";
	} else {
		*size = (size_t)st.st_size;
		snapshot = memfd_create("waybill-mmdb", MFD_CLOEXEC);
		if (snapshot < 0 || copy_all(file, snapshot, *size) < 0) {
			*reason = "it cannot be copied into memory";
			if (snapshot >= 0)
				close(snapshot);
			snapshot = -1;
		}
	}
	if (file >= 0)
		close(file);
	return snapshot;
}

static int
copy_all(int from, int to, size_t size)
{
	while (size > 0) {
		ssize_t n = sendfile(to, from, NULL, size);
		if (n <= 0)
			return -1;
		size -= (size_t)n;
	}
	return 0;
}

/* The check comes before libmaxminddb sees the file: it trusts what metadata says in more than one place. */
static struct mmdb *
open_snapshot(int snapshot, size_t size, const char **reason)
{
	char path[32];
	struct mmdb *m = calloc(1, sizeof *m);
	uint8_t *bytes = MAP_FAILED;
	*reason = "memory is out";
	if (m == NULL)
		return NULL;
	if (size > 0)
		bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, snapshot, 0);
	if (bytes == MAP_FAILED) {
		*reason = size == 0 ? "it is empty" : "it cannot be mapped";
		goto fail;
	}
	if (check(m, bytes, size, reason) < 0 || digest_hex(bytes, size, m->digest) < 0)
		goto fail;
	snprintf(path, sizeof path, "/proc/self/fd/%d", snapshot);
	int error = MMDB_open(path, MMDB_MODE_MMAP, &m->library);
	if (error != MMDB_SUCCESS) {
		*reason = MMDB_strerror(error);
		goto fail;
	}
	if (!agrees(m)) {
		*reason = "its metadata says two things at once";
		MMDB_close(&m->library);
		goto fail;
	}
	munmap(bytes, size);
	m->tree = m->library.file_content;
	m->data.bytes = m->tree + (size_t)m->node_count * m->record_bits / 4 + SEPARATOR;
	return m;
fail:
	if (bytes != MAP_FAILED)
		munmap(bytes, size);
	free(m);
	return NULL;
}

/* A key that stands twice could be read one way here and another way by the library. */
static bool
agrees(const struct mmdb *m)
{
	const MMDB_metadata_s *about = &m->library.metadata;
	return about->node_count == m->node_count && about->record_size == m->record_bits &&
	       about->ip_version == (m->depth == 32 ? 4 : 6) && (size_t)m->library.file_size >= m->data.size;
}

/* Is this a database, and are tree, separator, data and metadata where they must be? */
static int
check(struct mmdb *m, const uint8_t *bytes, size_t size, const char **reason)
{
	struct metadata about = {0};
	size_t end = find_marker(bytes, size), at = 0;
	*reason = "it is not a MaxMind DB";
	if (end == size)
		return -1;
	size_t metadata = end + sizeof marker - 1;
	struct mmdb_data d = {bytes + metadata, size - metadata, RECORD_STEPS};
	*reason = "its metadata is malformed";
	if (mmdb_each(&d, &at, read_metadata, &about) < 0 || !about.has_type || about.node_count == 0 ||
	        about.node_count > UINT32_MAX - SEPARATOR)
		return -1;
	*reason = "its format is not one that is known";
	if (about.version != 2 || (about.ip_version != 4 && about.ip_version != 6) ||
	        (about.record_bits != 24 && about.record_bits != 28 && about.record_bits != 32))
		return -1;
	*reason = "it is cut off, or its search tree is larger than the file";
	uint64_t tree = about.node_count * about.record_bits / 4;
	if (tree + SEPARATOR > end)
		return -1;
	m->node_count = (uint32_t)about.node_count;
	m->record_bits = (unsigned)about.record_bits;
	m->depth = about.ip_version == 4 ? 32 : 128;
	m->built = about.built;
	m->data = (struct mmdb_data){NULL, end - (size_t)tree - SEPARATOR, RECORD_STEPS};
	return 0;
}

static int
read_metadata(void *ctx, struct mmdb_data *d, const struct mmdb_value *key, size_t *at)
{
	struct metadata *about = ctx;
	struct mmdb_value v;
	size_t here = *at, value = *at;
	if (mmdb_skip(d, at) < 0 || mmdb_read(d, &here, &v) < 0)
		return -1;
	if (mmdb_is(key, "node_count"))
		about->node_count = v.number;
	else if (mmdb_is(key, "record_size"))
		about->record_bits = v.number;
	else if (mmdb_is(key, "ip_version"))
		about->ip_version = v.number;
	else if (mmdb_is(key, "binary_format_major_version"))
		about->version = v.number;
	else if (mmdb_is(key, "build_epoch"))
		about->built = v.number;
	else if (mmdb_is(key, "database_type"))
		about->has_type = v.type == MMDB_STRING && text_is_utf8(v.bytes, v.size);
	else if (mmdb_is(key, "description"))
		return v.size <= TEXTS_MAX ? mmdb_each(d, &value, read_text_pair, NULL) : -1;
	else if (mmdb_is(key, "languages"))
		return check_languages(d, value);
	return 0;
}

/* Descriptions are text by language. The library takes them apart without such a look. */
static int
read_text_pair(void *ctx, struct mmdb_data *d, const struct mmdb_value *key, size_t *at)
{
	struct mmdb_value v;
	(void)ctx;
	(void)key;
	return mmdb_read(d, at, &v) == 0 && v.type == MMDB_STRING ? 0 : -1;
}

static int
check_languages(struct mmdb_data *d, size_t at)
{
	struct mmdb_value list, v;
	if (mmdb_read(d, &at, &list) < 0 || list.type != MMDB_ARRAY || list.size > TEXTS_MAX)
		return -1;
	at = list.inside;
	for (size_t i = 0; i < list.size; i++) {
		if (mmdb_read(d, &at, &v) < 0 || v.type != MMDB_STRING)
			return -1;
	}
	return 0;
}

/* The last one counts. size: there is none. */
static size_t
find_marker(const uint8_t *bytes, size_t size)
{
	size_t len = sizeof marker - 1;
	size_t lowest = size > METADATA_MAX ? size - METADATA_MAX : 0;
	for (size_t at = size; at >= lowest + len; at--) {
		if (memcmp(bytes + at - len, marker, len) == 0)
			return at - len;
	}
	return size;
}

static int
digest_hex(const uint8_t *bytes, size_t size, char hex[65])
{
	uint8_t digest[32];
	if (EVP_Digest(bytes, size, digest, NULL, EVP_sha256(), NULL) != 1)
		return -1;
	text_hex(hex, digest, sizeof digest);
	return 0;
}
