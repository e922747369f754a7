"""The whole system on one machine: real servers, a month of history, and an outage to watch."""
