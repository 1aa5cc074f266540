/* The arguments that an rsync client sends its server (options.c of rsync, server_options). */
#include "config.h"

#include "proto/rsync.h"

#include <string.h>

#include "base/text.h"

static void short_options(struct rsync_options *o, const uint8_t *at, size_t len);
static void long_option(struct rsync_options *o, const uint8_t *arg, size_t len);
static void take_path(struct rsync_options *o, const uint8_t *arg, size_t len);

void
rsync_option(struct rsync_options *o, const uint8_t *arg, size_t len)
{
	if (o->paths > 0 || len == 0)
		take_path(o, arg, len);
	else if (len == 1 && arg[0] == '.')
		o->paths = 1;
	else if (len > 2 && arg[0] == '-' && arg[1] == '-')
		long_option(o, arg + 2, len - 2);
	else if (len > 1 && arg[0] == '-')
		short_options(o, arg + 1, len - 1);
}

unsigned
rsync_sum_size(const uint8_t *name, size_t len)
{
	static const struct {
		const char *name;
		unsigned size;
	} sums[] = {{"xxh128", 16}, {"xxh3", 8}, {"xxh64", 8}, {"xxhash", 8}, {"md5", 16}, {"md4", 16}, {"sha1", 20},
	        {"none", 1}};
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
		if (text_equal_nocase(name, len, sums[i].name))
			return sums[i].size;
	return 0;
}

static void
short_options(struct rsync_options *o, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (at[i]) {
		case 'l': o->links = true; break;
		case 'o': o->owner = true; break;
		case 'g': o->group = true; break;
		case 'D': o->devices = o->specials = true; break;
		case 'c': o->checksums = true; break;
		case 'H': o->hard_links = true; break;
		case 'z': o->compress = true; break;
		case 'R': o->relative = true; break;
		case 'n': o->dry_run = true; break;
		case 'm': o->prune = true; break;
		case 's': o->secluded = true; break;
		case 'A':
		case 'X':
		case 'U':
		case 'N': o->unreadable = true; break;
		case 'B': return; /* a number follows */
		case 'e': /* what the client can, behind its protocol's version */
			o->negotiates = memchr(at + i, 'v', len - i) != NULL;
			return;
		default: break;
		}
	}
}

static void
long_option(struct rsync_options *o, const uint8_t *arg, size_t len)
{
	static const struct {
		const char *word;
		size_t at;
	} flags[] = {
	        {"sender", offsetof(struct rsync_options, sender)},
	        {"numeric-ids", offsetof(struct rsync_options, numeric_ids)},
	        {"append", offsetof(struct rsync_options, append)},
	        {"specials", offsetof(struct rsync_options, specials)},
	        {"fake-super", offsetof(struct rsync_options, unreadable)},
	        {"acls", offsetof(struct rsync_options, unreadable)},
	        {"xattrs", offsetof(struct rsync_options, unreadable)},
	        {"prune-empty-dirs", offsetof(struct rsync_options, prune)},
	};
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (text_equal_nocase(arg, len, flags[i].word))
			*(bool *)((char *)o + flags[i].at) = true;
	if (text_prefix_nocase(arg, len, "delete") && !text_equal_nocase(arg, len, "delete-missing-args"))
		o->deletes = true;
	if (text_equal_nocase(arg, len, "append-verify"))
		o->append = true;
	if (text_prefix_nocase(arg, len, "compress-choice=") || text_equal_nocase(arg, len, "old-compress") ||
	        text_equal_nocase(arg, len, "new-compress"))
		o->says_compress = o->compress = true;
	if (text_prefix_nocase(arg, len, "checksum-choice=")) {
		const uint8_t *name = arg + 16, *comma = memchr(name, ',', len - 16);
		o->says_checksum = true;
		o->says_sum_size = (uint8_t)rsync_sum_size(name, comma != NULL ? (size_t)(comma - name) : len - 16);
	}
}

/* Behind "." come the paths; the first is kept. */
static void
take_path(struct rsync_options *o, const uint8_t *arg, size_t len)
{
	if (o->paths++ != 1 || len > sizeof o->path)
		return;
	if (len > 0)
		memcpy(o->path, arg, len);
	o->path_len = len;
}
