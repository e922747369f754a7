{
  version: 'sloforge/v1',
  service: 'a' +,
}
