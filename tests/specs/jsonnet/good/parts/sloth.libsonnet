{
  service(name, objective):: {
    version: 'prometheus/v1',
    service: name,
    slos: [{
      name: 'seats',
      objective: objective,
      sli: { raw: { error_ratio_query: 'avg(avg_over_time(seats_taken_ratio[{{.window}}]))' } },
    }],
  },
}
