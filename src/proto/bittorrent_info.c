/* What a torrent holds: the info dictionary (BEP 3), and how sessions hand it on to each other. */
#include "config.h"

#include <string.h>

#include "base/reader.h"
#include "proto/bencode.h"
#include "proto/bittorrent.h"

static bool add(struct torrent *t, uint64_t size, const struct bencode *name, const struct bencode *path);
static bool put(struct torrent *t, const uint8_t *bytes, size_t len);

bool
torrent_parse(struct torrent *t, const uint8_t *info, size_t len)
{
	struct reader r = reader_init(info, len);
	struct bencode d = bencode_take(&r), name = bencode_get(&d, "name.utf-8"), piece = bencode_get(&d, "piece length");
	struct bencode length = bencode_get(&d, "length"), files = bencode_get(&d, "files");
	uint64_t size;

	*t = (struct torrent){0};
	if (name.kind != 's')
		name = bencode_get(&d, "name");
	if (name.kind != 's' || bencode_number(&piece, &t->piece) != 0 || t->piece == 0)
		return false;
	if (bencode_number(&length, &size) == 0)
		return add(t, size, &name, NULL);
	if (files.kind != 'l')
		return false;
	struct reader list = reader_init(files.bytes, files.len);
	bool fits = true;
	while (list.left > 0) {
		struct bencode f = bencode_take(&list), path = bencode_get(&f, "path.utf-8");
		length = bencode_get(&f, "length");
		if (path.kind != 'l')
			path = bencode_get(&f, "path");
		if (!reader_ok(&list) || bencode_number(&length, &size) != 0 || size > UINT64_MAX - t->size)
			return false;
		if (fits && !(fits = add(t, size, &name, &path)))
			t->size += size;
		else if (!fits)
			t->size += size;
	}
	if (!fits) { /* too many, or names that are too long: all are told as one */
		t->files = t->text_len = 0;
		size = t->size;
		t->size = 0;
		return add(t, size, &name, NULL);
	}
	return t->files > 0;
}

/* The file's path: the torrent's name and, of several, the parts of its own. */
static bool
add(struct torrent *t, uint64_t size, const struct bencode *name, const struct bencode *path)
{
	struct reader parts = reader_init(path != NULL ? path->bytes : NULL, path != NULL && path->kind == 'l' ? path->len : 0);
	size_t start = t->text_len;
	bool fits = t->files < TORRENT_FILES_MAX && put(t, name->bytes, name->len);

	while (fits && parts.left > 0) {
		struct bencode part = bencode_take(&parts);
		fits = part.kind == 's' && put(t, (const uint8_t *)"/", 1) && put(t, part.bytes, part.len) &&
		       t->text_len - start <= TORRENT_PATH_MAX;
	}
	if (!fits) {
		t->text_len = start;
		return false;
	}
	t->file[t->files++] = (struct torrent_file){.offset = t->size,
	        .size = size,
	        .path = (uint32_t)start,
	        .path_len = (uint32_t)(t->text_len - start)};
	t->size += size;
	return true;
}

static bool
put(struct torrent *t, const uint8_t *bytes, size_t len)
{
	if (len > sizeof t->text - t->text_len)
		return false;
	if (len > 0)
		memcpy(t->text + t->text_len, bytes, len);
	t->text_len += len;
	return true;
}

static void
write_be64(uint8_t *out, uint64_t n)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(n >> (56 - 8 * i));
}

size_t
torrent_write(const struct torrent *t, uint8_t *out, size_t size)
{
	size_t len = 8;

	write_be64(out, t->piece);
	for (size_t i = 0; i < t->files; i++) {
		const struct torrent_file *f = &t->file[i];
		if (10 + (size_t)f->path_len > size - len)
			return 0;
		write_be64(out + len, f->size);
		out[len + 8] = (uint8_t)(f->path_len >> 8);
		out[len + 9] = (uint8_t)f->path_len;
		memcpy(out + len + 10, t->text + f->path, f->path_len);
		len += 10 + f->path_len;
	}
	return len;
}

bool
torrent_read(struct torrent *t, const uint8_t *bytes, size_t len)
{
	struct reader r = reader_init(bytes, len);

	*t = (struct torrent){.piece = reader_be64(&r)};
	while (reader_ok(&r) && r.left > 0) {
		uint64_t size = reader_be64(&r);
		size_t n = reader_be16(&r);
		struct bencode name = {.kind = 's', .bytes = reader_take(&r, n), .len = n};
		if (!reader_ok(&r) || !add(t, size, &name, NULL))
			return false;
	}
	return reader_ok(&r) && t->files > 0 && t->piece > 0;
}
