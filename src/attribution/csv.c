#include "config.h"

#include "attribution/list.h"

#include <string.h>

#include "base/clock.h"

/* Columns, in the order they have where no header names them. */
enum column {
	NETWORK,
	JURISDICTION,
	PROGRAMME,
	HOLDER,
	CONFIDENCE,
	VALID_FROM,
	VALID_UNTIL,
	SOURCE,
	COLUMNS,
};

static const char *const column_names[COLUMNS] = {
	"network", "jurisdiction", "programme", "holder", "confidence", "valid_from", "valid_until", "source",
};

enum { FIELDS_MAX = 32 };

static bool read_header(char **field, int count, int place[COLUMNS]);
static int read_row(struct list *l, char *field[COLUMNS], size_t line);
static int keep(struct list *l, const char **text);
static const char *fill_row(const struct list *l, char *field[COLUMNS], struct listing_row *out);
static bool parse_confidence(const char *text, struct listing_row *out);
static bool parse_time(const char *text, int64_t *out);
static bool jurisdiction_like(const char *text);
static char *trimmed(char *field);

int
csv_read(struct list *l, char *text)
{
	int place[COLUMNS];
	size_t number = 0;
	bool first = true;
	for (int i = 0; i < COLUMNS; i++)
		place[i] = i;
	for (char *line; (line = list_line(&text, &number)) != NULL;) {
		char *field[FIELDS_MAX], *column[COLUMNS];
		if (line[strspn(line, " \t,")] == '\0' || *line == '#')
			continue;
		int count = csv_split(line, field, FIELDS_MAX);
		if (count < 0) {
			list_bad(l, number, "a quote is not closed", line);
			continue;
		}
		if (first && read_header(field, count, place)) {
			first = false;
			continue;
		}
		first = false;
		for (int i = 0; i < COLUMNS; i++)
			column[i] = place[i] >= 0 && place[i] < count ? trimmed(field[place[i]]) : NULL;
		if (read_row(l, column, number) < 0)
			return -1;
	}
	return 0;
}

int
csv_split(char *line, char **field, int max)
{
	int count = 0;
	for (char *in = line;;) {
		char *out = in;
		if (count < max)
			field[count++] = in;
		if (*in == '"') {
			for (in++; *in != '"' || in[1] == '"'; *out++ = *in++) {
				if (*in == '\0')
					return -1;
				in += *in == '"';
			}
			in++;
			if (*in != ',' && *in != '\0')
				return -1;
		} else {
			in += strcspn(in, ",");
			out = in;
		}
		bool last = *in == '\0';
		*out = '\0';
		if (last)
			return count;
		in++;
	}
}

/* A header names the network column; columns it does not name are absent, others are not looked at. */
static bool
read_header(char **field, int count, int place[COLUMNS])
{
	bool header = false;
	for (int i = 0; i < count; i++)
		header = header || strcmp(trimmed(field[i]), column_names[NETWORK]) == 0;
	for (int c = 0; header && c < COLUMNS; c++) {
		place[c] = -1;
		for (int i = 0; i < count; i++) {
			if (strcmp(trimmed(field[i]), column_names[c]) == 0)
				place[c] = i;
		}
	}
	return header;
}

static int
read_row(struct list *l, char *field[COLUMNS], size_t line)
{
	struct listing_row filled = {.valid_from = INT64_MIN, .valid_until = INT64_MAX};
	const char *wrong = fill_row(l, field, &filled);
	if (wrong != NULL) {
		list_bad(l, line, wrong, field[NETWORK] != NULL ? field[NETWORK] : "");
		return 0;
	}
	if (!list_wants(l, filled.jurisdiction)) {
		l->unwanted++;
		return 0;
	}
	struct row *row = rows_add(l->rows, &filled.network, filled.bits);
	if (row == NULL)
		return -1;
	filled.network_text = row->listed.network_text;
	row->listed = filled;
	row->order = l->order;
	l->taken++;
	return keep(l, &row->listed.jurisdiction) < 0 || keep(l, &row->listed.programme) < 0 ||
	                       keep(l, &row->listed.holder) < 0 || keep(l, &row->listed.source) < 0
	               ? -1
	               : 0;
}

/* Out of the list's text, into the rows' arena. */
static int
keep(struct list *l, const char **text)
{
	if (*text == NULL)
		return 0;
	*text = arena_string(l->rows->arena, *text, strlen(*text));
	return *text != NULL ? 0 : -1;
}

/* Its text is still the list's. NULL, or what is wrong. */
static const char *
fill_row(const struct list *l, char *field[COLUMNS], struct listing_row *out)
{
	const char *wrong = "no network";
	const char *text[COLUMNS];
	for (int i = 0; i < COLUMNS; i++)
		text[i] = field[i] != NULL && *field[i] != '\0' ? field[i] : NULL;
	if (text[NETWORK] != NULL)
		wrong = rows_parse_network(text[NETWORK], &out->network, &out->bits);
	if (wrong != NULL)
		return wrong;
	for (int i = 0; i < COLUMNS; i++) {
		if (text[i] != NULL && !text_is_utf8(text[i], strlen(text[i])))
			return "not UTF-8";
	}
	out->jurisdiction = text[JURISDICTION] != NULL ? text[JURISDICTION] : l->jurisdiction;
	if (out->jurisdiction == NULL || !jurisdiction_like(out->jurisdiction))
		return "no jurisdiction such as KP";
	out->confidence = l->confidence != CONFIDENCE_NONE ? l->confidence : CONFIDENCE_MEDIUM;
	if (text[CONFIDENCE] != NULL && !parse_confidence(text[CONFIDENCE], out))
		return "confidence is not one of confirmed, high, medium, low, info, false-positive";
	if ((text[VALID_FROM] != NULL && !parse_time(text[VALID_FROM], &out->valid_from)) ||
	        (text[VALID_UNTIL] != NULL && !parse_time(text[VALID_UNTIL], &out->valid_until)))
		return "not a date such as 2014-12-19";
	if (out->valid_from >= out->valid_until)
		return "it ends before it begins";
	out->programme = text[PROGRAMME];
	out->holder = text[HOLDER];
	out->source = text[SOURCE];
	out->list = l->name;
	out->list_digest = l->digest;
	return NULL;
}

static bool
parse_confidence(const char *text, struct listing_row *out)
{
	if (strcmp(text, "false-positive") == 0) {
		out->false_positive = true;
		out->confidence = CONFIDENCE_INFO;
		return true;
	}
	for (enum confidence c = CONFIDENCE_INFO; c <= CONFIDENCE_CONFIRMED; c++) {
		if (strcmp(text, confidence_name(c)) == 0) {
			out->confidence = c;
			return true;
		}
	}
	return false;
}

static bool
parse_time(const char *text, int64_t *out)
{
	return clock_parse(text, out) == 0;
}

/* A country code, or a region's such as UA-43 (ISO 3166-2). */
static bool
jurisdiction_like(const char *text)
{
	size_t len = strlen(text);
	return len >= 2 && len <= 6 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == len;
}

static char *
trimmed(char *field)
{
	field += strspn(field, " \t");
	size_t len = strlen(field);
	while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\t'))
		field[--len] = '\0';
	return field;
}
