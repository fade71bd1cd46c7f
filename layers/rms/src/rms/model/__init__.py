"""Values that every layer speaks and none owns: return orders, notification types. Imports nothing of RMS."""
