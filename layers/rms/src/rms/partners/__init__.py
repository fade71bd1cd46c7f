"""Returns apps and web shops: pure functions and data for each, as adapters are for aggregators."""
