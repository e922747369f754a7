{
  _config+:: {
    cacheSelector: error 'must provide selector for the cache',
    missShare: 0.25,
    windows: [
      { severity: 'critical', 'for': '2m', range: '5m' },
      { severity: 'warning', 'for': '15m', range: '1h' },
    ],
    dashboardUid: std.md5('cache.json'),
  },
}
