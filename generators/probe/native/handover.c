/* Hands a command line to the Python implementation, which alone knows TLS and the agent. */
#include "handover.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

/* Where this program stands; its name on the command line may be found anywhere on PATH. */
static int own_path(char *into, size_t room) {
#ifdef __APPLE__
    uint32_t size = (uint32_t)room;
    return _NSGetExecutablePath(into, &size) == 0;
#else
    ssize_t size = readlink("/proc/self/exe", into, room - 1);
    if (size <= 0) return 0;
    into[size] = 0;
    return 1;
#endif
}

void hand_over(char **arguments) {
    /* Beside the binary where it is installed, above it where it was built in a checkout. */
    static const char *const places[] = {"slo-probe.py", "../slo_probe.py"};
    char own[4096], script[4224];
    char *slash = own_path(own, sizeof own) ? strrchr(own, '/') : NULL;
    if (!slash) return;
    slash[1] = 0;
    for (int i = 0; i < 2; i++) {
        snprintf(script, sizeof script, "%s%s", own, places[i]);
        arguments[0] = script;
        execv(script, arguments);
    }
}
