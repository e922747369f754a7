/* A parsed --url. */
#ifndef SLO_PROBE_SOURCE_H
#define SLO_PROBE_SOURCE_H

#include "text.h"

enum source_kind { SOURCE_HTTP, SOURCE_HTTPS, SOURCE_UNIX, SOURCE_FILE, SOURCE_STDIN };

struct source {
    enum source_kind kind;
    struct text text;
    struct text authority;
    struct text host;
    unsigned port;
    struct text path;   /* of a file or a unix socket */
    struct text target; /* path and query of the request */
    bool add_slash;     /* the target lacks the / it begins with */
};

bool source_parse(struct text text, struct source *into, struct reason *why);

#endif
