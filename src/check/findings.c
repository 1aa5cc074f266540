#include "config.h"

#include "check/findings.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "output/json.h"

enum { SENTENCE_MAX = 1024 };

static const char *const level_names[] = {
	[FINDING_OK] = "ok", [FINDING_NOTE] = "note", [FINDING_WARNING] = "warning", [FINDING_PROBLEM] = "problem",
};
static const char *const level_words[] = {
	[FINDING_OK] = "", [FINDING_NOTE] = "", [FINDING_WARNING] = "WARNING: ", [FINDING_PROBLEM] = "PROBLEM: ",
};

static void say_text(const struct findings *f, enum finding level, const char *what, const char *fix,
        const char *sentence);
static void say_json(const struct findings *f, enum finding level, const char *what, const char *fix,
        const char *sentence);

void
findings_say(struct findings *f, enum finding level, const char *what, const char *fix, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	f->warnings += level == FINDING_WARNING;
	f->problems += level == FINDING_PROBLEM;
	(f->json ? say_json : say_text)(f, level, what, fix, sentence);
}

void
findings_end(struct findings *f)
{
	if (f->problems > 0)
		findings_say(f, FINDING_NOTE, "result", NULL, "it will not work: %u problem%s, %u warning%s", f->problems,
		        f->problems == 1 ? "" : "s", f->warnings, f->warnings == 1 ? "" : "s");
	else if (f->warnings > 0)
		findings_say(f, FINDING_NOTE, "result", NULL, "it will work; %u warning%s", f->warnings,
		        f->warnings == 1 ? "" : "s");
	else
		findings_say(f, FINDING_OK, "result", NULL, "it will work");
}

const char *
findings_size(double bytes, char text[FINDINGS_SIZE_MAX])
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	size_t unit = 0;
	for (; bytes >= 1000 && unit + 1 < sizeof units / sizeof units[0]; unit++)
		bytes /= 1000;
	snprintf(text, FINDINGS_SIZE_MAX, "%.*f %s", unit > 0 && bytes < 10 ? 1 : 0, bytes, units[unit]);
	return text;
}

static void
say_text(const struct findings *f, enum finding level, const char *what, const char *fix, const char *sentence)
{
	char shown[SENTENCE_MAX * 2];
	text_escape(shown, sizeof shown, sentence, strlen(sentence));
	fprintf(f->out, "%-15s%s%s\n", what, level_words[level], shown);
	if (fix == NULL)
		return;
	text_escape(shown, sizeof shown, fix, strlen(fix));
	fprintf(f->out, "%-15smend it: %s\n", "", shown);
}

static void
say_json(const struct findings *f, enum finding level, const char *what, const char *fix, const char *sentence)
{
	struct json j;
	json_init(&j);
	json_object(&j, NULL);
	json_string(&j, "check", what);
	json_string(&j, "level", level_names[level]);
	json_string(&j, "text", sentence);
	json_string(&j, "fix", fix);
	json_object_end(&j);
	if (!j.failed)
		fprintf(f->out, "%.*s\n", (int)j.len, j.bytes);
	json_clear(&j);
}
