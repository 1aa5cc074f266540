#include "config.h"

#include "attribution/list.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	FILE_MAX = 256 * 1024 * 1024, /* a list; the largest delegated file has some 20 MB */
	BAD_NAMED = 10,               /* bad rows named one by one; then only counted */
};

static enum list_format guess_format(const char *text);
static int cidr_read(struct list *l, char *text);
static int cidr_row(struct list *l, const char *word, size_t line);

char *
list_read_file(const char *path, size_t *len, const char **reason)
{
	struct stat st;
	char *text = NULL;
	FILE *f = fopen(path, "re");
	if (f == NULL || fstat(fileno(f), &st) < 0) {
		*reason = strerror(errno);
	} else if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		*reason = S_ISREG(st.st_mode) ? "it is too large" : "it is not a file";
	} else {
		text = calloc((size_t)st.st_size + 1, 1);
		*reason = "memory is out";
	}
	if (text != NULL) {
		*len = fread(text, 1, (size_t)st.st_size, f);
		if (ferror(f)) {
			*reason = "it cannot be read";
			free(text);
			text = NULL;
		}
	}
	if (f != NULL)
		fclose(f);
	return text;
}

char *
list_digest(struct arena *arena, const char *text, size_t len)
{
	uint8_t digest[32];
	char *hex = arena_alloc(arena, 2 * sizeof digest + 1);
	if (hex == NULL || EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) != 1)
		return NULL;
	text_hex(hex, digest, sizeof digest);
	return hex;
}

int
list_read(struct list *l, char *text, size_t len)
{
	enum list_format format = l->format;
	int result = -1;
	/* A zero byte would end the text early and unseen: it becomes a character that no row has. */
	for (char *zero; (zero = memchr(text, '\0', len)) != NULL;)
		*zero = '?';
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
		text += 3;
	if (format == LIST_AUTO)
		format = guess_format(text);
	switch (format) {
	case LIST_CSV: result = csv_read(l, text); break;
	case LIST_DELEGATED: result = delegated_read(l, text); break;
	case LIST_AUTO:
	case LIST_CIDR: result = cidr_read(l, text); break;
	}
	if (l->bad > BAD_NAMED)
		note(&l->notes, true, "%s: %zu rows are bad and left out, %d of them named above", l->path,
		        l->bad, BAD_NAMED);
	if (l->unwanted > 0)
		note(&l->notes, false, "%s: %zu rows are for jurisdictions that the policy does not name, "
		                       "and left out", l->path, l->unwanted);
	return result;
}

char *
list_line(char **text, size_t *number)
{
	char *line = *text;
	if (*line == '\0')
		return NULL;
	char *end = strchrnul(line, '\n');
	*text = *end == '\0' ? end : end + 1;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	++*number;
	return line;
}

void
list_bad(struct list *l, size_t line, const char *what, const char *shown)
{
	char escaped[80];
	if (l->bad++ >= BAD_NAMED)
		return;
	text_escape(escaped, sizeof escaped, shown, strlen(shown));
	note(&l->notes, true, "%s:%zu: %s: \"%s\"", l->path, line, what, escaped);
}

bool
list_wants(const struct list *l, const char *jurisdiction)
{
	for (size_t i = 0; i < l->wanted_count; i++) {
		if (strcmp(l->wanted[i], jurisdiction) == 0)
			return true;
	}
	return false;
}

/* By the first line that is not a comment: "2|apnic|..." or "apnic|KP|...", or one with commas. */
static enum list_format
guess_format(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\r\n");
		if (len > 0 && *text != '#') {
			if (memchr(text, '|', len) != NULL)
				return LIST_DELEGATED;
			return memchr(text, ',', len) != NULL ? LIST_CSV : LIST_CIDR;
		}
		text += len + strspn(text + len, "\r\n");
	}
	return LIST_CIDR;
}

/* A network a line; what follows a blank, '#' or ';' is a comment. */
static int
cidr_read(struct list *l, char *text)
{
	size_t number = 0;
	for (char *line; (line = list_line(&text, &number)) != NULL;) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t#;")] = '\0';
		if (*line != '\0' && cidr_row(l, line, number) < 0)
			return -1;
	}
	return 0;
}

static int
cidr_row(struct list *l, const char *word, size_t line)
{
	struct addr network;
	unsigned bits;
	const char *wrong = rows_parse_network(word, &network, &bits);
	if (wrong != NULL) {
		list_bad(l, line, wrong, word);
		return 0;
	}
	struct row *row = rows_add(l->rows, &network, bits);
	if (row == NULL)
		return -1;
	row->order = l->order;
	row->listed.jurisdiction = l->jurisdiction != NULL ? l->jurisdiction : "unstated";
	row->listed.confidence = l->confidence != CONFIDENCE_NONE ? l->confidence : CONFIDENCE_MEDIUM;
	row->listed.list = l->name;
	row->listed.list_digest = l->digest;
	l->taken++;
	return 0;
}
