#include "config.h"

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "output/output.h"

enum { OPTION_EVENTS = 256, OPTION_FAIL, OPTION_JSON, OPTION_AT, OPTION_WORKERS, OPTION_ONLINE, WORKERS_MAX = 64 };

static const struct option long_options[] = {
	{"read", required_argument, NULL, 'r'},
	{"interface", required_argument, NULL, 'i'},
	{"conf", required_argument, NULL, 'c'},
	{"output", required_argument, NULL, 'o'},
	{"events", required_argument, NULL, OPTION_EVENTS},
	{"fail-on-alert", required_argument, NULL, OPTION_FAIL},
	{"json", no_argument, NULL, OPTION_JSON},
	{"online", no_argument, NULL, OPTION_ONLINE},
	{"at", required_argument, NULL, OPTION_AT},
	{"workers", required_argument, NULL, OPTION_WORKERS},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void bad_option(int option, const char *word, char *error, size_t size);
static int take_option(struct options *o, int option, char *error, size_t size);
static int take_interface(struct options *o, const char *name, char *error, size_t size);
static int take_word(struct options *o, const char *word, char *error, size_t size);
static int add_argument(struct options *o, const char *word);
static int add_filter(struct options *o, const char *word);
static int parse_events(const char *list, unsigned *out);
static int parse_workers(struct options *o, const char *word, char *error, size_t size);
static bool has_replay_options(const struct options *o);
static int finish(struct options *o, char *error, size_t size);

const char options_help[] =
        "waybill: which files crossed the network, between whom, where they may not go\n"
        "\n"
        "  waybill -r FILE... [-c CONF] [-o EVENTS] [options] [BPF FILTER]\n"
        "  waybill -i IFACE... [-c CONF] [-o EVENTS] [options] [BPF FILTER]\n"
        "  waybill lookup IP... [--at TIME] [--json] [-c CONF]\n"
        "  waybill check [-i IFACE]... [--online] [--json] [-c CONF]\n"
        "\n"
        "  -r, --read FILE...       pcap, pcapng, plain, gzip or zstd; a whole directory\n"
        "                           in time order; - for standard input\n"
        "  -i, --interface IFACE    watch a network interface; several, each with its -i\n"
        "  -c, --conf CONF          configuration (YAML); without one the defaults hold\n"
        "  -o, --output EVENTS      events as JSON lines to a file, or - for standard\n"
        "                           output, in place of the readable summary\n"
        "      --events KINDS       of flow,transfer,alert,coverage (default: all)\n"
        "      --fail-on-alert SEV  exit with 4 on an alert of at least this severity:\n"
        "                           info, low, medium, high or critical\n"
        "      --workers N          threads that share the packets (default: one a core);\n"
        "                           the events are the same. With -i: two are a lane\n"
        "                           (default: as the configuration says, one lane)\n"
        "      --at TIME            lookup: as of then, like 2014-12-19 (default: now)\n"
        "      --json               lookup, check: one JSON object a line\n"
        "      --online             check: send each webhook a test message\n"
        "  -q, --quiet  -v, --verbose  -V, --version  -h, --help\n"
        "\n"
        "Words after -r that name no file are a filter as for tcpdump; so are all words\n"
        "after --, as in: waybill -r day.pcap.gz -- host 192.0.2.7 and tcp\n"
        "Exit status: 0 done; 1 run-time error; 2 usage or configuration error; 3 some\n"
        "input unreadable; 4 see --fail-on-alert. Manual: man waybill\n";

int
options_parse(struct options *o, int argc, char **argv, char *error, size_t error_size)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);
	*o = (struct options){.command = COMMAND_REPLAY, .workers = cores > 1 ? (unsigned)cores : 1};
	if (argc > 1 && (strcmp(argv[1], "lookup") == 0 || strcmp(argv[1], "check") == 0)) {
		o->command = argv[1][0] == 'l' ? COMMAND_LOOKUP : COMMAND_CHECK;
		argc--;
		argv++;
	}
	optind = 1;
	opterr = 0;
	for (;;) {
		int option = getopt_long(argc, argv, "-:r:i:c:o:qvVh", long_options, NULL);
		if (option == -1)
			break;
		if (option == '?' || option == ':') {
			bad_option(option, argv[optind - 1], error, error_size);
			return -1;
		}
		if (take_option(o, option, error, error_size) < 0)
			return -1;
	}
	for (; optind < argc; optind++) {
		if ((o->command == COMMAND_LOOKUP ? add_argument(o, argv[optind]) : add_filter(o, argv[optind])) < 0) {
			snprintf(error, error_size, "out of memory");
			return -1;
		}
	}
	return finish(o, error, error_size);
}

void
options_free(struct options *o)
{
	free(o->arguments);
	free(o->filter);
}

/* option and optopt as getopt_long left them; word: what it was looking at, which may hold several letters. */
static void
bad_option(int option, const char *word, char *error, size_t size)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	bool is_long = strncmp(word, "--", 2) == 0;
	const char *what = option == ':' ? "a value is missing after"
	                   : is_long && optopt != 0 ? "no value belongs to"
	                                            : "there is no option";
	snprintf(error, size, "%s %s (see waybill --help)", what, is_long || optopt == 0 ? word : letter);
}

static int
take_option(struct options *o, int option, char *error, size_t size)
{
	switch (option) {
	case 1: return take_word(o, optarg, error, size);
	case 'r':
		if (o->command == COMMAND_REPLAY)
			return add_argument(o, optarg);
		snprintf(error, size, o->command == COMMAND_WATCH ? "-r and -i do not go together"
		                                                  : "-r belongs to a replay, not to this command");
		return -1;
	case 'i': return take_interface(o, optarg, error, size);
	case 'c': o->conf = optarg; return 0;
	case 'o': o->events_path = optarg; return 0;
	case 'q': o->quiet = true; return 0;
	case 'v': o->verbose++; return 0;
	case 'V': o->command = COMMAND_VERSION; return 0;
	case 'h': o->command = COMMAND_HELP; return 0;
	case OPTION_JSON: o->json = true; return 0;
	case OPTION_ONLINE: o->online = true; return 0;
	case OPTION_EVENTS:
		if (parse_events(optarg, &o->events) == 0)
			return 0;
		snprintf(error, size, "--events %s: takes flow, transfer, alert, coverage, with commas between", optarg);
		return -1;
	case OPTION_FAIL:
		o->fails_on_alert = true;
		if (severity_parse(optarg, &o->fail_severity) == 0)
			return 0;
		snprintf(error, size, "--fail-on-alert %s: takes info, low, medium, high or critical", optarg);
		return -1;
	case OPTION_WORKERS: return parse_workers(o, optarg, error, size);
	default:
		o->has_at = true;
		if (clock_parse(optarg, &o->at) == 0)
			return 0;
		snprintf(error, size, "--at %s: not a time such as 2014-12-19 or 2014-12-19T08:00:00Z", optarg);
		return -1;
	}
}

static int
take_interface(struct options *o, const char *name, char *error, size_t size)
{
	if (o->command == COMMAND_REPLAY && o->argument_count == 0)
		o->command = COMMAND_WATCH;
	if (o->command != COMMAND_WATCH && o->command != COMMAND_CHECK)
		snprintf(error, size, o->command == COMMAND_REPLAY ? "-r and -i do not go together"
		                                                   : "-i does not belong to this command");
	else if (add_argument(o, name) < 0)
		snprintf(error, size, "out of memory");
	else
		return 0;
	return -1;
}

/* A word that is no option: after -r what exists is another input, anything else begins the filter. */
static int
take_word(struct options *o, const char *word, char *error, size_t size)
{
	struct stat st;
	int done;
	if (o->command == COMMAND_LOOKUP)
		done = add_argument(o, word);
	else if (o->command == COMMAND_CHECK && o->argument_count == 0) {
		snprintf(error, size, "check takes no word '%s'", word);
		return -1;
	} else if (o->command == COMMAND_REPLAY && o->filter == NULL && o->argument_count > 0 && (strcmp(word, "-") == 0 || stat(word, &st) == 0))
		done = add_argument(o, word);
	else
		done = add_filter(o, word);
	if (done < 0)
		snprintf(error, size, "out of memory");
	return done;
}

static int
add_argument(struct options *o, const char *word)
{
	const char **grown = realloc(o->arguments, (o->argument_count + 1) * sizeof *grown);
	if (grown == NULL)
		return -1;
	o->arguments = grown;
	o->arguments[o->argument_count++] = word;
	return 0;
}

static int
add_filter(struct options *o, const char *word)
{
	size_t len = o->filter != NULL ? strlen(o->filter) : 0;
	char *grown = realloc(o->filter, len + strlen(word) + 2);
	if (grown == NULL)
		return -1;
	o->filter = grown;
	sprintf(o->filter + len, "%s%s", len > 0 ? " " : "", word);
	return 0;
}

static int
parse_events(const char *list, unsigned *out)
{
	static const struct {
		const char *name;
		unsigned bit;
	} kinds[] = {{"flow", EVENT_FLOW}, {"transfer", EVENT_TRANSFER}, {"alert", EVENT_ALERT},
	        {"coverage", EVENT_COVERAGE}, {"stats", EVENT_STATS}};
	*out = 0;
	while (*list != '\0') {
		size_t len = strcspn(list, ","), i = 0;
		while (i < sizeof kinds / sizeof kinds[0] &&
		        (strlen(kinds[i].name) != len || strncmp(kinds[i].name, list, len) != 0))
			i++;
		if (i == sizeof kinds / sizeof kinds[0])
			return -1;
		*out |= kinds[i].bit;
		list += len + (list[len] == ',');
	}
	return *out != 0 ? 0 : -1;
}

static int
parse_workers(struct options *o, const char *word, char *error, size_t size)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);
	o->workers = (unsigned)n;
	o->workers_named = true;
	if (*word >= '0' && *word <= '9' && *end == '\0' && n >= 1 && n <= WORKERS_MAX)
		return 0;
	snprintf(error, size, "--workers %s: takes a number from 1 to %d", word, WORKERS_MAX);
	return -1;
}

static bool
has_replay_options(const struct options *o)
{
	return o->events_path != NULL || o->events != 0 || o->fails_on_alert;
}

static int
finish(struct options *o, char *error, size_t size)
{
	const char *what = NULL;
	if (o->command == COMMAND_REPLAY && o->argument_count == 0)
		what = "nothing to read: name captures with -r, or interfaces with -i (see waybill --help)";
	else if (o->command == COMMAND_LOOKUP && o->argument_count == 0)
		what = "lookup needs an address";
	else if (o->command == COMMAND_LOOKUP && has_replay_options(o))
		what = "-o, --events and --fail-on-alert belong to a replay, not to lookup";
	else if (o->command == COMMAND_CHECK && o->fails_on_alert)
		what = "--fail-on-alert belongs to a replay, not to check";
	else if (o->command == COMMAND_CHECK && o->filter != NULL && o->argument_count == 0)
		what = "a filter belongs to an interface: name it with -i";
	else if (o->online && o->command != COMMAND_CHECK)
		what = "--online belongs to check";
	else if (o->has_at && o->command != COMMAND_LOOKUP)
		what = "--at belongs to lookup";
	else if (o->json && o->command != COMMAND_LOOKUP && o->command != COMMAND_CHECK)
		what = "--json belongs to lookup and check; events are written with -o";
	if (what == NULL)
		return 0;
	snprintf(error, size, "%s", what);
	return -1;
}
