local datasource = { type: 'prometheus', uid: '${datasource}' };

{
  dashboard(title, uid, panels):: {
    id: 42,
    uid: uid,
    title: title,
    version: 7,
    schemaVersion: 39,
    editable: true,
    tags: ['cache-mixin'],
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        { name: 'instance', type: 'query', query: 'label_values(up, instance)', datasource: datasource },
      ],
    },
    panels: [
      panels[at] { id: at + 1, gridPos: { h: 8, w: 12, x: 12 * at, y: 0 } }
      for at in std.range(0, std.length(panels) - 1)
    ],
  },
  timeseries(title, expr):: {
    type: 'timeseries',
    title: title,
    datasource: datasource,
    targets: [{ refId: 'A', expr: expr, datasource: datasource }],
    fieldConfig: { defaults: { unit: 'percentunit', custom: { fillOpacity: 0.5 } }, overrides: [] },
  },
}
