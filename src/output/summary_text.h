/* Text for a person on a terminal: widths, sizes, times, wrapped lines, aligned columns, colour. */
#ifndef WAYBILL_OUTPUT_SUMMARY_TEXT_H
#define WAYBILL_OUTPUT_SUMMARY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SUMMARY_NUMBER_MAX = 32, SUMMARY_TIME_MAX = 64 };

/* Where the summary goes. */
struct page {
	FILE *out;
	bool colour;
	unsigned columns; /* of the terminal */
};

enum ink {
	INK_PLAIN,
	INK_BOLD,
	INK_DIM,
	INK_RED,
	INK_YELLOW,
	INK_GREEN,
	INK_BANNER, /* white on red: cannot be missed */
};

/* columns by the terminal, else by COLUMNS, else 100. */
void page_init(struct page *p, FILE *out, bool colour);

/* Puts a paint on what follows; INK_PLAIN takes it off. Nothing without colour. */
void page_ink(const struct page *p, enum ink ink);

/* Prints in one ink. */
void page_print(const struct page *p, enum ink ink, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* text, wrapped at spaces to the page; the cursor stands at column indent, where further lines begin. */
void page_wrap(const struct page *p, enum ink ink, unsigned indent, const char *text);

/* A line of one character, as wide as the page. */
void page_rule(const struct page *p, enum ink ink, char c);

/* Columns that valid UTF-8 takes on a terminal, whatever the locale: 2 for East Asian wide characters. */
unsigned text_width(const char *text);

/* Copies text so that it takes width columns at most; what is too long loses its middle to "...". */
void text_fit(char *out, size_t size, const char *text, unsigned width);

/* "1.2 MB" (SI), "12,345", "2024-01-15 09:30:00", "2 h 5 min"; each returns text. */
const char *text_size(char text[SUMMARY_NUMBER_MAX], uint64_t bytes);
const char *text_count(char text[SUMMARY_NUMBER_MAX], uint64_t count);
const char *text_time(char text[SUMMARY_TIME_MAX], int64_t time);
const char *text_duration(char text[SUMMARY_TIME_MAX], int64_t ns);
/* "09:30:00 to 09:31:12 UTC", with the date; one time only where both are in one second. */
const char *text_span(char text[SUMMARY_TIME_MAX], int64_t start, int64_t end);

/* "" or "s": for 1 and for any other number. */
const char *text_plural(uint64_t count);

/* Rows of cells, printed with aligned columns that fit the page. */
enum { GRID_COLUMNS = 9, GRID_ROWS = 48, GRID_CELL_MAX = 288 };

struct grid_column {
	const char *title;
	bool right;     /* numbers */
	unsigned least; /* columns that it keeps when the page is narrow; 0: never shrinks */
	bool spare;     /* it goes when the page is too narrow even so; never shrinks */
};

struct grid {
	const struct grid_column *columns;
	size_t column_count;
	size_t fold; /* on a page too narrow for all, columns from this one on go on a second line; 0: never */
	size_t rows;
	enum ink ink[GRID_ROWS];
	char cells[GRID_ROWS][GRID_COLUMNS][GRID_CELL_MAX];
};

/* A new empty row, or NULL when there is no room. */
char (*grid_row(struct grid *g, enum ink ink))[GRID_CELL_MAX];

/* A column with nothing in it is left out. On a narrow page rows fold, else the widest columns give way. */
void grid_print(const struct grid *g, const struct page *p);

#endif
