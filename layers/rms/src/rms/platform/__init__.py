"""What everything stands on: ports and their AWS implementations, settings, errors, the Lambda wrappers."""
