"""What upgrading does to an installation that was at work: a dump of each release, and the test that brings it on."""
