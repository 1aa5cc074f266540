/*
 * The page: alerts first and unmissable, then what was read, where traffic went, the files, what could
 * not be read, and one line that says what to make of it. All text from the wire has been escaped before.
 */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "output/event.h"
#include "output/output.h"
#include "output/summary.h"

enum {
	ALERTS_IN_FULL = 10,
	ALERTS_SHOWN = 40,
	ALERT_FILES_SHOWN = 8,
	FILES_SHOWN = 30,
	INFERRED_SHOWN = 10,
	NETWORKS_SHOWN = 10,
	COUNTRIES_SHOWN = 8,
	END_TEXT_MAX = 192,
	SENTENCE_MAX = 512,
	STATE_MAX = 64,
	HTTP_NO_SUCCESS = 300,
	LABEL_INDENT = 14, /* where values begin */
	COUNT_INDENT = 16, /* and sentences behind a count */
};

static void print_alerts(const struct summary *s);
static void print_alert(const struct summary *s, const struct summary_alert *a);
static void print_alert_files(const struct summary *s, const struct summary_alert *a);
static void print_alert_line(const struct summary *s, const struct summary_alert *a);
static void print_input(const struct summary *s);
static void print_places(const struct summary *s);
static void print_networks(const struct summary *s, const struct summary_networks *n, bool by_owner, size_t shown);
static void print_files(const struct summary *s, const struct summary_files *files, size_t shown);
static void print_unread(const struct summary *s);
static bool is_problem(const struct summary *s, const char *note);
static void print_verdict(const struct summary *s);
static void tell_unseen(const struct summary *s, char *text, size_t size);
static uint64_t files_listed(const struct summary_files *files);
static uint64_t counted(const struct summary *s, const char *name);
static bool has_limits(const struct summary *s);
static void fill_file(char (*row)[GRID_CELL_MAX], const struct summary_file *f);
static const char *file_state(const struct summary_file *f, char text[STATE_MAX]);
static const char *severities_text(const struct summary *s, char text[SENTENCE_MAX]);
static const char *end_text(const struct summary_end *e, char text[END_TEXT_MAX]);
static void label(const struct summary *s, const char *name);
static void field(const struct summary *s, const char *name, const char *value);
static void heading(const struct summary *s, const char *title);
static uint64_t alerts_raised(const struct summary *s);
static enum ink severity_ink(enum severity severity);
static void append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

void
summary_print(struct summary *s)
{
	print_alerts(s);
	print_input(s);
	print_places(s);
	heading(s, "Files");
	print_files(s, &s->read, FILES_SHOWN);
	if (s->inferred.count > 0) {
		heading(s, "Inferred transfers (content unreadable: told by volume, so they have no names)");
		print_files(s, &s->inferred, INFERRED_SHOWN);
	}
	print_unread(s);
	print_verdict(s);
}

/* ---- alerts ---- */

/* Those that are for information only count as no alert. */
static uint64_t
alerts_raised(const struct summary *s)
{
	uint64_t raised = 0;

	for (int i = SEVERITY_LOW; i <= SEVERITY_CRITICAL; i++)
		raised += s->alerts_by_severity[i];
	return raised;
}

static void
print_alerts(const struct summary *s)
{
	const struct page *p = &s->page;
	uint64_t raised = alerts_raised(s);
	char text[SENTENCE_MAX], banner[SENTENCE_MAX + 64];

	if (raised > 0) {
		snprintf(banner, sizeof banner, "  %llu ALERT%s: %s", (unsigned long long)raised,
			raised == 1 ? "" : "S", severities_text(s, text));
		page_rule(p, INK_RED, '=');
		page_print(p, INK_BANNER, "%-*s", p->colour ? (int)p->columns : 0, banner);
		fputc('\n', p->out);
		page_rule(p, INK_RED, '=');
	}
	size_t i = 0;
	for (; i < s->alert_count && i < ALERTS_IN_FULL && s->alerts[i].severity > SEVERITY_INFO; i++)
		print_alert(s, &s->alerts[i]);
	if (i < s->alert_count)
		heading(s, i < raised ? "Further alerts" : "For information");
	for (; i < s->alert_count && i < ALERTS_SHOWN; i++)
		print_alert_line(s, &s->alerts[i]);
	uint64_t more = raised + s->alerts_by_severity[SEVERITY_INFO] - i;
	if (more > 0)
		fprintf(p->out, "  and %s more, in the events (-o)\n", text_count(text, more));
}

/* "1 critical, 2 low" */
static const char *
severities_text(const struct summary *s, char text[SENTENCE_MAX])
{
	text[0] = '\0';
	for (int i = SEVERITY_CRITICAL; i > SEVERITY_INFO; i--)
		if (s->alerts_by_severity[i] > 0)
			append(text, SENTENCE_MAX, "%s%llu %s", text[0] != '\0' ? ", " : "",
				(unsigned long long)s->alerts_by_severity[i], severity_name((enum severity)i));
	return text;
}

static enum ink
severity_ink(enum severity severity)
{
	return severity >= SEVERITY_HIGH ? INK_RED : severity >= SEVERITY_LOW ? INK_YELLOW : INK_DIM;
}

static void
print_alert(const struct summary *s, const struct summary_alert *a)
{
	static const char *const titles[] = {
		[SEVERITY_INFO] = "INFO", [SEVERITY_LOW] = "LOW", [SEVERITY_MEDIUM] = "MEDIUM",
		[SEVERITY_HIGH] = "HIGH", [SEVERITY_CRITICAL] = "CRITICAL",
	};
	const struct page *p = &s->page;
	const char *rule = event_rule_name(a->rule);
	char text[2 * SENTENCE_MAX], end[END_TEXT_MAX], size[SUMMARY_NUMBER_MAX], count[SUMMARY_NUMBER_MAX];
	char time[SUMMARY_TIME_MAX];

	fputc('\n', p->out);
	page_print(p, severity_ink(a->severity), "  %-*s", LABEL_INDENT - 2, titles[a->severity]);
	page_wrap(p, INK_BOLD, LABEL_INDENT, a->summary);
	snprintf(text, sizeof text, "%s (%s)", rule != NULL ? rule : "Rule", a->rule);
	field(s, "what", text);
	print_alert_files(s, a);
	field(s, a->transfer ? "from" : "opened by", end_text(&a->from, end));
	field(s, "to", end_text(&a->to, end));
	field(s, "listed as", a->listed_as);
	field(s, "account", a->user);
	field(s, "protocol", a->protocol);

	text_size(size, a->bytes);
	snprintf(text, sizeof text, "%s of payload", size);
	if (a->files > 0)
		append(text, sizeof text, ", %s file%s", text_count(count, a->files), text_plural(a->files));
	if (a->count > 1 && a->count != a->files)
		append(text, sizeof text, ", %s occurrences in this one alert", text_count(count, a->count));
	field(s, "amount", text);
	field(s, "time", text_span(time, a->first, a->last));
	if (a->confidence != CONFIDENCE_NONE) {
		snprintf(text, sizeof text, "%s%s%s", event_confidence(a->confidence),
			a->reasons[0] != '\0' ? ": " : "", a->reasons);
		field(s, "confidence", text);
	}
}

/* Its files by name, as far as they were kept; the listed ones are kept before all others. */
static void
print_alert_files(const struct summary *s, const struct summary_alert *a)
{
	const struct summary_files *const kinds[] = {&s->read, &s->inferred};
	const struct page *p = &s->page;
	uint64_t shown = 0;

	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		for (size_t i = 0; i < kinds[k]->count && shown < ALERT_FILES_SHOWN; i++) {
			const struct summary_file *f = &kinds[k]->rows[i];
			char size[SUMMARY_NUMBER_MAX], state[STATE_MAX];
			if (!summary_alert_covers(a, f))
				continue;
			label(s, shown++ == 0 ? "file" : "");
			const char *name = f->name[0] != '\0' ? f->name : "unnamed";
			page_print(p, INK_BOLD, "%s", f->basis == TRANSFER_READ ? name : "inferred, name unknown");
			file_state(f, state);
			fprintf(p->out, "  %s%s%s", text_size(size, f->size), state[0] != '\0' ? ", " : "", state);
			fprintf(p->out, f->hash[0] != '\0' ? "  SHA-256 %s...\n" : "\n", f->hash);
		}
	}
	if (shown == 0)
		field(s, "file", a->what);
	else if (a->files > shown)
		fprintf(p->out, "%*sand %llu more\n", LABEL_INDENT, "", (unsigned long long)(a->files - shown));
}

static void
print_alert_line(const struct summary *s, const struct summary_alert *a)
{
	const struct page *p = &s->page;
	char text[3 * SENTENCE_MAX];

	page_print(p, severity_ink(a->severity), "  %-*s", LABEL_INDENT - 2, severity_name(a->severity));
	snprintf(text, sizeof text, "%s", a->summary);
	if (a->confidence != CONFIDENCE_NONE)
		append(text, sizeof text, " [confidence %s%s%s]", event_confidence(a->confidence),
			a->reasons[0] != '\0' ? ": " : "", a->reasons);
	page_wrap(p, INK_PLAIN, LABEL_INDENT, text);
}

/* ---- what was read, and where it went ---- */

static void
print_input(const struct summary *s)
{
	const struct coverage *c = &s->coverage;
	char a[SUMMARY_NUMBER_MAX], b[SUMMARY_NUMBER_MAX], span[SUMMARY_TIME_MAX], duration[SUMMARY_TIME_MAX];
	char text[SENTENCE_MAX];

	heading(s, "Read");
	if (s->inputs != NULL)
		field(s, "input", s->inputs);
	if (s->covered && c->packets > 0) {
		snprintf(text, sizeof text, "%s (%s)", text_span(span, c->start, c->end),
			text_duration(duration, c->end - c->start));
		field(s, "time", text);
	}
	if (s->covered) {
		snprintf(text, sizeof text, "%s, %s", text_count(a, c->packets), text_size(b, c->bytes));
		field(s, "packets", text);
	}
	text_count(a, s->flows);
	field(s, "flows", a);
	snprintf(text, sizeof text, "%s read (%s)", text_count(a, s->read.total), text_size(b, s->read.bytes));
	if (s->directories > 0)
		append(text, sizeof text, ", %s of them %sdirectory listing%s", text_count(a, s->directories),
			s->directories == 1 ? "a " : "", text_plural(s->directories));
	if (s->inferred.total > 0)
		append(text, sizeof text, "; %s inferred", text_count(a, s->inferred.total));
	field(s, "files", text);
}

static void
print_places(const struct summary *s)
{
	const struct page *p = &s->page;
	char count[SUMMARY_NUMBER_MAX], size[SUMMARY_NUMBER_MAX];

	if (s->flows > s->internal_flows) {
		if (summary_countries_known(s)) {
			heading(s, "Countries");
			print_networks(s, &s->countries, false, COUNTRIES_SHOWN);
		}
		heading(s, "Networks");
		print_networks(s, &s->networks, true, NETWORKS_SHOWN);
	}
	if (s->internal_flows > 0)
		fprintf(p->out, "\n  %s flow%s (%s) stayed within the home networks\n",
			text_count(count, s->internal_flows), text_plural(s->internal_flows),
			text_size(size, s->internal_bytes));
}

static void
print_networks(const struct summary *s, const struct summary_networks *n, bool by_owner, size_t shown)
{
	static const struct grid_column columns[] = {
		{.title = "Country", .least = 12}, {.title = "Network owner", .least = 16},
		{.title = "Out", .right = true}, {.title = "In", .right = true},
		{.title = "Flows", .right = true}, {.title = ""},
	};
	const struct summary_network *rows[NETWORKS_SHOWN > COUNTRIES_SHOWN ? NETWORKS_SHOWN : COUNTRIES_SHOWN];
	size_t count = summary_networks_top(n, rows, shown);
	uint64_t all = table_count(n->table) + (n->other.flows > 0);
	struct grid *g = calloc(1, sizeof *g);

	if (g == NULL)
		return;
	g->columns = columns;
	g->column_count = sizeof columns / sizeof columns[0];
	for (size_t i = 0; i < count; i++) {
		const struct summary_network *row = rows[i];
		char (*cells)[GRID_CELL_MAX] = grid_row(g, row->listed ? INK_RED : INK_PLAIN);
		const char *country = row->country[0] != '\0' ? country_name(row->country) : "(unknown)";
		snprintf(cells[0], GRID_CELL_MAX, "%s", country);
		if (by_owner && row->asn != 0)
			snprintf(cells[1], GRID_CELL_MAX, "AS%u %s", row->asn, row->org);
		else if (by_owner)
			snprintf(cells[1], GRID_CELL_MAX, "(unknown)");
		text_size(cells[2], row->out);
		text_size(cells[3], row->in);
		text_count(cells[4], row->flows);
		snprintf(cells[5], GRID_CELL_MAX, "%s", row->listed ? "LISTED" : "");
	}
	grid_print(g, &s->page);
	free(g);
	if (all > count)
		fprintf(s->page.out, "  and %llu more\n", (unsigned long long)(all - count));
}

/* ---- files ---- */

static void
print_files(const struct summary *s, const struct summary_files *files, size_t shown)
{
	static const struct grid_column columns[] = {
		{.title = ""}, {.title = "Name", .least = 24}, {.title = "Size", .right = true}, {.title = ""},
		{.title = "From", .least = 18}, {.title = "To", .least = 18}, {.title = "Via"},
		{.title = "Account", .least = 8}, {.title = "SHA-256", .spare = true},
	};
	enum { FROM = 4 };
	const struct page *p = &s->page;
	struct grid *g = files->count > 0 ? calloc(1, sizeof *g) : NULL;
	char count[SUMMARY_NUMBER_MAX];

	if (g == NULL) {
		fprintf(p->out, "  none\n");
		return;
	}
	g->columns = columns;
	g->column_count = sizeof columns / sizeof columns[0];
	g->fold = FROM;
	for (size_t i = 0; i < files->count && i < shown; i++) {
		bool listed = files->rows[i].listed > CONFIDENCE_INFO;
		fill_file(grid_row(g, listed ? INK_RED : INK_PLAIN), &files->rows[i]);
	}
	grid_print(g, p);
	if (files->total > g->rows)
		fprintf(p->out, "  and %s more\n", text_count(count, files->total - g->rows));
	free(g);
}

static void
fill_file(char (*row)[GRID_CELL_MAX], const struct summary_file *f)
{
	const struct summary_end *const ends[] = {&f->from, &f->to};
	char addr[ADDR_TEXT_MAX];

	snprintf(row[0], GRID_CELL_MAX, "%s", f->listed > CONFIDENCE_INFO ? "!" : "");
	if (f->basis == TRANSFER_INFERRED)
		snprintf(row[1], GRID_CELL_MAX, "inferred%s%s", f->name[0] != '\0' ? ": " : "", f->name);
	else
		snprintf(row[1], GRID_CELL_MAX, "%s", f->name[0] != '\0' ? f->name : "(unnamed)");
	text_size(row[2], f->size);
	file_state(f, row[3]);
	for (size_t i = 0; i < 2; i++) {
		addr_format(&ends[i]->addr, addr);
		snprintf(row[4 + i], GRID_CELL_MAX, "%s%s%s", addr, ends[i]->country[0] != '\0' ? " " : "",
			ends[i]->country);
	}
	snprintf(row[6], GRID_CELL_MAX, "%s", f->protocol);
	snprintf(row[7], GRID_CELL_MAX, "%s", f->user);
	snprintf(row[8], GRID_CELL_MAX, "%s", f->hash);
}

/* What keeps it from being a whole file, or nothing. */
static const char *
file_state(const struct summary_file *f, char text[STATE_MAX])
{
	char seen[SUMMARY_NUMBER_MAX];

	text[0] = '\0';
	if (f->http_status >= HTTP_NO_SUCCESS)
		snprintf(text, STATE_MAX, "HTTP %u", f->http_status); /* a page that says so, or an upload refused */
	else if (f->listing)
		snprintf(text, STATE_MAX, "listing");
	if (f->basis != TRANSFER_READ || (f->state != TRANSFER_ABORTED && f->state != TRANSFER_TRUNCATED))
		return text;
	snprintf(text, STATE_MAX, "%s", f->state == TRANSFER_ABORTED ? "broken off"
	                                : f->copied                  ? "copied on the server"
	                                                             : "cut off");
	if (f->copied && f->seen == 0)
		return text;
	if (f->seen < f->size)
		append(text, STATE_MAX, ", %s seen", text_size(seen, f->seen));
	return text;
}

/* ---- what was not read ---- */

static void
print_unread(const struct summary *s)
{
	const struct page *p = &s->page;
	const struct coverage *c = &s->coverage;
	struct coverage_counter all[2] = {
		{"dropped", "packets dropped before they could be looked at", c->dropped},
		{"duplicates", "packets seen twice (the second copy was left out)", c->duplicates},
	};
	char count[SUMMARY_NUMBER_MAX];
	bool any = false;

	heading(s, "Not read, or with reserve");
	for (size_t i = 0; i < 2 + c->unread_count; i++) {
		const struct coverage_counter *counter = i < 2 ? &all[i] : &s->unread[i - 2];
		if (counter->count == 0)
			continue;
		any = true;
		fprintf(p->out, "  %*s  ", COUNT_INDENT - 4, text_count(count, counter->count));
		page_wrap(p, INK_PLAIN, COUNT_INDENT, counter->help != NULL ? counter->help : counter->name);
	}
	for (size_t i = 0; i < s->problem_count; i++) {
		any = true;
		page_print(p, INK_YELLOW, "  %*s  ", COUNT_INDENT - 4, "problem");
		page_wrap(p, INK_PLAIN, COUNT_INDENT, s->problems[i]);
	}
	if (s->problems_not_kept > 0)
		fprintf(p->out, "  %*s  %llu more problems\n", COUNT_INDENT - 4, "and", (unsigned long long)s->problems_not_kept);
	for (size_t i = 0; i < c->note_count; i++) {
		if (is_problem(s, s->notes[i]))
			continue;
		any = true;
		fprintf(p->out, "  %*s  ", COUNT_INDENT - 4, "note");
		page_wrap(p, INK_PLAIN, COUNT_INDENT, s->notes[i]);
	}
	if (!any)
		fprintf(p->out, s->covered ? "  nothing: every packet was used\n" : "  unknown\n");
}

/* A problem is noted as well, for those who read the coverage alone. */
static bool
is_problem(const struct summary *s, const char *note)
{
	for (size_t i = 0; i < s->problem_count; i++)
		if (strcmp(s->problems[i], note) == 0)
			return true;
	return false;
}

/* ---- the last line ---- */

static void
print_verdict(const struct summary *s)
{
	const struct page *p = &s->page;
	uint64_t raised = alerts_raised(s), files = 0, bytes = 0;
	uint64_t met = files_listed(&s->read) + files_listed(&s->inferred);
	char text[2 * SENTENCE_MAX], part[SENTENCE_MAX], size[SUMMARY_NUMBER_MAX];

	for (size_t i = 0; i < s->alert_count; i++) {
		const struct summary_alert *a = &s->alerts[i];
		if (a->severity > SEVERITY_INFO && a->network[0] != '\0' && a->transfer) {
			files += a->files;
			bytes += a->bytes;
		}
	}
	fputc('\n', p->out);
	if (s->covered && s->coverage.packets == 0) {
		page_wrap(p, INK_YELLOW, 0, "No packet was read, so nothing can be said.");
		return;
	}
	if (raised == 0) {
		if (met > 0)
			snprintf(text, sizeof text, "No alert, but %llu file%s met a listed network: see \"For information\".",
				(unsigned long long)met, text_plural(met));
		else
			snprintf(text, sizeof text,
				"No alert: in what could be read, no file reached or left a listed network.");
		if (met == 0 && s->alert_count > 0)
			append(text, sizeof text, " What is told for information above is weak or contradicted evidence.");
	} else {
		snprintf(text, sizeof text, "%llu alert%s: %s.", (unsigned long long)raised, text_plural(raised),
			severities_text(s, part));
		if (files > 0)
			append(text, sizeof text, " %llu file%s (%s) went to or came from a sanctioned network.",
				(unsigned long long)files, text_plural(files), text_size(size, bytes));
		if (met > files)
			append(text, sizeof text, " %llu more met one: see \"For information\".",
				(unsigned long long)(met - files));
	}
	tell_unseen(s, text, sizeof text);
	page_wrap(p, raised > 0 ? INK_RED : INK_GREEN, 0, text);
}

/* Of those kept, which are the listed ones before all others. */
static uint64_t
files_listed(const struct summary_files *files)
{
	uint64_t count = 0;

	for (size_t i = 0; i < files->count; i++)
		count += files->rows[i].listed > CONFIDENCE_INFO;
	return count;
}

/* A quiet capture proves only as much as was seen of it. */
static void
tell_unseen(const struct summary *s, char *text, size_t size)
{
	char n[SUMMARY_NUMBER_MAX];
	char parts[SENTENCE_MAX] = "";

	if (s->problem_count + s->problems_not_kept > 0)
		append(parts, sizeof parts, ", input that could not be read in full");
	if (s->coverage.dropped > 0)
		append(parts, sizeof parts, ", %s dropped packet%s", text_count(n, s->coverage.dropped),
			text_plural(s->coverage.dropped));
	uint64_t flows = counted(s, "flows_unread");
	if (flows > 0)
		append(parts, sizeof parts, ", the content of %s flow%s", text_count(n, flows), text_plural(flows));
	if (s->inferred.total > 0)
		append(parts, sizeof parts, flows > 0 ? " (%s inferred transfer%s)" : ", the content of %s inferred transfer%s",
			text_count(n, s->inferred.total), text_plural(s->inferred.total));
	if (s->cut > 0)
		append(parts, sizeof parts, ", the rest of %s cut-off file%s", text_count(n, s->cut),
			text_plural(s->cut));
	if (parts[0] != '\0')
		append(text, size, " Not seen: %s.", parts + 2);
	if (!s->covered)
		return;
	if (has_limits(s))
		append(text, size, " What limits this stands under \"Not read\".");
	else
		append(text, size, " Every packet was used.");
}

static uint64_t
counted(const struct summary *s, const char *name)
{
	for (size_t i = 0; i < s->coverage.unread_count; i++)
		if (strcmp(s->unread[i].name, name) == 0)
			return s->unread[i].count;
	return 0;
}

/* Was any packet, or anything of one, not used as it came? */
static bool
has_limits(const struct summary *s)
{
	for (size_t i = 0; i < s->coverage.unread_count; i++)
		if (s->unread[i].count > 0)
			return true;
	return s->coverage.dropped > 0 || s->problem_count > 0;
}

/* ---- words ---- */

/* "192.0.2.1:21, North Korea (KP), AS131279 Star Joint Venture" */
static const char *
end_text(const struct summary_end *e, char text[END_TEXT_MAX])
{
	char addr[ADDR_TEXT_MAX];
	bool v4 = addr_is_v4(&e->addr);

	addr_format(&e->addr, addr);
	snprintf(text, END_TEXT_MAX, e->port == 0 || v4 ? "%s" : "[%s]", addr);
	if (e->port != 0)
		append(text, END_TEXT_MAX, ":%u", e->port);
	if (e->home)
		append(text, END_TEXT_MAX, ", home network");
	if (e->country[0] != '\0')
		append(text, END_TEXT_MAX, ", %s (%s)", country_name(e->country), e->country);
	else if (!e->home)
		append(text, END_TEXT_MAX, ", country unknown");
	if (e->asn != 0)
		append(text, END_TEXT_MAX, ", AS%u %s", e->asn, e->org);
	return text;
}

static void
label(const struct summary *s, const char *name)
{
	page_print(&s->page, INK_DIM, "  %-*s", LABEL_INDENT - 2, name);
}

/* A labelled line; nothing where the value is unknown. */
static void
field(const struct summary *s, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	label(s, name);
	page_wrap(&s->page, INK_PLAIN, LABEL_INDENT, value);
}

static void
heading(const struct summary *s, const char *title)
{
	fputc('\n', s->page.out);
	page_print(&s->page, INK_BOLD, "%s\n", title);
}

/* Adds to text as much as it has room for. */
static void
append(char *text, size_t size, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, size - len, format, args);
	va_end(args);
}
