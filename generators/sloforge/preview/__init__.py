"""The generated dashboards without Grafana: a server, one HTML file, or pictures."""
