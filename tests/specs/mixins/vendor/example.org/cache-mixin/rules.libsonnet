{
  prometheusRules+:: {
    groups+: [
      {
        name: 'cache.rules',
        interval: '30s',
        rules: [
          {
            record: 'cache:misses:ratio_rate' + window.range,
            expr: |||
              sum by (instance) (rate(cache_misses_total{%(cacheSelector)s}[%(range)s]))
              /
              sum by (instance) (rate(cache_requests_total{%(cacheSelector)s}[%(range)s]))
            ||| % ($._config + window),
          }
          for window in $._config.windows
        ],
      },
    ],
  },
}
