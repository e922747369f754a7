(import 'example.org/cache-mixin/mixin.libsonnet') + {
  _config+:: { cacheSelector: 'job="redis"' },
}
