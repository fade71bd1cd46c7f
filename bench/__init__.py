"""What RMS costs: AWS calls and units per flow, CPU of its own code, start-up time of each function (`make bench`)."""
