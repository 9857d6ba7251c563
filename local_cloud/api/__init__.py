"""DigitalOcean's API v2 for droplets that run on this machine."""
