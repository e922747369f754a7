import 'no-such.libsonnet'
