"""RMS: takes return orders, books their AWBs, follows the parcels and tells every subscriber, in order."""
