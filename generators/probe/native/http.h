/* One HTTP answer, decoded as its bytes arrive; its end is known, and so is a missing end. */
#ifndef SLO_PROBE_HTTP_H
#define SLO_PROBE_HTTP_H

#include "text.h"

enum http_state {
    HTTP_STATUS,
    HTTP_HEADER,
    HTTP_EXACTLY,
    HTTP_UNTIL_END,
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK_DATA,
    HTTP_CHUNK_END,
    HTTP_DONE,
};

struct http {
    enum http_state state;
    unsigned long long max_bytes;
    /* Where the body goes. */
    void (*body)(void *to, const char *data, size_t size);
    void *to;
    struct reason *why;
    bool another; /* the server may answer another question */
    bool openmetrics;
    unsigned status;
    struct reason location;
    bool has_length, chunked;
    unsigned long long length, got, chunk_left;
    size_t head_size;
    size_t line_size;
    char line[MAX_HEAD];
};

void http_begin(struct http *h);
/* False when the answer is of no use, which `why` explains. */
bool http_feed(struct http *h, const char *data, size_t size);
/* The connection is closed: false when something is missing. */
bool http_end(struct http *h);

#endif
