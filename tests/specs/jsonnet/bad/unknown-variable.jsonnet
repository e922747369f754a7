{ version: 'sloforge/v1', service: nobody }
