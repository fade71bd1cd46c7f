"""Tools for people who work on RMS: environments, the local AWS, the demo. Nothing here is deployed."""
