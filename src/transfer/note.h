/* What sessions leave for others between the same hosts: a file handle's name, a session key's user. */
#ifndef WAYBILL_TRANSFER_NOTE_H
#define WAYBILL_TRANSFER_NOTE_H

#include <stddef.h>
#include <sys/queue.h>

#include "base/table.h"

struct note;
TAILQ_HEAD(note_list, note);

struct notes {
	struct table *by_key;
	struct note_list order; /* the one written longest ago first */
	size_t bytes;           /* of all notes */
};

int notes_init(struct notes *n); /* 0, or -1: out of memory */
void notes_clear(struct notes *n);

#endif
