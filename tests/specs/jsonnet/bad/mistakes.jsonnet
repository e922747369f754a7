[
  {
    version: 'sloforge/v1',
    service: 'shop',
    owner: 'web',
    slos: [{ name: 'answers', objective: 100, sli: { ratio: { total: 'all_total', bad: 'bad_total' } } }],
  },
  { apiVersion: 'pyrra.dev/v1alpha1', kind: 'ServiceLevelObjective', metadata: { name: 'x' }, spec: { target: '99' } },
]
