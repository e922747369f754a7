/* slo-probe: evaluates health checks over a Prometheus exposition. */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "handover.h"
#include "report.h"

static struct options options;
static struct reason late;
static struct reason late_json;

/* Ends the process where a call has no deadline of its own: a lookup, a pipe, a lock. */
static void end(int signal) {
    (void)signal;
    if (options.json) wrote(1, late_json.at, late_json.size);
    wrote(2, late.at, late.size);
    _exit(1);
}

static void watch(void) {
    char digits[NUMBER_SIZE];
    shown_seconds(options.timeout, digits);
    say(&late, "slo-probe: unhealthy: ");
    say_cut(&late, options.source.text);
    say(&late, ": no answer within %s\n", digits);
    say(&late_json, "{\"healthy\":false,\"error\":\"");
    for (size_t i = 0; i < options.source.text.size && i < MAX_SERIES_TEXT; i++) {
        char c = options.source.text.at[i];
        say(&late_json, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    say(&late_json, ": no answer within %s\",\"seconds\":", digits);
    digits[strlen(digits) - 1] = 0;
    say(&late_json, "%s,\"checks\":[]}\n", digits);
    /* A little later than the deadline itself, whose message names the place. */
    double at = options.timeout + 0.05;
    struct itimerval timer = {.it_value = {.tv_sec = at > 1e8 ? 100000000 : (long)at}};
    timer.it_value.tv_usec = at > 1e8 ? 0 : (int)((at - (double)(long)at) * 1e6);
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static int complain(const char *what, const struct reason *why) {
    static struct reason text;
    say(&text, "%s", what);
    say_text(&text, (struct text){why->at, why->size});
    if (options.json) report_error_json((struct text){text.at, text.size}, 0);
    said("slo-probe: ", (struct text){text.at, text.size});
    return 1;
}

int main(int count, char **arguments) {
    static struct reason why;
    static struct result result;
    double begun = steady_clock();
    signal(SIGPIPE, SIG_IGN);
    bool fine = options_parse(count > 0 ? count - 1 : 0, arguments + 1, &options, &why);
    if (options.agent) {
        hand_over(arguments);
        say(&why, "the agent needs slo-probe.py and python3 beside or above this program");
        return complain("config: ", &why);
    }
    if (options.help) {
        wrote(1, help_text, strlen(help_text));
        return 0;
    }
    if (options.version) {
        wrote(1, "slo-probe " VERSION "\n", sizeof "slo-probe " VERSION);
        return 0;
    }
    if (!fine) return complain("config: ", &why);
    if (options.explain) {
        explain(&options);
        return 0;
    }
    if (options.source.kind == SOURCE_HTTPS) {
        hand_over(arguments);
        say(&why, "https needs slo-probe.py and python3 beside or above this program");
        return complain("config: ", &why);
    }
    watch();
    run(&options, begun, &result);
    return report(&options, &result, steady_clock() - begun);
}
