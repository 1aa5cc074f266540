#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "check/check.h"
#include "conf.h"
#include "log.h"
#include "lookup.h"
#include "loop.h"
#include "options.h"
#include "sensor.h"

enum { EXIT_USAGE = 2 };

static int run(const struct options *options);
static void take_output_options(const struct options *options, struct output_conf *conf);
static void tell_note(void *ctx, bool error, const char *note);

int
main(int argc, char **argv)
{
	struct options options;
	char error[512];
	int status = 0;
	if (options_parse(&options, argc, argv, error, sizeof error) < 0) {
		fprintf(stderr, "waybill: %s\n", error);
		status = EXIT_USAGE;
	} else if (options.command == COMMAND_HELP) {
		fputs(options_help, stdout);
	} else if (options.command == COMMAND_VERSION) {
		puts(PACKAGE_STRING);
	} else {
		log_open(options.verbose >= 2 ? LOG_DEBUG : options.verbose == 1 ? LOG_INFO : LOG_WARN);
		status = run(&options);
	}
	options_free(&options);
	return status;
}

/* Start in order, run, stop in reverse. */
static int
run(const struct options *options)
{
	struct conf conf;
	char error[1024], database[PATH_MAX];
	if (conf_load(options->conf, &conf, error, sizeof error) < 0) {
		log_error("conf", "%s", error);
		return EXIT_USAGE;
	}
	take_output_options(options, &conf.output);
	if (!conf.attribution.no_embedded)
		conf.attribution.embedded_database = attribution_default_database(database, sizeof database);
	conf.attribution.now = clock_now();

	int status = 1;
	struct loop *loop = NULL;
	struct attribution *attribution = attribution_load(&conf.attribution, tell_note, NULL);
	if (attribution == NULL)
		log_error("attribution", "no list could be loaded at all");
	else if (options->command == COMMAND_LOOKUP)
		status = lookup_run(attribution, options->arguments, options->argument_count,
		        options->has_at ? options->at : clock_now(), options->json, stdout, stderr);
	else if (options->command == COMMAND_CHECK)
		status = check_run(options, &conf, attribution, stdout);
	else if ((loop = loop_create()) == NULL)
		log_error("loop", "no event loop");
	else {
		status = sensor_run(options, &conf, attribution, loop);
		attribution = NULL;
	}
	loop_destroy(loop);
	attribution_destroy(attribution);
	conf_free(&conf);
	return status;
}

/* The command line has the last word over the configuration. */
static void
take_output_options(const struct options *options, struct output_conf *conf)
{
	const char *no_color = getenv("NO_COLOR"); /* no-color.org: set and not empty */
	if (options->events_path != NULL)
		conf->events_path = options->events_path;
	if (options->events != 0)
		conf->events = options->events;
	conf->events_append = options->command == COMMAND_WATCH;
	conf->summary = conf->events_path == NULL;
	conf->summary_stream = stdout;
	conf->colour = isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0');
	conf->inputs = options->arguments;
	conf->input_count = options->argument_count;
}

static void
tell_note(void *ctx, bool error, const char *note)
{
	(void)ctx;
	if (error)
		log_warn("attribution", "%s", note);
	else
		log_info("attribution", "%s", note);
}
