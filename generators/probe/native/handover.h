/* Hands a command line to the Python implementation, which alone knows TLS and the agent. */
#ifndef SLO_PROBE_HANDOVER_H
#define SLO_PROBE_HANDOVER_H

/* Returns only where that is impossible. */
void hand_over(char **arguments);

#endif
