local boards = import 'boards/main.libsonnet';

{
  grafanaDashboards+:: {
    'cache.json': boards.dashboard('Cache', $._config.dashboardUid, [
      boards.timeseries('Misses', 'cache:misses:ratio_rate5m{instance=~"$instance"}'),
      boards.timeseries('Requests', 'sum(rate(cache_requests_total{%(cacheSelector)s}[$__rate_interval]))' % $._config),
    ]),
    'cache-details.json': boards.dashboard('Cache / Details', null, [
      boards.timeseries('Up', 'up{%(cacheSelector)s}' % $._config)
      + { links: [{ title: 'all', url: '/d/' + $._config.dashboardUid }] },
    ]),
  },
}
