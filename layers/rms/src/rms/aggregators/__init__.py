"""Logistic aggregators: one pure adapter each."""
