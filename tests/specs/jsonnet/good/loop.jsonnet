local sloth = import 'parts/sloth.libsonnet';
local slo(name, objective) = {
  name: name,
  objective: objective,
  sli: { ratio: { total: 'lent_total', bad: 'lent_total{branch="' + name + '",state="lost"}' } },
};
[
  {
    version: 'sloforge/v1',
    service: 'library',
    owner: 'web',
    slos: [slo('north', 99.9), slo('south', 99.5)],
  },
  sloth.service('reading-room', 99.95),
]
