/*
 * As little of XML as such bodies use: elements without attributes, whose content is text without entities. Prefixes of
 * namespaces, comments and CDATA are not known.
 */
#include "config.h"

#include "proto/http_list.h"

#include <stdlib.h>
#include <string.h>

static void take(struct http_list *l, uint8_t c);
static bool is_wanted(const struct http_list *l);
static void keep(struct http_list *l);
static bool make_room(struct http_list *l);

struct http_list *
http_list_create(const char *const *elements)
{
	struct http_list *l = calloc(1, sizeof *l);
	if (l != NULL)
		l->elements = elements;
	return l;
}

void
http_list_destroy(struct http_list *l)
{
	if (l == NULL)
		return;
	free(l->all);
	free(l->end);
	free(l);
}

const uint8_t *
http_list_item(const struct http_list *l, size_t index, size_t *len)
{
	const size_t from = index > 0 ? l->end[index - 1] : 0;
	*len = l->end[index] - from;
	return l->all + from;
}

void
http_list_feed(struct http_list *l, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		take(l, bytes[i]);
}

static void
take(struct http_list *l, uint8_t c)
{
	switch (l->state) {
	case HTTP_LIST_BETWEEN:
		if (c == '<')
			l->state = HTTP_LIST_TAG;
		l->len = 0;
		return;
	case HTTP_LIST_TAG:
		if (c != '>' && l->len < sizeof l->tag)
			l->tag[l->len] = (char)c;
		if (c != '>') {
			l->len++;
			return;
		}
		l->state = is_wanted(l) ? HTTP_LIST_TEXT : HTTP_LIST_BETWEEN;
		l->len = 0;
		return;
	case HTTP_LIST_TEXT:
		if (c != '<' && l->len < sizeof l->text)
			l->text[l->len] = c;
		if (c != '<') {
			l->len++;
			return;
		}
		keep(l);
		l->state = HTTP_LIST_TAG;
		l->len = 0;
	}
}

static bool
is_wanted(const struct http_list *l)
{
	for (size_t i = 0; l->elements[i] != NULL; i++)
		if (strlen(l->elements[i]) == l->len && memcmp(l->elements[i], l->tag, l->len) == 0)
			return true;
	return false;
}

static void
keep(struct http_list *l)
{
	if (l->len == 0 || l->len > sizeof l->text || !make_room(l)) {
		l->broken = true;
		return;
	}
	memcpy(l->all + l->all_len, l->text, l->len);
	l->all_len += l->len;
	l->end[l->count++] = (uint32_t)l->all_len;
}

/* For the text and one more item. */
static bool
make_room(struct http_list *l)
{
	if (l->count == HTTP_LIST_MAX)
		return false;
	if (l->count == l->room) {
		size_t room = l->room > 0 ? l->room * 2 : 64;
		uint32_t *end = realloc(l->end, room * sizeof *end);
		if (end == NULL)
			return false;
		l->end = end;
		l->room = room;
	}
	if (l->len > l->all_room - l->all_len) {
		size_t room = l->all_room > 0 ? l->all_room * 2 : 1024;
		uint8_t *all = realloc(l->all, room);
		if (all == NULL)
			return false;
		l->all = all;
		l->all_room = room;
	}
	return true;
}
