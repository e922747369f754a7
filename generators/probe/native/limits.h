/* The bounds of everything: all memory is static, so each of these is a message and never an overflow. */
#ifndef SLO_PROBE_LIMITS_H
#define SLO_PROBE_LIMITS_H

#define VERSION "0.1.0"
#define MAX_CHECKS 64
#define MAX_MATCHERS 16
#define MAX_CHECK 2048
#define MAX_LINE 65536
#define MAX_LABELS 256
#define MAX_HEAD 16384
#define MAX_BUCKETS 256
#define MAX_RECORDS 64
#define MAX_STATE 16384
#define MAX_TARGET 8000
#define MAX_SERIES_TEXT 160
#define MAX_SAID 4096 /* Docker keeps no more of a health check's output. */
#define MAX_REASON 1024
#define MAX_ARENA 524288
#define MAX_HEADERS 16

/* Regular expressions */
#define MAX_PROGRAM 2000
#define MAX_SETS 64
#define MAX_RANGES 32
#define MAX_DEPTH 20
#define MAX_REPEAT 100
#define MAX_PROGRAMS 24576 /* instructions of all expressions together */
#define MAX_ALL_SETS 1024

#endif
