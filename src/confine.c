#include "config.h"

#include "confine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPOOL_FILES = 3 }; /* that SQLite and the lock add to it */

struct paths {
	const char **path;
	size_t count, room;
};

static size_t path_room(const struct conf *conf);
static void take_reads(struct paths *p, const struct options *options, const struct conf *conf);
static void take_writes(struct paths *p, const struct conf *c, char beside[][PATH_MAX]);
static void take(struct paths *p, const char *path);

int
confine(const struct options *options, const struct conf *conf, priv_note_fn *note, void *ctx, char *error, size_t size)
{
	char beside[SPOOL_FILES][PATH_MAX];
	const size_t room = path_room(conf);
	struct paths reads = {.path = calloc(room, sizeof *reads.path), .room = room};
	struct paths writes = {.path = calloc(room, sizeof *writes.path), .room = room};
	int result = -1;
	if (reads.path == NULL || writes.path == NULL) {
		snprintf(error, size, "out of memory");
	} else {
		take_reads(&reads, options, conf);
		take_writes(&writes, conf, beside);
		const struct priv_conf wanted = {
		        .user = conf->user,
		        .reads_everything = options->command == COMMAND_REPLAY,
		        .reads = reads.path, .read_count = reads.count,
		        .writes = writes.path, .write_count = writes.count};
		result = priv_drop(&wanted, note, ctx, error, size);
	}
	free(reads.path);
	free(writes.path);
	return result;
}

/* More than there can be: lists, databases, a certificate for each webhook, and what there is one of. */
static size_t
path_room(const struct conf *conf)
{
	return conf->attribution.database_count + conf->attribution.list_count + conf->output.webhook_count + 32;
}

/* What a reload reads again, and what is read for each delivery. */
static void
take_reads(struct paths *p, const struct options *options, const struct conf *conf)
{
	const struct attribution_conf *a = &conf->attribution;
	take(p, options->conf);
	take(p, a->sanctioned);
	take(p, a->services);
	take(p, a->embedded_database);
	for (size_t i = 0; !a->no_auto_detect && attribution_usual_place(i) != NULL; i++)
		if (access(attribution_usual_place(i), F_OK) == 0)
			take(p, attribution_usual_place(i));
	for (size_t i = 0; i < a->database_count; i++)
		take(p, a->databases[i]);
	for (size_t i = 0; i < a->list_count; i++)
		take(p, a->lists[i].path);
	for (size_t i = 0; i < conf->output.webhook_count; i++)
		take(p, conf->output.webhooks[i].ca_file);
}

/* Every file that a sink makes, opens again or removes: a new sink adds its own here. And a socket that goes at the end. */
static void
take_writes(struct paths *p, const struct conf *c, char beside[][PATH_MAX])
{
	static const char *const of_spool[SPOOL_FILES] = {"-wal", "-shm", ".lock"};
	const struct output_conf *conf = &c->output;
	take(p, c->web.path);
	if (conf->events_path != NULL && strcmp(conf->events_path, "-") != 0)
		take(p, conf->events_path);
	if (conf->webhook_count == 0)
		return;
	take(p, conf->spool_path);
	for (size_t i = 0; i < SPOOL_FILES; i++)
		if (snprintf(beside[i], PATH_MAX, "%s%s", conf->spool_path, of_spool[i]) < PATH_MAX)
			take(p, beside[i]);
}

static void
take(struct paths *p, const char *path)
{
	if (path != NULL && p->count < p->room)
		p->path[p->count++] = path;
}
