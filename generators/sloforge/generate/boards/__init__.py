"""What stands on each dashboard: the service's, the fleet's, the first look of an incident."""
