{
  prometheusAlerts+:: {
    local link(rule) = rule {
      annotations+: { runbook_url: 'https://example.org/cache#' + std.asciiLower(rule.alert) },
    },
    groups+: [
      {
        name: 'cache',
        rules: [
          link({
            alert: 'CacheMisses',
            expr: |||
              cache:misses:ratio_rate%(range)s
                > %(share)g
            ||| % { range: window.range, share: $._config.missShare },
            'for': window['for'],
            labels: { severity: window.severity },
            annotations: {
              summary: 'Cache misses.',
              description: 'The cache {{ $labels.instance }} misses %(range)s long.' % window,
            },
          })
          for window in $._config.windows
        ] + [
          {
            alert: 'cache_gone',
            expr: 'absent(up{%(cacheSelector)s} == 1)' % $._config,
            labels: { severity: 'critical' },
            annotations: { message: 'No cache is up.' },
          },
        ],
      },
    ],
  },
}
