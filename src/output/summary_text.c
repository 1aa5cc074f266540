/*
 * How text is measured and laid out for a terminal. Widths are told by our own short table, not by
 * wcwidth(), which knows nothing in the C locale that a sensor runs in.
 */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "output/summary_text.h"

enum {
	COLUMNS_DEFAULT = 100,
	COLUMNS_LEAST = 60,
	COLUMNS_MOST = 200,
	GRID_GAP = 2,
	GRID_MARGIN = 2,
	GRID_FOLD_MARGIN = 7,
};

/* Columns that stand on one line, as wide as they will be printed; begin to end, end not included. */
struct part {
	size_t begin, end;
	unsigned margin;
	unsigned width[GRID_COLUMNS];
};

struct range {
	uint32_t first, last;
};

static uint32_t next_character(const char **text);
static unsigned character_width(uint32_t c);
static bool in_ranges(const struct range *ranges, size_t count, uint32_t c);
static const char *skip_columns(const char *text, unsigned width, unsigned *skipped);
static bool part_fit(const struct grid *g, unsigned page_width, struct part *part);
static bool part_narrow(const struct grid *g, struct part *part);
static void print_rows(const struct grid *g, const struct page *p, const struct part *first,
	const struct part *second);
static void print_row(const struct part *part, const struct grid *g, const struct page *p, enum ink ink,
	const char (*cells)[GRID_CELL_MAX]);

void
page_init(struct page *p, FILE *out, bool colour)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	long width = COLUMNS_DEFAULT;

	if (fileno(out) >= 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		width = size.ws_col;
	else if (columns != NULL && strtol(columns, NULL, 10) > 0)
		width = strtol(columns, NULL, 10);
	width = width < COLUMNS_LEAST ? COLUMNS_LEAST : width > COLUMNS_MOST ? COLUMNS_MOST : width;
	*p = (struct page){.out = out, .colour = colour, .columns = (unsigned)width};
}

void
page_ink(const struct page *p, enum ink ink)
{
	static const char *const codes[] = {
		[INK_PLAIN] = "\033[0m", [INK_BOLD] = "\033[1m", [INK_DIM] = "\033[2m",
		[INK_RED] = "\033[1;31m", [INK_YELLOW] = "\033[33m", [INK_GREEN] = "\033[32m",
		[INK_BANNER] = "\033[1;37;41m",
	};

	if (p->colour)
		fputs(codes[ink], p->out);
}

void
page_print(const struct page *p, enum ink ink, const char *format, ...)
{
	va_list args;

	if (ink != INK_PLAIN)
		page_ink(p, ink);
	va_start(args, format);
	vfprintf(p->out, format, args);
	va_end(args);
	if (ink != INK_PLAIN)
		page_ink(p, INK_PLAIN);
}

/* A word longer than a line stands on a line of its own and is not cut: it may be copied from here. */
void
page_wrap(const struct page *p, enum ink ink, unsigned indent, const char *text)
{
	unsigned column = indent;

	if (ink != INK_PLAIN)
		page_ink(p, ink);
	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		unsigned width = 0;
		for (const char *at = text; at < text + len;)
			width += character_width(next_character(&at));
		if (column > indent && column + 1 + width > p->columns) {
			fprintf(p->out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', p->out);
			column++;
		}
		fwrite(text, 1, len, p->out);
		column += width;
		text += len + strspn(text + len, " ");
	}
	if (ink != INK_PLAIN)
		page_ink(p, INK_PLAIN);
	fputc('\n', p->out);
}

void
page_rule(const struct page *p, enum ink ink, char c)
{
	if (ink != INK_PLAIN)
		page_ink(p, ink);
	for (unsigned i = 0; i < p->columns; i++)
		fputc(c, p->out);
	if (ink != INK_PLAIN)
		page_ink(p, INK_PLAIN);
	fputc('\n', p->out);
}

unsigned
text_width(const char *text)
{
	unsigned width = 0;

	while (*text != '\0')
		width += character_width(next_character(&text));
	return width;
}

/* Takes one character of valid UTF-8; never past the closing zero. */
static uint32_t
next_character(const char **text)
{
	const uint8_t *at = (const uint8_t *)*text;
	uint32_t c = at[0];
	unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (more > 0)
		c &= 0x3fu >> more;
	at++;
	while (more-- > 0 && (*at & 0xc0) == 0x80)
		c = c << 6 | (*at++ & 0x3f);
	*text = (const char *)at;
	return c;
}

/* Unicode 15.0: EastAsianWidth.txt (W and F), and marks that stand on the character before them. */
static unsigned
character_width(uint32_t c)
{
	static const struct range none[] = {
		{0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
		{0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},
		{0x1160, 0x11ff}, /* jamo that a macOS file name puts behind the leading one */
		{0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0x3099, 0x309a},
		{0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
	};
	static const struct range wide[] = {
		{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a}, {0x23e9, 0x23ec}, {0x25fd, 0x25fe},
		{0x2614, 0x2615}, {0x2648, 0x2653}, {0x26aa, 0x26ab}, {0x26bd, 0x26be}, {0x26c4, 0x26c5},
		{0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c}, {0x2753, 0x2755},
		{0x2795, 0x2797}, {0x2b1b, 0x2b1c}, {0x2b50, 0x2b50}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},
		{0xa960, 0xa97f}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6f},
		{0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x1b2ff}, {0x1f300, 0x1f64f},
		{0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
	};

	if (c < 0x300)
		return 1;
	if (in_ranges(none, sizeof none / sizeof none[0], c))
		return 0;
	return in_ranges(wide, sizeof wide / sizeof wide[0], c) ? 2 : 1;
}

static bool
in_ranges(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count && ranges[i].first <= c; i++)
		if (c <= ranges[i].last)
			return true;
	return false;
}

/* The end of a file's name tells its type and its frame number, so the middle is what goes. */
void
text_fit(char *out, size_t size, const char *text, unsigned width)
{
	unsigned whole = text_width(text), skipped;

	if (whole <= width || width < 4) {
		snprintf(out, size, "%s", text);
		return;
	}
	unsigned tail = width / 3;
	const char *head_end = skip_columns(text, width - 3 - tail, &skipped);
	const char *tail_start = skip_columns(text, whole - tail, &skipped);
	if (skipped < whole - tail)
		next_character(&tail_start); /* a wide one stands across the seam */
	snprintf(out, size, "%.*s...%s", (int)(head_end - text), text, tail_start);
}

/* What is left behind the first characters that take at most width columns; *skipped: how many they take. */
static const char *
skip_columns(const char *text, unsigned width, unsigned *skipped)
{
	*skipped = 0;
	while (*text != '\0') {
		const char *next = text;
		unsigned w = character_width(next_character(&next));
		if (*skipped + w > width)
			break;
		*skipped += w;
		text = next;
	}
	return text;
}

const char *
text_size(char text[SUMMARY_NUMBER_MAX], uint64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
	size_t unit = 0;
	double value = (double)bytes / 1000;

	if (bytes < 1000) {
		snprintf(text, SUMMARY_NUMBER_MAX, "%u B", (unsigned)bytes);
		return text;
	}
	while (value >= 999.95 && unit + 1 < sizeof units / sizeof units[0]) {
		value /= 1000;
		unit++;
	}
	snprintf(text, SUMMARY_NUMBER_MAX, "%.1f %s", value, units[unit]);
	return text;
}

const char *
text_count(char text[SUMMARY_NUMBER_MAX], uint64_t count)
{
	char digits[SUMMARY_NUMBER_MAX];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
	char *at = text;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return text;
}

const char *
text_time(char text[SUMMARY_TIME_MAX], int64_t time)
{
	time_t second = (time_t)(time / CLOCK_SECOND - (time % CLOCK_SECOND < 0));
	struct tm tm;

	gmtime_r(&second, &tm);
	strftime(text, SUMMARY_TIME_MAX, "%Y-%m-%d %H:%M:%S", &tm);
	return text;
}

const char *
text_duration(char text[SUMMARY_TIME_MAX], int64_t ns)
{
	long long seconds = ns / CLOCK_SECOND;

	if (seconds < 10)
		snprintf(text, SUMMARY_TIME_MAX, "%.1f s", (double)ns / (double)CLOCK_SECOND);
	else if (seconds < 60)
		snprintf(text, SUMMARY_TIME_MAX, "%lld s", seconds);
	else if (seconds < 3600)
		snprintf(text, SUMMARY_TIME_MAX, "%lld min %lld s", seconds / 60, seconds % 60);
	else if (seconds < 2 * 86400)
		snprintf(text, SUMMARY_TIME_MAX, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(text, SUMMARY_TIME_MAX, "%lld days %lld h", seconds / 86400, seconds / 3600 % 24);
	return text;
}

const char *
text_span(char text[SUMMARY_TIME_MAX], int64_t start, int64_t end)
{
	enum { DATE_LEN = 10 };
	char from[SUMMARY_TIME_MAX], to[SUMMARY_TIME_MAX];

	text_time(from, start);
	text_time(to, end);
	if (strcmp(from, to) == 0)
		snprintf(text, SUMMARY_TIME_MAX, "%.19s UTC", from);
	else if (strncmp(from, to, DATE_LEN) == 0)
		snprintf(text, SUMMARY_TIME_MAX, "%.19s to %.8s UTC", from, to + DATE_LEN + 1);
	else
		snprintf(text, SUMMARY_TIME_MAX, "%.19s to %.19s UTC", from, to);
	return text;
}

const char *
text_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

char (*grid_row(struct grid *g, enum ink ink))[GRID_CELL_MAX]
{
	if (g->rows == GRID_ROWS)
		return NULL;
	g->ink[g->rows] = ink;
	return g->cells[g->rows++];
}

void
grid_print(const struct grid *g, const struct page *p)
{
	struct part whole = {.end = g->column_count, .margin = GRID_MARGIN};

	if (g->rows == 0)
		return;
	bool fits = part_fit(g, p->columns, &whole);
	if (fits || g->fold == 0) {
		print_rows(g, p, &whole, NULL);
		return;
	}
	struct part first = {.end = g->fold, .margin = GRID_MARGIN};
	struct part second = {.begin = g->fold, .end = g->column_count, .margin = GRID_FOLD_MARGIN};
	part_fit(g, p->columns, &first);
	part_fit(g, p->columns, &second);
	print_rows(g, p, &first, &second);
}

/* second: what follows on a line of its own, or NULL. */
static void
print_rows(const struct grid *g, const struct page *p, const struct part *first, const struct part *second)
{
	print_row(first, g, p, INK_DIM, NULL);
	if (second != NULL)
		print_row(second, g, p, INK_DIM, NULL);
	for (size_t r = 0; r < g->rows; r++) {
		print_row(first, g, p, g->ink[r], g->cells[r]);
		if (second != NULL)
			print_row(second, g, p, g->ink[r], g->cells[r]);
	}
}

/*
 * Each column as wide as its widest cell (0: nothing in it). Spare ones go where even the least widths
 * are too much, which is answered with false; then the widest are made narrower.
 */
static bool
part_fit(const struct grid *g, unsigned page_width, struct part *part)
{
	unsigned *width = part->width;
	unsigned total = part->margin, least = part->margin;

	for (size_t c = part->begin; c < part->end; c++) {
		const struct grid_column *column = &g->columns[c];
		for (size_t r = 0; r < g->rows; r++) {
			unsigned w = text_width(g->cells[r][c]);
			width[c] = w > width[c] ? w : width[c];
		}
		if (width[c] == 0)
			continue;
		unsigned title = text_width(column->title);
		width[c] = width[c] < title ? title : width[c];
		total += width[c] + GRID_GAP;
		least += (column->least > 0 && column->least < width[c] ? column->least : width[c]) + GRID_GAP;
	}
	page_width += GRID_GAP; /* there is none behind the last */
	bool fits = least <= page_width;
	for (size_t c = part->end; least > page_width && c-- > part->begin;) {
		if (!g->columns[c].spare || width[c] == 0)
			continue;
		least -= width[c] + GRID_GAP;
		total -= width[c] + GRID_GAP;
		width[c] = 0;
	}
	while (total > page_width && part_narrow(g, part))
		total--;
	return fits;
}

/* Takes one from the widest column that can be narrower; false: there is none. */
static bool
part_narrow(const struct grid *g, struct part *part)
{
	unsigned *width = part->width;
	size_t widest = g->column_count;

	for (size_t c = part->begin; c < part->end; c++)
		if (g->columns[c].least > 0 && width[c] > g->columns[c].least &&
		    (widest == g->column_count || width[c] > width[widest]))
			widest = c;
	if (widest == g->column_count)
		return false;
	width[widest]--;
	return true;
}

/* cells NULL: the titles. */
static void
print_row(const struct part *part, const struct grid *g, const struct page *p, enum ink ink,
	const char (*cells)[GRID_CELL_MAX])
{
	const unsigned *width = part->width;
	unsigned due = part->margin; /* blanks before the next cell; none behind the last */

	if (ink != INK_PLAIN)
		page_ink(p, ink);
	for (size_t c = part->begin; c < part->end; c++) {
		char fit[GRID_CELL_MAX + 4];
		if (width[c] == 0)
			continue;
		text_fit(fit, sizeof fit, cells != NULL ? cells[c] : g->columns[c].title, width[c]);
		unsigned used = text_width(fit);
		unsigned pad = used < width[c] ? width[c] - used : 0;
		if (used == 0) {
			due += width[c] + GRID_GAP;
			continue;
		}
		if (g->columns[c].right)
			due += pad;
		fprintf(p->out, "%*s%s", (int)due, "", fit);
		due = GRID_GAP + (g->columns[c].right ? 0 : pad);
	}
	if (ink != INK_PLAIN)
		page_ink(p, INK_PLAIN);
	fputc('\n', p->out);
}
